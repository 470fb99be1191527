import { Command } from "commander";
import { formatCount, formatDuration, formatFlops, formatPercent, formatRate } from "../../report/format.js";
import { modelLabel } from "../../report/run-table.js";
import { renderPairs } from "../../report/tables.js";
import { loadConfig } from "../../run/config/config.js";
import type { RunConfig } from "../../run/config/fields.js";
import { keysReadBy } from "../../run/config/fields.js";
import { type CheckpointEvaluation, evaluateCheckpoint } from "../../run/oneshot/evaluate-checkpoint.js";
import type { Interval } from "../../statistics/intervals.js";
import { wilsonInterval } from "../../statistics/proportion.js";
import { testOptionKeys } from "../../tasks/task-options.js";
import { addConfigOptions, statedSettings } from "../config-options.js";
import { createDisplay } from "../display/display.js";
import { namedModel } from "../named-model.js";
import { print, printJson } from "../output.js";

/** The settings that an evaluation reads. */
const SETTINGS = [...testOptionKeys.filter((key) => key !== "evalLimit"), ...keysReadBy("eval")];

export function evalCommand(): Command {
  const command = new Command("eval")
    .description("Measure a checkpoint's accuracy on a task's test set: greedy, without worked examples.")
    .option("--limit <n>", "Only the first so many test observations")
    .option("--json", "The result as one line of JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ adastar eval                                      the bundled starter model on the default task
  $ adastar eval --model runs/my-run                  the best model of a run, on the task of the run
  $ adastar eval --task svamp --data DIR --model DIR --limit 50
  $ adastar eval --task svamp --data DIR --model DIR --json`,
    )
    .action(async (options: Readonly<Record<string, unknown>> & { limit?: string; json?: boolean }) => {
      const config = evaluated(statedSettings({ ...options, evalLimit: options.limit }));
      const display = createDisplay(process.stderr, process.env);
      try {
        const result = await evaluateCheckpoint(config, display.listener);
        display.close();
        if (options.json) {
          printJson({ ...result, model: result.model.name, accuracyInterval: accuracyInterval(result) });
        } else print(renderPairs(resultPairs(result)));
      } finally {
        display.close();
      }
    });
  return addConfigOptions(command, SETTINGS);
}

/** What to evaluate. A run directory as the model brings the settings of the run; flags override them. */
function evaluated(flags: Readonly<Record<string, unknown>>): RunConfig {
  const { config } = loadConfig({ flags });
  if (config.model === null) return config;
  const { model, config: run } = namedModel(config.model);
  if (run === null) return config;
  const stated = Object.fromEntries(Object.entries(config).filter(([key]) => Object.hasOwn(flags, key)));
  return { ...run, ...stated, model };
}

/** 95 % interval of the accuracy for this number of questions. */
function accuracyInterval({ correct, observations }: CheckpointEvaluation): Interval | null {
  return wilsonInterval(correct, observations);
}

function resultPairs(result: CheckpointEvaluation): (readonly [label: string, value: string])[] {
  const interval = accuracyInterval(result);
  return [
    ["task", result.task],
    ["model", modelLabel(result.model)],
    [
      "accuracy",
      `${formatPercent(result.accuracy)} (${formatCount(result.correct)} of ${formatCount(result.observations)})`,
    ],
    ...(interval === null
      ? []
      : [["95 % interval", `${formatPercent(interval.low)} to ${formatPercent(interval.high)}`] as const]),
    ["strict / lenient", `${formatPercent(result.strictAccuracy)} / ${formatPercent(result.lenientAccuracy)}`],
    ["finished", formatPercent(result.finished)],
    ["inference cost", formatFlops(result.flops)],
    ["time", `${formatDuration(result.seconds)} (${formatRate(result.generatedTokens / result.seconds)} tokens/s)`],
  ];
}
