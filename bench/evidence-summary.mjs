/** The settings of the study side by side, from the figures that `evidence.mjs --record` keeps: docs/evidence/summary.md. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compareMethods } from "../dist/report/comparison.js";
import { formatFixed, formatFlops, formatPercent, formatPoints } from "../dist/report/format.js";
import { renderMarkdown } from "../dist/report/tables.js";
import { groupBy } from "../dist/run/group.js";
import { bootstrap, mean } from "../dist/statistics/statistics.js";

const METHOD = "adastar";
/** β¹ = 8 · 40 */
const FIRST_BATCH = 320;

/**
 * @param folder docs/evidence
 * @param settings those of the study by name; those that have not been recorded are left out
 */
export function summaryPage(folder, settings) {
  const recorded = Object.entries(settings).flatMap(([name, setting]) => {
    const path = join(folder, name, "comparison.json");
    if (!existsSync(path)) return [];
    const comparison = JSON.parse(readFileSync(path, "utf8"));
    return [{ name, setting, comparison, runs: readRuns(join(folder, name, "points.csv"), comparison) }];
  });
  return [
    "# Summary",
    "Made by `node bench/evidence.mjs --record` from the figures in the folders beside this page. All intervals are 95 % bootstrap intervals over seeds, paired by seed where two methods are compared. Differences of accuracy are in percentage points.",
    "## AdaSTaR beside the most accurate baseline",
    "Baselines visit every observation in every iteration; the most accurate of a setting is the one with the best mean accuracy at early stop. _Saved at early stop_ compares what was spent until each one's best iteration; _saved until there_ what was spent until the baseline's mean accuracy was first reached, a run that never did counting as the whole budget.",
    renderMarkdown(baselineTable(recorded)),
    "## What AdaSTaR needs for the accuracy of each baseline",
    "The mean over seeds of what was spent until the baseline's own mean accuracy at early stop was first reached, a run that never did counting as the whole budget.",
    renderMarkdown(everyBaselineTable(recorded)),
    "## AdaSTaR with other orders and parts",
    "Each variant less AdaSTaR, on the seeds that both have. _Average_ is the accuracy of the latest model over all costs up to the budget. The last two columns have the variant's figure and AdaSTaR's: the standard deviation of how often an observation was trained on, and how many of those that an iteration trained on the one before had trained on as well.",
    renderMarkdown(variantTable(recorded)),
    "",
  ].join("\n\n");
}

function baselineTable(recorded) {
  const rows = recorded.flatMap(({ name, setting, comparison }) => {
    const own = comparison.methods.find(({ method }) => method === METHOD);
    const rival = comparison.methods.find(({ method }) => method === comparison.mostAccurateBaseline);
    if (own === undefined || rival === undefined || own === rival) return [];
    return [
      [
        `[${name}](${name}/report.md)`,
        setting.flags["train-size"] === undefined ? "–" : String(setting.flags["train-size"] / FIRST_BATCH),
        String(own.seeds.length),
        rival.method,
        formatPercent(rival.accuracy.mean),
        formatPercent(own.accuracy.mean),
        withInterval(own.accuracyGained, formatPoints),
        withInterval(own.flopsSaved, (share) => formatPercent(share, 0)),
        withInterval(own.flopsUntilTargetSaved, (share) => formatPercent(share, 0)),
        withInterval(own.averageAccuracyGained, formatPoints),
      ],
    ];
  });
  return {
    columns: [
      ...texts("setting"),
      ...figures("N / β¹", "seeds"),
      ...texts("most accurate baseline"),
      ...figures("its accuracy", "AdaSTaR's", "gained", "saved at early stop", "saved until there", "average gained"),
    ],
    rows,
  };
}

