import { Command } from "commander";
import { changeableKeys } from "../../run/config/config.js";
import { resumeRun } from "../../run/loop/runner.js";
import { addConfigOptions, statedSettings } from "../config-options.js";
import { watchRun } from "../watch-run.js";

export function resumeCommand(): Command {
  const command = new Command("resume")
    .description("Resume a stopped or killed run. The result is the same as without the interruption.")
    .argument("<dir>", "The run directory")
    .option("--json", "Print only one line of JSON to stdout at the end, the summary")
    .addHelpText(
      "after",
      `
The run keeps the settings that it began with. Only the ones above may be changed: any other would make it a different run.

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
