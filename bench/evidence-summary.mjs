/** The settings of the study side by side, from the figures that `evidence.mjs --record` keeps: docs/evidence/summary.md. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { formatFixed, formatFlops, formatPercent, formatPoints } from "../dist/report/format.js";
import { bootstrap, mean } from "../dist/report/statistics.js";
import { renderMarkdown } from "../dist/report/tables.js";

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
    const models = readModels(join(folder, name, "points.csv"));
    return [{ name, setting, comparison: JSON.parse(readFileSync(path, "utf8")), models }];
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
      { header: "setting" },
      { header: "N / β¹", align: "right" },
      { header: "seeds", align: "right" },
      { header: "most accurate baseline" },
      { header: "its accuracy", align: "right" },
      { header: "AdaSTaR's", align: "right" },
      { header: "gained", align: "right" },
      { header: "saved at early stop", align: "right" },
      { header: "saved until there", align: "right" },
      { header: "average gained", align: "right" },
    ],
    rows,
  };
}

function everyBaselineTable(recorded) {
  const rows = recorded.flatMap(({ name, comparison: { methods, budget }, models }) => {
    const own = methods.find(({ method }) => method === METHOD);
    const baselines = methods.filter(({ baseline, iteration }) => baseline && iteration > 0);
    return baselines.map(({ method, accuracy, seeds }) => {
      const spent = (whose, seed) =>
        models.find(
          (model) =>
            model.method === whose && model.seed === seed && model.accuracy >= accuracy.mean && model.flops <= budget,
        )?.flops ?? budget;
      const pairs = seeds
        .filter(({ seed }) => own.seeds.some((other) => other.seed === seed))
        .map(({ seed }) => ({ theirs: spent(method, seed), own: spent(METHOD, seed) }));
      const total = (all, whose) => mean(all.map((pair) => pair[whose]));
      return [
        name,
        method,
        formatPercent(accuracy.mean),
        formatFlops(total(pairs, "theirs")),
        formatFlops(total(pairs, "own")),
        withInterval(
          bootstrap(pairs, (all) => 1 - total(all, "own") / total(all, "theirs")),
          (share) => formatPercent(share, 0),
        ),
      ];
    });
  });
  return {
    columns: [
      { header: "setting" },
      { header: "baseline" },
      { header: "its accuracy", align: "right" },
      { header: "it needs", align: "right" },
      { header: "AdaSTaR needs", align: "right" },
      { header: "saved", align: "right" },
    ],
    rows,
  };
}

/** Every model of every run, as points.csv has them. */
function readModels(path) {
  const [header, ...lines] = readFileSync(path, "utf8").trim().split("\n");
  const names = header.split(",");
  return lines.map((line) => {
    const values = line.split(",");
    const text = Object.fromEntries(names.map((name, i) => [name, values[i]]));
    return { method: text.method, seed: Number(text.seed), flops: Number(text.flops), accuracy: Number(text.accuracy) };
  });
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
      { header: "setting" },
      { header: "variant" },
      { header: "seeds", align: "right" },
      { header: "accuracy", align: "right" },
      { header: "average", align: "right" },
      { header: "SD of training frequency", align: "right" },
      { header: "again the next iteration", align: "right" },
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

function withInterval(estimate, format) {
  if (estimate === null) return "–";
  const { mean: value, low, high } = estimate;
  // JSON has null for an interval that does not exist.
  return Number.isFinite(low) ? `${format(value)} (${format(low)} to ${format(high)})` : format(value);
}
