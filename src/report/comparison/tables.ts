/** A comparison as tables. */

import type { Estimate } from "../../statistics/intervals.js";
import { ABSENT, formatFixed, formatFlops, formatPercent, formatPoints } from "../format.js";
import type { Column, Table } from "../tables.js";
import {
  type Bound,
  type Comparand,
  type Comparison,
  type GainRange,
  type MethodResult,
  pOf,
  TABLES,
} from "./compare.js";

/** Marks comparisons that stand after Holm's correction. */
const STANDS = "*";

const INTERVAL = "95 % interval";

/** The area under accuracy over FLOPs, and the last model: what no choice of the iteration has touched. */
export function wholeBudgetTable({ methods, reference, referenceIs, budgetRange }: Comparison): Table {
  return {
    columns: [
      { header: "method" },
      ...figures("average accuracy", INTERVAL, "gained", INTERVAL, movedHeader(budgetRange)),
      ...figures("last accuracy", "gained", INTERVAL, "seeds"),
    ],
    rows: methods.map((result) => [
      result.method === reference && referenceIs !== "given" ? `${reference} (${referenceIs})` : result.method,
      ...estimated(result.averageAccuracy, formatPercent),
      ...compared(result.averageAccuracyGained, formatPoints),
      rangeText(result.averageGainByBudget),
      formatPercent(result.finalAccuracy.mean),
      ...compared(result.finalAccuracyGained, formatPoints),
      seedsCell(result),
    ]),
  };
}

/**
 * FLOPs until the target accuracy. Where seeds did not reach it within the budget, figures are bounds and shown as
 * such.
 */
export function targetTable({ methods }: Comparison): Table {
  return {
    columns: [
      { header: "method" },
      ...figures("seeds that reached it", "median FLOPs", "mean FLOPs", INTERVAL, "FLOPs saved", INTERVAL),
    ],
    rows: methods.map((result) => {
      const { method, reachedTarget, seeds, flopsToTarget, flopsUntilTarget, flopsUntilTargetSaved } = result;
      const missed = reachedTarget < seeds.length;
      return [
        method,
        `${reachedTarget} of ${seeds.length}`,
        flopsToTarget === null ? "half or more did not" : formatFlops(flopsToTarget),
        ...bounded(flopsUntilTarget, formatFlops, missed ? "at least" : "exact"),
        ...savedCells(flopsUntilTargetSaved, result.targetBound),
      ];
    }),
  };
}

/** Accuracy, iteration and cost at early stop, as in the paper's main table. */
export function earlyStopTable({ methods, budgetRange }: Comparison): Table {
  const shares = methods.some(({ flops, unsharedFlops }) => unsharedFlops !== flops.mean);
  return {
    columns: [
      { header: "method" },
      ...figures("accuracy", INTERVAL, "iteration", "PFLOPs", "of it sampling"),
      ...(shares ? figures("PFLOPs unshared") : []),
      ...figures("FLOPs saved", INTERVAL, "accuracy gained", INTERVAL, movedHeader(budgetRange)),
    ],
    rows: methods.map((result) => [
      result.method,
      ...estimated(result.accuracy, formatPercent),
      formatFixed(result.iteration, 1),
      petaflops(result.flops.mean),
      formatPercent(result.samplingShare, 0),
      ...(shares ? [petaflops(result.unsharedFlops)] : []),
      ...compared(result.flopsSaved, formatPercent),
      ...compared(result.accuracyGained, formatPoints),
      rangeText(result.accuracyGainByBudget),
    ]),
  };
}

/** What a table of comparisons says of their number: none where there is only one. */
export function manyComparisonsNote({ methods }: Comparison, table: keyof typeof TABLES): string | null {
  const ps = methods.flatMap((method) => TABLES[table].map((key) => pOf(method, key)));
  const count = ps.filter((p) => !Number.isNaN(p)).length;
  if (count < 2) return null;
  return `The intervals of this table's ${count} comparisons are each taken alone. Those marked ${STANDS} stand after Holm's correction for all of them.`;
}

