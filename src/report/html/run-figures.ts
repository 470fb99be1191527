/** The figures of one run. */

import { populationDeviation } from "../../statistics/descriptive.js";
import { ABSENT, formatCount, formatDuration, formatFixed, formatFlops, formatPercent } from "../format.js";
import type { Table } from "../tables.js";
import { type Axes, bars, type Figure, grids, type Line, legend, lines } from "./figure.js";
import type { ReportedRun } from "./reported-run.js";

/** Every figure that the run has data for. */
export function runFigures(run: ReportedRun): Figure[] {
  if (run.records.length === 0) return [];
  return [
    alphaFigure(run),
    gateFigure(run),
    acceptanceFigure(run),
    lossFigure(run),
    flopsFigure(run),
    frequencyFigure(run),
    queueFigure(run),
  ].filter((figure) => figure !== null);
}

type Row = readonly (string | number)[];

/** A table of numbers, already in words. */
function dataTable(headers: readonly string[], rows: readonly Row[]): Table {
  return {
    columns: headers.map((header, i) => ({ header, align: i === 0 ? "left" : "right" })),
    rows: rows.map((row) => row.map(String)),
  };
}

const iterations = { label: "iteration", format: (value: number) => formatFixed(value, 0) };

function byIteration(title: string, label: string, format: (value: number) => string, include = [0]): Axes {
  return { title, x: iterations, y: { label, format, include } };
}

function alphaFigure({ records }: ReportedRun): Figure {
  const title = "α by iteration";
  return {
    title,
    note: "The share of the visited observations that the model solved. As α nears 1, the curriculum's gate opens.",
    svg: lines(
      [{ name: "α", points: records.map(({ iteration, alpha }) => ({ x: iteration, y: alpha })) }],
      byIteration(title, "α", (value) => formatFixed(value, 1), [0, 1]),
    ),
    table: dataTable(
      ["iteration", "α"],
      records.map(({ iteration, alpha }) => [iteration, formatFixed(alpha, 3)]),
    ),
  };
}

function gateFigure({ records }: ReportedRun): Figure {
  const title = "Visited observations and the curriculum's gate";
  return {
    title,
    note: "Each bar is m, the visited observations. Those that were popped got new statistics; the gate held the others back.",
    svg:
      bars(
        records.map(({ iteration, popped, visited }) => ({ x: iteration, parts: [popped, visited - popped] })),
        byIteration(title, "observations", formatCount),
      ) + legend(["popped", "held back"]),
    table: dataTable(
      ["iteration", "m", "popped", "held back"],
      records.map(({ iteration, visited, popped }) => [
        iteration,
        formatCount(visited),
        formatCount(popped),
        formatCount(visited - popped),
      ]),
    ),
  };
}

function acceptanceFigure({ records, visits }: ReportedRun): Figure | null {
  const drawn = visits.filter(({ result }) => result.draws > 0);
  if (drawn.length === 0) return null;
  const title = "Acceptance by iteration";
  const targetOf = (iteration: number) => records.find((record) => record.iteration === iteration)?.target ?? null;
  return {
    title,
    note: "The share of all samples drawn that became part of D₊. Samples beyond βᵗ count as drawn.",
    svg: lines(
      [
        {
          name: "acceptance",
          points: drawn.map(({ iteration, result }) => ({ x: iteration, y: result.kept / result.draws })),
        },
      ],
      byIteration(title, "|D₊| / samples", (share) => formatPercent(share, 0), [0, 1]),
    ),
    table: dataTable(
      ["iteration", "βᵗ", "samples", "|D₊|", "acceptance"],
      drawn.map(({ iteration, result: { draws, kept } }) => {
        const target = targetOf(iteration);
        return [
          iteration,
          target === null ? ABSENT : formatCount(target),
          formatCount(draws),
          formatCount(kept),
          formatPercent(kept / draws),
        ];
      }),
    ),
  };
}

function lossFigure({ losses }: ReportedRun): Figure | null {
  if (losses.length === 0) return null;
  const title = "Training loss by optimizer step";
  const axes: Axes = {
    title,
    x: { label: "optimizer step, from the start of the run", format: formatCount },
    y: { label: "loss, nats a token", format: (value) => value.toPrecision(2), include: [0] },
  };
  return {
    title,
    note: "The mean over the completion tokens of a step's examples. Of a long run, evenly spread steps are shown.",
    svg: lines([{ name: "loss", plain: true, points: losses.map(({ step, loss }) => ({ x: step, y: loss })) }], axes),
    table: dataTable(
      ["step", "loss"],
      losses.map(({ step, loss }) => [step, formatFixed(loss, 4)]),
    ),
  };
}

const PURPOSES = ["examples before questions", "questions", "outputs", "training"] as const;

function flopsFigure({ records }: ReportedRun): Figure {
  const title = "Training FLOPs by purpose";
  const partsOf = ({ flops }: ReportedRun["records"][number]) => [
    flops.sharedPrefix,
    flops.prompt,
    flops.generation,
    flops.training,
  ];
  return {
    title,
    note: "What each iteration spent on sampling (the first three) and on training. Tests are no training cost.",
    svg:
      bars(
        records.map((record) => ({ x: record.iteration, parts: partsOf(record) })),
        byIteration(title, "FLOPs", formatFlops),
      ) + legend(PURPOSES),
    table: dataTable(
      ["iteration", ...PURPOSES, "sum", "spent in vain"],
      records.map((record) => [
        record.iteration,
        ...partsOf(record).map(formatFlops),
        formatFlops(record.flops.total),
        formatFlops(record.flops.wasted),
      ]),
    ),
  };
}

