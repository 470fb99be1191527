import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import { messageOf, UserError } from "../../errors.js";
import { replaceFile } from "../../report/run-directory-report.js";
import { RunReader } from "../../run/directory/reader.js";
import { eventFile } from "../../trackers/event-file.js";
import { runScalars } from "../../trackers/run-scalars.js";
import { say } from "../output.js";

export function trackCommand(): Command {
  return new Command("track")
    .description("Give a run's figures to an experiment tracker; reads the run directory only.")
    .argument("<run>", "The run directory")
    .addOption(new Option("--to <tracker>", "The tracker").choices(["tensorboard"]).default("tensorboard"))
    .option("--out <dir>", "Folder of the tracker's files; a run gets a folder of its own in it", "tensorboard")
    .addHelpText(
      "after",
      `
Made again at any time, while a run continues as well: it replaces what was there of the run.

Examples:
  $ adastar track runs/my-run --out logs
  $ tensorboard --logdir logs`,
    )
    .action((dir: string, { out }: { readonly out: string }) => {
      const run = RunReader.open(dir);
      const folder = join(out, run.overview.name);
      const path = join(folder, "events.out.tfevents.0.adastar");
      try {
        mkdirSync(folder, { recursive: true });
        replaceFile(path, eventFile(runScalars(run)));
      } catch (error) {
        throw new UserError(`--out: expected a folder that can be written, got ${out}: ${messageOf(error)}`);
      }
      say(`Wrote ${path}`);
    });
}
