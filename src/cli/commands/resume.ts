import { Command } from "commander";
import { changeableKeys } from "../../run/config/config.js";
import { resumeRun } from "../../run/loop/runner.js";
import { addConfigOptions, statedSettings } from "../config-options.js";
import { watchRun } from "../watch-run.js";

export function resumeCommand(): Command {
  const command = new Command("resume")
    .description("Go on with a run that was stopped or killed; it ends as if it had never been.")
    .argument("<dir>", "The run directory")
    .option("--json", "Print nothing to stdout but one line of JSON, the summary, at the end")
    .addHelpText(
      "after",
      `
Settings are those that the run began with. The ones above may be others from now on; all others would make it another run.

Examples:
  $ adastar resume runs/my-run
  $ adastar resume runs/my-run --iterations 12`,
    )
    .action(async (dir: string, options: Readonly<Record<string, unknown>> & { json?: boolean }) => {
      const settings = statedSettings(options);
      await watchRun((listener, signal) => resumeRun(dir, listener, { signal, settings }), options.json === true);
    });
  return addConfigOptions(command, [...changeableKeys, "verifier"]);
}