/** How evenly observations were trained on (AdaSTaR, Figure 3 and Table 2). */
export function frequencyTable({ methods }: Comparison): Table {
  return {
    columns: [
      { header: "method" },
      ...figures("SD of training frequency", "never trained on", "again the next iteration"),
      ...figures("least-trained quarter that stays", "most-trained quarter that stays"),
    ],
    rows: methods.map((result) => [
      result.method,
      formatFixed(result.trainingFrequencySd, 2),
      formatPercent(result.neverTrained),
      formatPercent(result.repeated),
      formatPercent(result.leastTrainedStay),
      formatPercent(result.mostTrainedStay),
    ]),
  };
}

/** Right answers after wrong steps in D₊, by iteration; null where no method's steps are checked. */
export function wrongStepsTable({ methods }: Comparison): Table | null {
  const checked = methods.filter(({ wrongSteps }) => wrongSteps.some((share) => share !== null));
  if (checked.length === 0) return null;
  const iterations = Math.max(...checked.map(({ wrongSteps }) => wrongSteps.length));
  const numbers = Array.from({ length: iterations }, (_, i) => i + 1);
  return {
    columns: [{ header: "method" }, ...figures(...numbers.map(String))],
    rows: checked.map(({ method, wrongSteps }) => [
      method,
      ...numbers.map((t) => formatPercent(wrongSteps[t - 1] ?? null)),
    ]),
  };
}

export function seedTable({ methods }: Comparison): Table {
  return {
    columns: [
      { header: "method" },
      ...figures("seed", "average accuracy", "FLOPs to the target", "best accuracy", "iteration", "FLOPs"),
    ],
    rows: methods.flatMap(({ method, seeds }) =>
      seeds.map((seed) => [
        method,
        String(seed.seed),
        formatPercent(seed.averageAccuracy),
        seed.flopsToTarget === null ? "not reached" : formatFlops(seed.flopsToTarget),
        formatPercent(seed.accuracy),
        `${seed.iteration} of ${seed.iterations}`,
        formatFlops(seed.flops),
      ]),
    ),
  };
}

/** `80–108 %` */
export function budgetRangeText([low, high]: Comparison["budgetRange"]): string {
  return `${Math.round(100 * low)}–${Math.round(100 * high)} %`;
}

function movedHeader(range: Comparison["budgetRange"]): string {
  return `budget ${budgetRangeText(range)}`;
}

function figures(...headers: readonly string[]): Column[] {
  return headers.map((header) => ({ header, align: "right" }));
}

function seedsCell({ seeds, pairs }: MethodResult): string {
  return pairs > 0 && pairs < seeds.length ? `${seeds.length}, ${pairs} in pairs` : String(seeds.length);
}

type Format = (value: number) => string;
type Cells = readonly [figure: string, interval: string];

/** A figure and its interval, where there is one. */
function estimated(estimate: Estimate | null, format: Format): Cells {
  return estimate === null ? [ABSENT, ABSENT] : bounded(estimate, format, "exact");
}

function compared(effect: Comparand | null, format: Format): Cells {
  const [figure, interval] = estimated(effect, format);
  return [effect?.stands ? figure + STANDS : figure, interval];
}

export function savedCells(saved: Comparand | null, bound: Bound): Cells {
  if (saved === null) return [ABSENT, ABSENT];
  if (bound === "open") return ["not determined", ABSENT];
  const [figure, interval] = bounded(saved, (share) => formatPercent(share), bound);
  return [saved.stands ? figure + STANDS : figure, interval];
}

/** Of a bound's interval only the side counts on which it holds. */
function bounded({ mean, low, high }: Estimate, format: Format, bound: Exclude<Bound, "open">): Cells {
  const none = Number.isNaN(low);
  switch (bound) {
    case "exact":
      return [format(mean), none ? ABSENT : `${format(low)} to ${format(high)}`];
    case "at least":
      return [`≥ ${format(mean)}`, none ? ABSENT : `≥ ${format(low)}`];
    case "at most":
      return [`≤ ${format(mean)}`, none ? ABSENT : `≤ ${format(high)}`];
  }
}

export function rangeText(range: GainRange | null): string {
  return range === null ? ABSENT : `${formatPoints(range.low)} … ${formatPoints(range.high)}`;
}

function petaflops(flops: number): string {
  return (flops / 1e15).toPrecision(3);
}
