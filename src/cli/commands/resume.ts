import { Command } from "commander";
import { resumeRun } from "../../run/runner.js";
import { watchRun } from "../watch-run.js";

export function resumeCommand(): Command {
  return new Command("resume")
    .description("Go on with a run that was stopped or killed; it ends as if it had never been.")
    .argument("<dir>", "The run directory")
    .option("--json", "Print nothing to stdout but one line of JSON, the summary, at the end")
    .addHelpText("after", "\nExample:\n  $ adastar resume runs/my-run")
    .action(async (dir: string, options: { json?: boolean }) => {
      await watchRun((listener, signal) => resumeRun(dir, listener, { signal }), options.json === true);
    });
}
