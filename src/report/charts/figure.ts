/**
 * Charts as data, drawn as SVG text by `drawFigure`: the same on a live page, in an exported file and in a report.
 * Every figure is also a table (`figureTable`), for those who read numbers or have them read out.
 */

import type { Table } from "../tables.js";

/** What numbers of an axis mean, and how they are written. */
export interface Axis {
  readonly label: string;
  readonly format: (value: number) => string;
  /** The axis includes this value. */
  readonly from?: number;
  readonly to?: number;
  /** Equal ratios are equally long; values must be above 0. */
  readonly logarithmic?: boolean;
  /** Ticks at whole numbers only. */
  readonly whole?: boolean;
}

export interface FigurePoint {
  readonly x: number;
  readonly y: number;
  /** Interval around y; absent where there is none. */
  readonly low?: number | null;
  readonly high?: number | null;
}

export interface Series {
  readonly name: string;
  readonly points: readonly FigurePoint[];
  /** A point's height holds until the next one. */
  readonly steps?: boolean;
  readonly dashed?: boolean;
  /** One of the palette's colours; by default the series' place. */
  readonly colour?: number;
}

export interface LineFigure {
  readonly kind: "lines";
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

/** Bars by category, stacked where there is more than one series. */
export interface BarFigure {
  readonly kind: "bars";
  readonly title: string;
  readonly x: Pick<Axis, "label">;
  readonly y: Axis;
  readonly categories: readonly string[];
  readonly series: readonly { readonly name: string; readonly values: readonly number[] }[];
  /** A remark under the title, such as a standard deviation. */
  readonly note?: string;
}

/** Counts by cells, dark where there are many. */
export interface HeatFigure {
  readonly kind: "heat";
  readonly title: string;
  readonly x: Pick<Axis, "label">;
  readonly y: Pick<Axis, "label">;
  /** Names of columns, left to right, and of rows, bottom to top. */
  readonly columns: readonly string[];
  readonly rows: readonly string[];
  readonly cells: readonly { readonly column: number; readonly row: number; readonly count: number }[];
  readonly countLabel: string;
  readonly format: (count: number) => string;
}

export type Figure = LineFigure | BarFigure | HeatFigure;

/** The data of a figure as a table. */
export function figureTable(figure: Figure): Table {
  switch (figure.kind) {
    case "lines":
      return lineTable(figure);
    case "bars":
      return {
        columns: [
          { header: figure.x.label },
          ...figure.series.map(({ name }) => ({ header: name, align: "right" as const })),
        ],
        rows: figure.categories.map((category, i) => [
          category,
          ...figure.series.map(({ values }) => figure.y.format(values[i])),
        ]),
      };
    case "heat":
      return {
        columns: [
          { header: figure.x.label },
          { header: figure.y.label },
          { header: figure.countLabel, align: "right" },
        ],
        rows: figure.cells.map(({ column, row, count }) => [
          figure.columns[column],
          figure.rows[row],
          figure.format(count),
        ]),
      };
  }
}

function lineTable({ series, x, y }: LineFigure): Table {
  const xs = [...new Set(series.flatMap(({ points }) => points.map((point) => point.x)))].sort((a, b) => a - b);
  const lookups = series.map(({ points }) => new Map(points.map((point) => [point.x, point])));
  return {
    columns: [{ header: x.label }, ...series.map(({ name }) => ({ header: name, align: "right" as const }))],
    rows: xs.map((at) => [x.format(at), ...lookups.map((lookup) => pointText(lookup.get(at), y))]),
  };
}

/** A value, with its interval where it has one. */
export function pointText(point: FigurePoint | undefined, { format }: Pick<Axis, "format">): string {
  if (point === undefined) return "";
  const { y, low, high } = point;
  const hasInterval = typeof low === "number" && typeof high === "number";
  return hasInterval ? `${format(y)} (${format(low)} to ${format(high)})` : format(y);
}

/** The data of a figure as CSV with plain numbers, for other programs. */
export function figureCsv(figure: Figure): string {
  const rows = csvRows(figure);
  return `${rows.map((row) => row.map(csvCell).join(",")).join("\n")}\n`;
}

function csvRows(figure: Figure): (string | number)[][] {
  switch (figure.kind) {
    case "lines":
      return [
        ["series", figure.x.label, figure.y.label, "low", "high"],
        ...figure.series.flatMap(({ name, points }) =>
          points.map(({ x, y, low, high }) => [name, x, y, low ?? "", high ?? ""]),
        ),
      ];
    case "bars":
      return [
        [figure.x.label, ...figure.series.map(({ name }) => name)],
        ...figure.categories.map((category, i) => [category, ...figure.series.map(({ values }) => values[i])]),
      ];
    case "heat":
      return [
        [figure.x.label, figure.y.label, figure.countLabel],
        ...figure.cells.map(({ column, row, count }) => [figure.columns[column], figure.rows[row], count]),
      ];
  }
}

/** A cell that begins like a formula is text, so that no spreadsheet computes what a run's name says. */
function csvCell(value: string | number): string {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