const MAX_BINS = 24;

/** How often observations were trained on (AdaSTaR, Figure 3a). */
function frequencyFigure({ frequency }: ReportedRun): Figure | null {
  if (frequency.length === 0) return null;
  const highest = Array.from(frequency).reduce((most, times) => Math.max(most, times), 0);
  const width = Math.max(1, Math.ceil((highest + 1) / MAX_BINS));
  const counts: number[] = new Array(Math.floor(highest / width) + 1).fill(0);
  for (let i = 0; i < frequency.length; i++) counts[Math.floor(frequency[i] / width)]++;
  const rangeOf = (bin: number) => (width === 1 ? String(bin) : `${bin * width}–${(bin + 1) * width - 1}`);
  const title = "How often observations were trained on";
  const axes: Axes = {
    title,
    x: { label: "times trained on, from the start of the run", format: formatCount },
    y: { label: "observations", format: formatCount, include: [0] },
  };
  return {
    title,
    note: `Standard deviation ${formatFixed(populationDeviation(frequency), 2)} over ${formatCount(frequency.length)} observations: the lower, the more even.`,
    svg: bars(
      counts.map((count, bin) => ({ x: bin * width + (width - 1) / 2, parts: [count] })),
      axes,
      width,
    ),
    table: dataTable(
      ["times trained on", "observations"],
      counts.map((count, bin) => [rangeOf(bin), formatCount(count)]),
    ),
  };
}

const MAX_COLUMNS = 16;
/** Win rates in tenths, and those of observations that have no statistics yet below them. */
const WIN_RATES = ["none", ...Array.from({ length: 11 }, (_, i) => formatPercent(i / 10, 0))];

/** The queue over t̃ and w̃ at several iterations, as the paper's appendix draws it. */
function queueFigure({ queues }: ReportedRun): Figure | null {
  const latest = queues.at(-1)?.iteration;
  if (latest === undefined) return null;
  const width = Math.ceil((latest + 1) / MAX_COLUMNS);
  const columns = Array.from({ length: Math.floor(latest / width) + 1 }, (_, i) =>
    width === 1 ? String(i) : `${i * width}–${(i + 1) * width - 1}`,
  );
  const panels = queues.map(({ iteration, cells }) => {
    const counts = new Map<number, number>();
    for (const { lastSampled, correct, drawn, observations } of cells) {
      const row = drawn === 0 ? 0 : 1 + Math.round((10 * correct) / drawn);
      const cell = Math.floor(lastSampled / width) * WIN_RATES.length + row;
      counts.set(cell, (counts.get(cell) ?? 0) + observations);
    }
    return {
      caption: `after iteration ${iteration}`,
      cells: [...counts].map(([cell, count]) => ({
        column: Math.floor(cell / WIN_RATES.length),
        row: cell % WIN_RATES.length,
        count,
      })),
    };
  });
  const title = "The observation queue";
  return {
    title,
    note: "How many observations were last updated in iteration t̃ with win rate w̃ then. The left and the lower ones are visited first. The darker, the more.",
    svg: grids(
      panels,
      { columns, rows: WIN_RATES },
      {
        title,
        x: { label: "t̃, iteration of the last update", format: String },
        y: { label: "w̃, win rate", format: formatCount },
      },
    ),
    table: dataTable(
      ["queue", "t̃", "w̃", "observations"],
      panels.flatMap(({ caption, cells }) =>
        cells.map(({ column, row, count }) => [caption, columns[column], WIN_RATES[row], formatCount(count)]),
      ),
    ),
  };
}

/** A point of a learning curve, whichever way its cost is counted. */
export type CurveAxis = "flops" | "iteration" | "seconds";

const CURVE_AXES: Readonly<Record<CurveAxis, Axes["x"]>> = {
  flops: { label: "training FLOPs", format: formatFlops, include: [0] },
  iteration: { ...iterations, include: [0] },
  seconds: { label: "time, without pauses", format: formatDuration, include: [0] },
};

/** Test accuracy of groups of runs against one of the three costs. */
export function curveFigure(axis: CurveAxis, series: readonly Line[], note: string): Figure {
  const x = CURVE_AXES[axis];
  const title = `Test accuracy by ${x.label}`;
  return {
    title,
    note,
    svg:
      lines(series, { title, x, y: { label: "test accuracy", format: (share) => formatPercent(share, 0) } }) +
      legend(series.map(({ name }) => name)),
    table: dataTable(
      ["runs", x.label, "test accuracy", "95 % interval"],
      series.flatMap(({ name, points }) =>
        points.map(({ x: at, y, low = Number.NaN, high = Number.NaN }) => [
          name,
          x.format(at),
          formatPercent(y),
          Number.isNaN(low) ? ABSENT : `${formatPercent(low)} to ${formatPercent(high)}`,
        ]),
      ),
    ),
  };
}