function everyBaselineTable(recorded) {
  const rows = recorded.flatMap(({ name, comparison: { methods, budget }, runs }) =>
    methods
      .filter(({ baseline, iteration }) => baseline && iteration > 0)
      .map(({ method, accuracy }) => {
        // Two methods alone: the baseline is then what all is measured against.
        const both = runs.filter((run) => run.method === METHOD || run.method === method);
        const result = compareMethods(both, { budget, target: accuracy.mean });
        const of = (whose) => result.methods.find((one) => one.method === whose);
        return [
          name,
          method,
          formatPercent(accuracy.mean),
          formatFlops(of(method).flopsUntilTarget.mean),
          formatFlops(of(METHOD).flopsUntilTarget.mean),
          withInterval(of(METHOD).flopsUntilTargetSaved, (share) => formatPercent(share, 0)),
        ];
      }),
  );
  return {
    columns: [...texts("setting", "baseline"), ...figures("its accuracy", "it needs", "AdaSTaR needs", "saved")],
    rows,
  };
}

/** The runs of a setting, as far as points.csv has them: without what they trained on. */
function readRuns(path, { methods }) {
  const [header, ...lines] = readFileSync(path, "utf8").trim().split("\n");
  const names = header.split(",");
  const rows = lines.map((line) => Object.fromEntries(line.split(",").map((value, i) => [names[i], value])));
  const runs = groupBy(rows, ({ method, seed }) => `${method} ${seed}`);
  return [...runs.values()].map((models) => ({
    method: models[0].method,
    seed: Number(models[0].seed),
    baseline: methods.find(({ method }) => method === models[0].method).baseline,
    points: models.map((model) => ({
      iteration: Number(model.iteration),
      flops: Number(model.flops),
      samplingFlops: Number(model.sampling_flops),
      unsharedFlops: Number(model.unshared_flops),
      accuracy: Number(model.accuracy),
      wrongSteps: null,
    })),
    frequencies: [],
  }));
}

function variantTable(recorded) {
  const seedsOf = (setting, method) =>
    recorded.find(({ name }) => name === setting)?.comparison.methods.find((one) => one.method === method)?.seeds;
  const rows = recorded.flatMap(({ name, setting, comparison }) => {
    const reference = setting.beside ?? name;
    const own = seedsOf(reference, METHOD);
    if (own === undefined) return [];
    const variants = comparison.methods.filter(
      ({ method, baseline }) => !baseline && (method !== METHOD || setting.beside),
    );
    return variants.map(({ method, seeds }) => {
      const pairs = seeds.flatMap((other) => {
        const match = own.find(({ seed }) => seed === other.seed);
        return match === undefined ? [] : [{ variant: other, adastar: match }];
      });
      const difference = (figure) =>
        bootstrap(pairs, (all) => mean(all.map((p) => p.variant[figure] - p.adastar[figure])));
      const both = (figure, format) =>
        ["variant", "adastar"].map((of) => format(mean(pairs.map((pair) => pair[of][figure])))).join(" / ");
      return [
        setting.beside === undefined ? name : `${reference}, ${name}`,
        setting.beside === undefined ? method : `${method} ${changesOf(setting, recorded)}`,
        String(pairs.length),
        withInterval(difference("accuracy"), formatPoints),
        withInterval(difference("averageAccuracy"), formatPoints),
        both("trainingFrequencySd", (value) => formatFixed(value, 2)),
        both("repeated", (value) => formatPercent(value, 0)),
      ];
    });
  });
  return {
    columns: [
      ...texts("setting", "variant"),
      ...figures("seeds", "accuracy", "average", "SD of training frequency", "again the next iteration"),
    ],
    rows,
  };
}

/** The flags in which a setting differs from the one it is measured beside. */
function changesOf(setting, recorded) {
  const reference = recorded.find(({ name }) => name === setting.beside).setting.flags;
  return Object.entries(setting.flags)
    .filter(([flag, value]) => flag !== "methods" && reference[flag] !== value)
    .map(([flag, value]) => `--${flag} ${value}`)
    .join(" ");
}

function texts(...headers) {
  return headers.map((header) => ({ header }));
}

function figures(...headers) {
  return headers.map((header) => ({ header, align: "right" }));
}

function withInterval(estimate, format) {
  if (estimate === null) return "–";
  const { mean: value, low, high } = estimate;
  // JSON has null for an interval that does not exist.
  return Number.isFinite(low) ? `${format(value)} (${format(low)} to ${format(high)})` : format(value);
}
