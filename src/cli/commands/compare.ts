import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { Command, Option } from "commander";
import { methodNamed } from "../../algorithm/methods.js";
import type { ComparedRun } from "../../analysis/compared-runs.js";
import {
  type Launch,
  type PlannedRun,
  planComparison,
  readFinished,
  runComparison,
} from "../../analysis/comparison-runs.js";
import { shown, UserError } from "../../errors.js";
import { BUDGET_MARGIN, compareMethods } from "../../report/comparison/compare.js";
import { reportFiles } from "../../report/comparison/page.js";
import { earlyStopTable, frequencyTable, targetTable, wholeBudgetTable } from "../../report/comparison/tables.js";
import { formatFlops, formatPercent } from "../../report/format.js";
import { renderText } from "../../report/tables.js";
import { loadConfig } from "../../run/config/config.js";
import { type ConfigKey, configKeys } from "../../run/config/fields.js";
import { modelLabelOf } from "../../run/open-engine.js";
import { addConfigOptions, statedSettings } from "../config-options.js";
import { commandLine } from "../invocation.js";
import { defaultJobs, eventText, launchHere, launchProcess, withThreads } from "../launch-run.js";
import { print, printJson, say } from "../output.js";
import { numberIn, seedList, wholeNumber } from "../parsers.js";
import { listenForStop } from "../stop-signals.js";

interface Options extends Readonly<Record<string, unknown>> {
  readonly methods: string;
  readonly seeds: string;
  readonly out?: string;
  readonly jobs?: number;
  readonly target?: number;
  readonly margin: number;
  readonly config?: string;
  readonly json?: boolean;
}

/** Settings that a comparison decides for each run, and the option that decides them. */
const DECIDED: Readonly<Partial<Record<ConfigKey, string>>> = {
  method: "--methods",
  seed: "--seeds",
  runDir: "--out",
};

export function compareCommand(): Command {
  const command = new Command("compare")
    .description("Compare methods over several seeds at equal compute: runs or reuses runs, then tables and curves.")
    .option("--methods <a,b>", "Methods to compare, or all (see `adastar methods`)", "adastar,star-acc")
    .option("--seeds <n>", "How many seeds, from 1 on, or a list such as 3,4,5 (7, is seed 7 alone)", "5")
    .option("--out <dir>", "Folder of the runs and the report (comparisons/TASK)")
    .addOption(
      new Option(
        "--jobs <n>",
        "Runs at a time, each in a process of its own (all cores for the bundled and the simulated model, else 1)",
      ).argParser(wholeNumber(1)),
    )
    .addOption(
      new Option("--target <n>", "Test accuracy whose cost is compared (the most accurate baseline's)").argParser(
        numberIn(0, 1),
      ),
    )
    .addOption(
      new Option("--margin <n>", "Run this share beyond --max-flops, to show how gains move when the budget does")
        .argParser(numberIn(0, 1))
        .default(BUDGET_MARGIN),
    )
    .option("--config <path>", "YAML file with settings of every run, in camelCase; flags override it")
    .option("--json", "The figures as one line of JSON: means, intervals as low and high, and every seed's")
    .addHelpText(
      "after",
      `
All other settings are those of \`adastar run\` and hold for every run. --max-flops is the training budget of each run. Without it, each run does
its --iterations, and all are compared up to the cost of the cheapest run.
The same command continues after an interruption, and reuses runs that are long enough. --out gets report.md, curves.svg, tables.tex and the
figures as CSV and JSON.

Examples:
  $ adastar compare --methods adastar,star-acc,star --seeds 5 --max-flops 2e13
  $ adastar compare --methods all --engine scripted --seeds 10 --max-flops 5e11 --out comparisons/simulated
  $ adastar compare --task svamp --data DIR --model DIR --seeds 3 --iterations 5 --json`,
    )
    .action(compare);
  return addConfigOptions(
    command,
    configKeys.filter((key) => !(key in DECIDED)),
  );
}

