/** The recorded settings of the study side by side: docs/evidence/summary.md. */

import { compareMethods, pOf } from "../dist/report/comparison/compare.js";
import { sharedIterations, sharedIterationsText } from "../dist/report/comparison/shared-iterations.js";
import { budgetRangeText, savedCells } from "../dist/report/comparison/tables.js";
import { formatFixed, formatFlops, formatPercent, formatPoints } from "../dist/report/format.js";
import { renderMarkdown } from "../dist/report/tables.js";
import { mean } from "../dist/statistics/descriptive.js";
import { holm } from "../dist/statistics/holm.js";
import { meanEffect } from "../dist/statistics/intervals.js";

const METHOD = "adastar";
/** β¹ = 8 · 40 */
const FIRST_BATCH = 320;

/** @param recorded settings as `recordedSettings` gives them */
export function summaryPage(recorded) {
  return [
    "# Summary",
    "Made by `node bench/evidence.mjs --recompute` from `points.csv` in the folders beside this page. Intervals are 95 % intervals over seeds (Student's t, widened towards the longer tail), paired by seed where two methods are compared, each taken alone. Figures marked * stand after Holm's correction for all comparisons of their table. Differences of accuracy are in percentage points. The [summary as it was](summary-bootstrap.md), with bootstrap intervals that were too narrow, is kept for comparison.",
    "## AdaSTaR beside the most accurate baseline",
    "Baselines visit every observation in every iteration; the most accurate of a setting is the one with the best mean accuracy at early stop. _Average gained_ is the difference of the areas under accuracy over FLOPs, divided by the budget. _Saved_ compares the FLOPs until the baseline's mean accuracy at early stop; where seeds did not reach it within the budget it is a bound, and it is not determined where both methods have such seeds. _Moved_ has the least and the greatest difference while the budget moves from 80 % to as far as every run of the setting went.",
    renderMarkdown(baselineTable(recorded)),
    "## What AdaSTaR needs for the accuracy of each baseline",
    "The same saving for the mean accuracy at early stop of every baseline that training improved. _Reached_: seeds of the baseline, then of AdaSTaR, that reached it within the budget.",
    renderMarkdown(everyBaselineTable(recorded)),
    "## AdaSTaR with other orders and parts",
    "Each variant less AdaSTaR, on the seeds that both have: average accuracy over the budget, and accuracy at early stop. The last two columns have the variant's figure and AdaSTaR's: the standard deviation of how often an observation was trained on, and how many of those that an iteration trained on the one before had trained on as well.",
    renderMarkdown(variantTable(recorded)),
    "## Runs of different settings that begin alike",
    "AdaSTaR's queue began in the file's order, and the data of a smaller N are the first part of those of a larger N. So the following runs are the same up to the iteration named, and the settings are not independent of each other. Within a setting, each report names the runs that begin alike.",
    sharedList(recorded),
    "",
  ].join("\n\n");
}

function baselineTable(recorded) {
  const entries = recorded.flatMap((one) => {
    const { comparison } = one;
    const own = comparison.methods.find(({ method }) => method === METHOD);
    const rival = comparison.methods.find(({ method }) => method === comparison.reference);
    return own === undefined || rival === undefined || own === rival ? [] : [{ ...one, own, rival }];
  });
  const keys = ["averageAccuracyGained", "flopsUntilTargetSaved", "accuracyGained"];
  const marked = withMarks(
    entries.flatMap(({ own }) => keys.map((key) => own[key])),
    entries.flatMap(({ own }) => keys.map((key) => pOf(own, key))),
  );
  return {
    columns: [
      ...texts("setting"),
      ...figures("N / β¹", "seeds"),
      ...texts("most accurate baseline"),
      ...figures("average gained", "moved", "its accuracy", "reached", "AdaSTaR reached", "saved"),
      ...figures("AdaSTaR's accuracy", "gained", "moved", "budget moved"),
    ],
    rows: entries.map(({ name, setting, comparison, own, rival }, i) => [
      `[${name}](${name}/report.md)`,
      setting.flags["train-size"] === undefined ? "–" : String(setting.flags["train-size"] / FIRST_BATCH),
      String(own.seeds.length),
      rival.method,
      withInterval(marked[3 * i], formatPoints),
      range(own.averageGainByBudget),
      formatPercent(rival.accuracy.mean),
      `${rival.reachedTarget} of ${rival.seeds.length}`,
      `${own.reachedTarget} of ${own.seeds.length}`,
      saved(marked[3 * i + 1], own.targetBound),
      formatPercent(own.accuracy.mean),
      withInterval(marked[3 * i + 2], formatPoints),
      range(own.accuracyGainByBudget),
      budgetRangeText(comparison.budgetRange),
    ]),
  };
}

