/** The charts of one run, from its iterations. */

import type { IterationRecord } from "../../run/events.js";
import { formatCount, formatDuration, formatFixed, formatFlops, formatPercent, formatRate } from "../format.js";
import type { Axis, BarFigure, Figure, FigurePoint, HeatFigure, LineFigure } from "./figure.js";

export type Against = "flops" | "iteration" | "time";

const percent = (value: number) => formatPercent(value, 0);
const ITERATION: Axis = { label: "Iteration", format: formatCount, whole: true };
const X_AXES: Readonly<Record<Against, Axis>> = {
  flops: { label: "Training FLOPs", format: formatFlops, from: 0 },
  iteration: { ...ITERATION, from: 0 },
  time: { label: "Time since the start", format: formatDuration, from: 0 },
};

interface Test {
  readonly accuracy: number;
  readonly interval: { readonly low: number; readonly high: number } | null;
}

/** Test accuracy after each iteration, and of the base model where it is known. */
export function accuracyFigure(
  records: readonly IterationRecord[],
  base: Test | null,
  intervals: readonly Test["interval"][],
  against: Against,
): LineFigure {
  let seconds = 0;
  const points: FigurePoint[] = records.map((record, i) => {
    seconds += record.seconds.visit + record.seconds.train + record.seconds.evaluate;
    const x = { flops: record.cumulativeFlops.total, iteration: record.iteration, time: seconds }[against];
    return { x, y: record.testAccuracy, low: intervals[i]?.low ?? null, high: intervals[i]?.high ?? null };
  });
  const first = base === null ? [] : [{ x: 0, y: base.accuracy, ...(base.interval ?? {}) }];
  return {
    kind: "lines",
    title: "Test accuracy",
    x: X_AXES[against],
    y: { label: "Accuracy, 95 % interval", format: percent },
    series: [{ name: "Test accuracy", points: [...first, ...points] }],
  };
}

/** How the curriculum, sampling and training went, iteration by iteration. */
export function iterationFigures(records: readonly IterationRecord[]): readonly Figure[] {
  const over = (figure: (record: IterationRecord) => number | null): FigurePoint[] =>
    records.flatMap((record) => {
      const y = figure(record);
      return y === null || !Number.isFinite(y) ? [] : [{ x: record.iteration, y }];
    });
  const line = (title: string, y: Axis, series: LineFigure["series"]): LineFigure => ({
    kind: "lines",
    title,
    x: ITERATION,
    y,
    series: series.filter(({ points }) => points.length > 0),
  });
  const figures = [
    line("Solved share α", { label: "α = solved / visited", format: percent, from: 0, to: 1 }, [
      { name: "α", points: over(({ alpha }) => alpha) },
    ]),
    line("The curriculum's gate", { label: "Observations", format: formatCount, from: 0 }, [
      { name: "Visited (m)", points: over(({ visited }) => visited) },
      { name: "Updated (popped)", points: over(({ popped }) => popped) },
      { name: "Held back", points: over(({ visited, popped }) => visited - popped), dashed: true },
    ]),
    line("Target βᵗ and samples kept", { label: "Samples", format: formatCount, from: 0 }, [
      { name: "Kept |D₊|", points: over(({ kept }) => kept) },
      { name: "Target βᵗ", points: over(({ target }) => target), dashed: true },
    ]),
    line("Tokens a second", { label: "Tokens / s", format: formatRate, from: 0 }, [
      { name: "Sampling", points: over(({ sampledTokens, seconds }) => sampledTokens / seconds.visit) },
      { name: "Training", points: over(({ trainedTokens, seconds }) => trainedTokens / seconds.train) },
    ]),
    line("Wasted speculation", { label: "Share of sampling FLOPs", format: (v) => formatPercent(v), from: 0 }, [
      { name: "Wasted", points: over(({ flops }) => flops.wasted / flops.sampling) },
    ]),
    line("Right answers after wrong steps", { label: "Share of D₊", format: (v) => formatPercent(v), from: 0 }, [
      { name: "Wrong steps", points: over(({ wrongSteps }) => wrongSteps) },
    ]),
  ];
  return [...figures.filter(({ series }) => series.length > 0), flopsFigure(records)];
}

