import { Command } from "commander";
import { loadConfig } from "../../run/config/config.js";
import { refuseIneffectiveFlags } from "../../run/config/ineffective.js";
import { startRun } from "../../run/loop/runner.js";
import { forecastRun } from "../../run/oneshot/forecast.js";
import { addConfigOptions, statedSettings } from "../config-options.js";
import { forecastText } from "../forecast-text.js";
import { print, printJson } from "../output.js";
import { watchRun } from "../watch-run.js";

export function runCommand(): Command {
  const command = new Command("run")
    .description("Teach a model: sample answers with reasons, keep the right ones, train on them, repeat.")
    .option("--config <path>", "YAML file with the same settings, in camelCase; flags override it")
    .option(
      "--dry-run",
      "Show the prompts and forecast tokens, FLOPs, memory and time from a short trial; write nothing",
    )
    .option("--json", "Print only one line of JSON to stdout at the end, the summary")
    .addHelpText(
      "after",
      `
Later ones override earlier ones: defaults, the task's defaults, --preset, --config, flags. The value "none" unsets a setting.

Examples:
  $ adastar run
  $ adastar run --method star-acc --seed 2
  $ adastar run --task svamp --data DIR --model DIR --iterations 2 --steps 4 --batch-size 4 --eval-limit 50
  $ adastar run --data train.jsonl --eval test.jsonl --verifier number --model DIR
  $ adastar run --config my-run.yaml --dry-run
  $ adastar run --config my-run.yaml --json`,
    )
    .action(
      async (options: Readonly<Record<string, unknown>> & { config?: string; dryRun?: boolean; json?: boolean }) => {
        const resolved = loadConfig({
          flags: statedSettings(options),
          ...(options.config === undefined ? {} : { file: options.config }),
        });
        refuseIneffectiveFlags(resolved);
        const { config } = resolved;
        if (options.dryRun) {
          const forecast = await forecastRun(config);
          if (options.json) printJson(forecast);
          else print(forecastText(forecast));
          return;
        }
        await watchRun((listener, signal) => startRun(config, listener, { signal }), options.json === true);
      },
    );
  return addConfigOptions(command);
}