function everyBaselineTable(recorded) {
  const entries = recorded.flatMap(({ name, comparison: { methods, budget }, runs }) =>
    methods
      .filter(
        ({ baseline, iteration, method }) =>
          baseline && iteration > 0 && runs.some((run) => run.method === METHOD) && method !== METHOD,
      )
      .map(({ method, accuracy }) => {
        // Two methods alone: the baseline is then what AdaSTaR is compared with.
        const both = runs.filter((run) => run.method === METHOD || run.method === method);
        const result = compareMethods(both, { budget, target: accuracy.mean });
        const of = (whose) => result.methods.find((one) => one.method === whose);
        return { name, method, accuracy, rival: of(method), own: of(METHOD) };
      }),
  );
  const marked = withMarks(
    entries.map(({ own }) => own.flopsUntilTargetSaved),
    entries.map(({ own }) => pOf(own, "flopsUntilTargetSaved")),
  );
  return {
    columns: [
      ...texts("setting", "baseline"),
      ...figures("its accuracy", "reached", "it needs", "AdaSTaR needs", "saved"),
    ],
    rows: entries.map(({ name, method, accuracy, rival, own }, i) => [
      name,
      method,
      formatPercent(accuracy.mean),
      `${rival.reachedTarget}, ${own.reachedTarget} of ${own.seeds.length}`,
      needed(rival),
      needed(own),
      saved(marked[i], own.targetBound),
    ]),
  };
}

function needed({ flopsUntilTarget, reachedTarget, seeds }) {
  return `${reachedTarget < seeds.length ? "≥ " : ""}${formatFlops(flopsUntilTarget.mean)}`;
}

function variantTable(recorded) {
  const seedsOf = (setting, method) =>
    recorded.find(({ name }) => name === setting)?.comparison.methods.find((one) => one.method === method)?.seeds;
  const entries = recorded.flatMap(({ name, setting, comparison }) => {
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
      return {
        label: setting.beside === undefined ? name : `${reference}, ${name}`,
        variant: setting.beside === undefined ? method : `${method} ${changesOf(setting, recorded)}`,
        pairs,
        effects: ["averageAccuracy", "accuracy"].map((figure) =>
          meanEffect(pairs.map((pair) => pair.variant[figure] - pair.adastar[figure])),
        ),
      };
    });
  });
  const marked = withMarks(entries.flatMap(({ effects }) => effects));
  const both = (pairs, figure, format) =>
    ["variant", "adastar"].map((of) => format(mean(pairs.map((pair) => pair[of][figure])))).join(" / ");
  return {
    columns: [
      ...texts("setting", "variant"),
      ...figures("seeds", "average", "accuracy", "SD of training frequency", "again the next iteration"),
    ],
    rows: entries.map(({ label, variant, pairs }, i) => [
      label,
      variant,
      String(pairs.length),
      withInterval(marked[2 * i], formatPoints),
      withInterval(marked[2 * i + 1], formatPoints),
      both(pairs, "trainingFrequencySd", (value) => formatFixed(value, 2)),
      both(pairs, "repeated", (value) => formatPercent(value, 0)),
    ]),
  };
}

function sharedList(recorded) {
  const named = recorded.flatMap(({ name, runs }) => runs.map((run) => ({ name: `${name}: ${run.method}`, run })));
  return sharedIterations(named)
    .filter(
      ({ one, other }) => one.split(": ")[0] !== other.split(": ")[0] && one.split(": ")[1] === other.split(": ")[1],
    )
    .map((pair) => `- ${sharedIterationsText(pair)}`)
    .join("\n");
}

/** The flags in which a setting differs from the one it is measured beside. */
function changesOf(setting, recorded) {
  const reference = recorded.find(({ name }) => name === setting.beside).setting.flags;
  return Object.entries(setting.flags)
    .filter(([flag, value]) => flag !== "methods" && reference[flag] !== value)
    .map(([flag, value]) => `--${flag} ${value}`)
    .join(" ");
}

/** Effects of one table, with those that stand after Holm's correction for all of them marked. */
function withMarks(effects, ps = effects.map((effect) => effect?.p ?? Number.NaN)) {
  const stands = holm(ps);
  return effects.map((effect, i) => (effect === null ? null : { ...effect, stands: stands[i] }));
}

function texts(...headers) {
  return headers.map((header) => ({ header }));
}

function figures(...headers) {
  return headers.map((header) => ({ header, align: "right" }));
}

function withInterval(effect, format) {
  if (effect === null) return "–";
  const { mean: value, low, high, stands } = effect;
  const figure = `${format(value)}${stands ? "*" : ""}`;
  return Number.isFinite(low) ? `${figure} (${format(low)} to ${format(high)})` : figure;
}

function saved(effect, bound) {
  const [figure, interval] = savedCells(effect, bound);
  return interval === "–" ? figure : `${figure} (${interval})`;
}

function range({ low, high }) {
  return `${formatPoints(low)} … ${formatPoints(high)}`;
}