function flopsFigure(records: readonly IterationRecord[]): BarFigure {
  const parts = {
    "Worked examples": ({ sharedPrefix }) => sharedPrefix,
    Questions: ({ prompt }) => prompt,
    Generation: ({ generation }) => generation,
    Training: ({ training }) => training,
  } satisfies Readonly<Record<string, (flops: IterationRecord["flops"]) => number>>;
  return {
    kind: "bars",
    title: "Training FLOPs by purpose",
    x: { label: "Iteration" },
    y: { label: "FLOPs", format: formatFlops },
    categories: records.map(({ iteration }) => String(iteration)),
    series: Object.entries(parts).map(([name, part]) => ({ name, values: records.map(({ flops }) => part(flops)) })),
  };
}

interface Step {
  readonly step: number;
  readonly loss: number;
  readonly lossLow: number;
  readonly lossHigh: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
}

/** Loss, learning rate and gradient norm over optimizer steps. */
export function stepFigures(bins: readonly Step[]): readonly LineFigure[] {
  const x: Axis = { label: "Optimizer step", format: formatCount, whole: true };
  const scientific = (value: number) => (value === 0 ? "0" : value.toExponential(1));
  const over = (figure: (bin: Step) => number) => bins.map((bin) => ({ x: bin.step, y: figure(bin) }));
  const losses = bins.map(({ step, loss, lossLow, lossHigh }) => ({ x: step, y: loss, low: lossLow, high: lossHigh }));
  return [
    {
      kind: "lines",
      title: "Loss",
      x,
      y: { label: "Nats a token", format: (value) => formatFixed(value, 2) },
      series: [{ name: "Loss (mean, range)", points: losses }],
    },
    {
      kind: "lines",
      title: "Learning rate",
      x,
      y: { label: "Learning rate", format: scientific, from: 0 },
      series: [{ name: "Learning rate", points: over(({ learningRate }) => learningRate) }],
    },
    {
      kind: "lines",
      title: "Gradient norm",
      x,
      y: { label: "L2 norm before clipping", format: formatRate, from: 0 },
      series: [{ name: "Gradient norm", points: over(({ gradientNorm }) => gradientNorm) }],
    },
  ];
}

/** How many observations were trained on how often (AdaSTaR, Figure 3a). */
export function frequencyFigure(frequencies: {
  readonly histogram: readonly number[];
  readonly width: number;
  readonly mean: number;
  readonly deviation: number;
}): BarFigure {
  const { histogram, width, mean, deviation } = frequencies;
  return {
    kind: "bars",
    title: "Training frequency",
    note: `mean ${formatFixed(mean, 2)}, standard deviation ${formatFixed(deviation, 2)}`,
    x: { label: "Times trained on" },
    y: { label: "Observations", format: formatCount },
    categories: histogram.map((_, i) => (width === 1 ? String(i) : `${i * width}–${(i + 1) * width - 1}`)),
    series: [{ name: "Observations", values: histogram }],
  };
}

/** How evenly observations are visited: by iteration, how many were visited how often so far. */
export function visitFigure(visits: readonly (readonly number[])[]): HeatFigure {
  const rows = Math.max(0, ...visits.map(({ length }) => length));
  return {
    kind: "heat",
    title: "Visits so far",
    x: { label: "Iteration" },
    y: { label: "Times visited" },
    columns: visits.map((_, i) => String(i + 1)),
    rows: Array.from({ length: rows }, (_, i) => (i === rows - 1 ? `${i}+` : String(i))),
    cells: visits.flatMap((counts, column) => counts.map((count, row) => ({ column, row, count }))),
    countLabel: "Observations",
    format: formatCount,
  };
}

/**
 * The queue: observations over the iteration they were last updated in and their win rate then (the paper's appendix).
 */
export function queueFigure(queue: {
  readonly iteration: number;
  readonly iterations: number;
  readonly rates: number;
  readonly cells: readonly (readonly [number, number, number])[];
  readonly never: number;
}): HeatFigure {
  const { iteration, iterations, rates, cells, never } = queue;
  const fresh = never > 0 ? [{ column: 0, row: 0, count: never }] : [];
  return {
    kind: "heat",
    title: `The queue after iteration ${iteration}`,
    x: { label: "Last updated in iteration t̃ (0: never)" },
    y: { label: "Win rate w̃ then" },
    columns: Array.from({ length: iterations + 1 }, (_, i) => String(i)),
    rows: Array.from({ length: rates }, (_, i) => percent(i / (rates - 1))),
    cells: [...fresh, ...cells.map(([column, row, count]) => ({ column, row, count }))],
    countLabel: "Observations",
    format: formatCount,
  };
}