async function compare(options: Options): Promise<void> {
  const { methods, seeds, config: file, target, margin } = options;
  const flags = statedSettings(options);
  const names = methods.split(",").map((name) => name.trim());
  for (const name of names) if (name !== "all") methodNamed(name);
  const request = { methods: names, seeds: seedsOf(seeds), flags, file };
  for (const key of decidedElsewhere(file)) {
    say(`${file}: ${key} is ignored: ${DECIDED[key]} decides it for each run`);
  }
  // The folder is named after the task, which is known once the settings are put together.
  const [first] = planComparison({ ...request, out: "." });
  const out = resolve(options.out ?? join("comparisons", first.config.task ?? "own-data"));
  const plan = planComparison({ ...request, out });
  const jobs = Math.min(options.jobs ?? defaultJobs(first), plan.length);
  const stop = listenForStop((name) =>
    say(`${name}: the runs in progress save and end; the same command continues them.`),
  );
  try {
    const launch: Launch = jobs > 1 ? launchProcess : launchHere;
    const launched = plan.map((run) => withMargin(withThreads(run, jobs), margin));
    const result = await runComparison(launched, launch, {
      jobs,
      signal: stop.signal,
      listener: (event) => say(eventText(event)),
    });
    const { runs, failed: unread } = readFinished(result.finished);
    for (const failure of unread) say(eventText({ kind: "failed", ...failure }));
    const failed = [...result.failed, ...unread];
    const missing = result.missing.map(({ name }) => name);
    if (result.interrupted) process.exitCode = stop.exitCode ?? 1;
    else if (failed.length > 0) process.exitCode = 2;
    if (runs.length === 0) {
      if (result.interrupted) return;
      throw new UserError(`expected at least one finished run, got none of ${plan.length}; the reasons are above`);
    }
    const comparison = compareMethods(runs, { budget: first.config.maxFlops ?? undefined, target });
    const context = {
      runs,
      failed,
      missing,
      setting: settingOf(first, plan, runs),
      command: commandLine(...process.argv.slice(2)),
    };
    mkdirSync(out, { recursive: true });
    for (const [name, content] of Object.entries(reportFiles(comparison, context)))
      writeFileSync(join(out, name), content);
    if (options.json) printJson({ ...comparison, failed, missing, interrupted: result.interrupted, out });
    else {
      const tables = [
        `Over ${formatFlops(comparison.budget)} of training:\n${renderText(wholeBudgetTable(comparison))}`,
        `FLOPs to reach ${formatPercent(comparison.target)}:\n${renderText(targetTable(comparison))}`,
        `At early stop:\n${renderText(earlyStopTable(comparison))}`,
        renderText(frequencyTable(comparison)),
      ];
      print(tables.join("\n\n"));
    }
    say(`\nReport: ${relative(process.cwd(), join(out, "report.md"))}`);
  } finally {
    stop.dispose();
  }
}

/** Settings in the file that are not read because an option decides them. */
function decidedElsewhere(file: string | undefined): ConfigKey[] {
  if (file === undefined) return [];
  const { origins } = loadConfig({ file });
  return (Object.keys(DECIDED) as ConfigKey[]).filter((key) => origins[key] !== "default");
}

/** Seeds 1 to n, or a list. */
function seedsOf(text: string): number[] {
  if (text.includes(",")) return seedList(text, "--seeds");
  const [count] = seedList(text, "--seeds");
  if (count === 0) throw new UserError(`--seeds: expected how many seeds, or a list such as 3,4,5, got ${shown(text)}`);
  return Array.from({ length: count }, (_, i) => i + 1);
}

/** Runs are compared within the budget. Their margin beyond it shows how the result depends on the budget. */
function withMargin(run: PlannedRun, margin: number): PlannedRun {
  const { maxFlops } = run.config;
  return maxFlops === null ? run : { ...run, config: { ...run.config, maxFlops: maxFlops * (1 + margin) } };
}

function settingOf(
  { config }: PlannedRun,
  plan: readonly PlannedRun[],
  runs: readonly ComparedRun[],
): (readonly [label: string, value: string])[] {
  const spent = ({ points }: ComparedRun) => points.at(-1)?.flops ?? 0;
  const least = runs.reduce((one, other) => (spent(other) < spent(one) ? other : one));
  const seeds = [...new Set(plan.map((run) => run.config.seed))];
  return [
    ["task", config.task ?? "own data"],
    ["engine", config.engine],
    ["model", modelLabelOf(config)],
    ["seeds", seeds.join(", ")],
    [
      "budget",
      config.maxFlops === null
        ? `${formatFlops(spent(least))}, the cost of the cheapest run (${least.method}, seed ${least.seed})`
        : formatFlops(config.maxFlops),
    ],
  ];
}
