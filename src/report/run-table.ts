/** The tables that close a run: one row an iteration, then what came out of it. */

import type { IterationRecord, RunSummary } from "../run/events.js";
import {
  ABSENT,
  formatCount,
  formatDuration,
  formatFixed,
  formatFlops,
  formatParameters,
  formatPercent,
  formatPoints,
} from "./format.js";
import type { Column, Table } from "./tables.js";

interface IterationColumn extends Column {
  readonly cell: (record: IterationRecord) => string;
  /** The base model's cell, in the row before the first iteration. */
  readonly base?: (testAccuracy: number) => string;
}

const ITERATION_COLUMNS: readonly IterationColumn[] = [
  { header: "iteration", shortHeader: "iter", align: "right", cell: (r) => String(r.iteration), base: () => "base" },
  { header: "m", align: "right", cell: (r) => formatCount(r.visited) },
  { header: "α", align: "right", cell: (r) => formatFixed(r.alpha, 3) },
  { header: "popped", align: "right", cell: (r) => formatCount(r.popped) },
  { header: "|D₊|", align: "right", cell: (r) => formatCount(r.kept) },
  { header: "train loss", shortHeader: "loss", align: "right", cell: (r) => formatFixed(r.loss, 4) },
  {
    header: "test accuracy",
    shortHeader: "test",
    align: "right",
    cell: (r) => formatPercent(r.testAccuracy),
    base: (testAccuracy) => formatPercent(testAccuracy),
  },
  { header: "FLOPs", align: "right", cell: (r) => formatFlops(r.flops.total) },
];

const EVER_VISITED: IterationColumn = {
  header: "ever visited",
  shortHeader: "ever m",
  align: "right",
  cell: (r) => (r.everVisited === undefined ? ABSENT : formatCount(r.everVisited)),
};

const WRONG_STEPS: IterationColumn = {
  header: "wrong steps",
  shortHeader: "wrong",
  align: "right",
  cell: (r) => formatPercent(r.wrongSteps),
};

/**
 * One row an iteration, the base model first where its accuracy is known. How many observations were ever visited is
 * shown where it was recorded, the share of D₊ with a wrong step where the task can check steps.
 */
export function iterationTable(records: readonly IterationRecord[], baseAccuracy: number | null): Table {
  const checksSteps = records.some((record) => record.wrongSteps !== null);
  const recordsVisits = records.some((record) => record.everVisited !== undefined);
  const columns = [
    ...ITERATION_COLUMNS.slice(0, 2),
    ...(recordsVisits ? [EVER_VISITED] : []),
    ...ITERATION_COLUMNS.slice(2),
    ...(checksSteps ? [WRONG_STEPS] : []),
  ];
  const base = baseAccuracy === null ? [] : [columns.map((column) => column.base?.(baseAccuracy) ?? ABSENT)];
  return { columns, rows: [...base, ...records.map((record) => columns.map((column) => column.cell(record)))] };
}

/** Label and value pairs of a run's outcome. */
export function summaryPairs(summary: RunSummary): (readonly [label: string, value: string])[] {
  const gain = summary.bestAccuracy - summary.baseAccuracy;
  const points = `${formatPoints(gain)} points`;
  return [
    ["base accuracy", formatPercent(summary.baseAccuracy)],
    [
      "best accuracy",
      summary.bestIteration === 0
        ? `${formatPercent(summary.bestAccuracy)} (the base model)`
        : `${formatPercent(summary.bestAccuracy)} (iteration ${summary.bestIteration}, ${points})`,
    ],
    ...visitedPairs(summary),
    [
      "training cost",
      `${formatFlops(summary.flops.total)} (sampling ${formatFlops(summary.flops.sampling)}, training ${formatFlops(summary.flops.training)})`,
    ],
    ["time", formatDuration(summary.seconds)],
    ["run directory", summary.runDir],
    ["best model", summary.bestCheckpoint ?? "not kept (--keep-checkpoints best keeps it)"],
    ...(summary.bestCheckpoint === summary.checkpoint ? [] : [["last model", summary.checkpoint] as const]),
  ];
}

/** Nothing for runs that did not record it. */
function visitedPairs({ everVisited, observations }: RunSummary): (readonly [label: string, value: string])[] {
  if (everVisited === undefined || observations === undefined) return [];
  return [["ever visited", `${formatCount(everVisited)} of ${formatCount(observations)} observations`]];
}

/** How a model is named in headings: `smollm2 (135M parameters)`. */
export function modelLabel(model: { readonly name: string; readonly parameters: number }): string {
  return `${model.name} (${formatParameters(model.parameters)} parameters)`;
}
