/**
 * Charts as SVG inside a page: colours and fonts come from the page's style, so they follow its light and dark theme.
 */

import { escapeMarkup, fixed, place, type Range, range, ticksOf } from "../scale.js";
import type { Table } from "../tables.js";

/** A chart with its data. Whoever cannot see the chart reads the table. */
export interface Figure {
  readonly title: string;
  /** What is shown and how to read it, in a sentence. */
  readonly note: string;
  readonly svg: string;
  readonly table: Table;
}

interface Axis {
  readonly label: string;
  readonly format: (value: number) => string;
  /** Values that the axis must reach. */
  readonly include?: readonly number[];
}

export interface Axes {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
}

export interface LinePoint {
  readonly x: number;
  readonly y: number;
  /** The interval around y; absent or NaN where there is none. */
  readonly low?: number;
  readonly high?: number;
}

export interface Line {
  readonly name: string;
  readonly points: readonly LinePoint[];
  /** A point's height holds until the next one. */
  readonly steps?: boolean;
  /** Without dots: for lines of many points. */
  readonly plain?: boolean;
}

const WIDTH = 640;
const HEIGHT = 300;
const PLOT = { left: 84, right: 624, top: 14, bottom: 250 } as const;
/** Series that have a colour of their own; those beyond repeat one with dashes. */
const COLOURS = 8;

/** Lines, with bands for their intervals. Lines are told apart by colour and, in the legend, by name. */
export function lines(series: readonly Line[], axes: Axes): string {
  const points = series.flatMap((one) => one.points);
  const { x, y, frame } = framed(
    axes,
    points.map((point) => point.x),
    points.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y]),
  );
  const drawn = series.map((line, i) => {
    const path = (height: (point: LinePoint) => number) =>
      line.points.flatMap((point, j): string[] => {
        const here = `${fixed(x(point.x))},${fixed(y(height(point)))}`;
        const before =
          line.steps === true && j > 0 ? [`${fixed(x(point.x))},${fixed(y(height(line.points[j - 1])))}`] : [];
        return [...before, here];
      });
    const banded =
      line.points.length > 1 && line.points.every(({ low = Number.NaN, high = Number.NaN }) => low <= high);
    const band = banded
      ? `<polygon class="band f${i % COLOURS}" points="${[...path((p) => p.high ?? p.y), ...path((p) => p.low ?? p.y).reverse()].join(" ")}"/>`
      : "";
    const dots =
      line.plain === true ? "" : line.points.map((point) => dot(line.name, point, i, axes, { x, y })).join("");
    return `${band}<polyline class="line s${i % COLOURS}${i < COLOURS ? "" : " dashed"}" points="${path((p) => p.y).join(" ")}"/>${dots}`;
  });
  return figure(axes, frame + drawn.join("\n"));
}

function dot(
  name: string,
  point: LinePoint,
  series: number,
  axes: Axes,
  { x, y }: { readonly x: (value: number) => number; readonly y: (value: number) => number },
): string {
  const words = `${name}: ${axes.y.format(point.y)} at ${axes.x.format(point.x)}`;
  return `<circle class="f${series % COLOURS}" cx="${fixed(x(point.x))}" cy="${fixed(y(point.y))}" r="3"><title>${escapeMarkup(words)}</title></circle>`;
}

export interface Bar {
  readonly x: number;
  /** Parts from below; each has the colour of its place. */
  readonly parts: readonly number[];
}

/** Bars of one or several parts, over whole numbers `x`. @param width of a bar, in x */
export function bars(all: readonly Bar[], axes: Axes, width = 1): string {
  const totals = all.map(({ parts }) => parts.reduce((total, part) => total + part, 0));
  const xs = all.flatMap((bar) => [bar.x - width / 2, bar.x + width / 2]);
  const { x, y, frame } = framed(axes, xs, [0, ...totals]);
  const drawn = all.map(({ x: at, parts }) => {
    let below = 0;
    const left = x(at - 0.42 * width);
    const wide = Math.max(0.5, x(at + 0.42 * width) - left);
    return parts
      .map((part, i) => {
        const top = y(below + part);
        const height = y(below) - top;
        below += part;
        const words = `${axes.x.format(at)}: ${axes.y.format(part)}`;
        return height <= 0
          ? ""
          : `<rect class="f${i % COLOURS}" x="${fixed(left)}" y="${fixed(top)}" width="${fixed(wide)}" height="${fixed(height)}"><title>${escapeMarkup(words)}</title></rect>`;
      })
      .join("");
  });
  return figure(axes, frame + drawn.join("\n"));
}

interface Cell {
  readonly column: number;
  readonly row: number;
  readonly count: number;
}

export interface Grid {
  readonly caption: string;
  readonly cells: readonly Cell[];
}

const PANEL = { width: 212, height: 148, left: 56, top: 20, right: 204, bottom: 112 } as const;
const PANELS_A_ROW = 3;

/** Heat maps side by side on one scale: the darker a cell, the more there are (by square root, so that few show). */
export function grids(
  panels: readonly Grid[],
  size: { readonly columns: readonly string[]; readonly rows: readonly string[] },
  axes: Axes,
): string {
  const most = panels.reduce((peak, { cells }) => cells.reduce((top, { count }) => Math.max(top, count), peak), 1);
  const across = (PANEL.right - PANEL.left) / size.columns.length;
  const up = (PANEL.bottom - PANEL.top) / size.rows.length;
  const ends = (labels: readonly string[]) => [...new Set([0, labels.length - 1])].filter((i) => i >= 0);
  const drawn = panels.map(({ caption, cells }, i) => {
    const at = `${(i % PANELS_A_ROW) * PANEL.width} ${Math.floor(i / PANELS_A_ROW) * PANEL.height}`;
    const rects = cells.map(({ column, row, count }) => {
      const words = `${axes.x.label} ${size.columns[column]}, ${axes.y.label} ${size.rows[row]}: ${axes.y.format(count)}`;
      return `<rect class="f0" x="${fixed(PANEL.left + column * across)}" y="${fixed(PANEL.bottom - (row + 1) * up)}" width="${fixed(across)}" height="${fixed(up)}" opacity="${(0.08 + 0.92 * Math.sqrt(count / most)).toFixed(2)}"><title>${escapeMarkup(words)}</title></rect>`;
    });
    return `<g transform="translate(${at})"><text class="panel" x="${PANEL.left}" y="14">${escapeMarkup(caption)}</text>
<rect class="frame" x="${PANEL.left}" y="${PANEL.top}" width="${PANEL.right - PANEL.left}" height="${PANEL.bottom - PANEL.top}"/>
${rects.join("")}
${ends(size.columns)
  .map((c) => text(PANEL.left + (c + 0.5) * across, PANEL.bottom + 14, size.columns[c], "middle"))
  .join("")}${ends(size.rows)
  .map((r) => text(PANEL.left - 5, PANEL.bottom - (r + 0.5) * up + 4, size.rows[r], "end"))
  .join("")}</g>`;
  });
  const rows = Math.ceil(panels.length / PANELS_A_ROW);
  const wide = PANELS_A_ROW * PANEL.width;
  const labels =
    text(wide / 2, rows * PANEL.height + 2, axes.x.label, "middle", "axis") +
    `<text class="axis" text-anchor="middle" transform="translate(9 ${(rows * PANEL.height) / 2}) rotate(-90)">${escapeMarkup(axes.y.label)}</text>`;
  return figure(axes, drawn.join("\n") + labels, { width: wide, height: rows * PANEL.height + 10 });
}

/** The names of series beside their colours, as a list below a chart. */
export function legend(names: readonly string[]): string {
  const items = names.map((name, i) => `<li><span class="key b${i % COLOURS}"></span>${escapeMarkup(name)}</li>`);
  return `<ul class="legend">${items.join("")}</ul>`;
}

function framed(axes: Axes, xValues: readonly number[], yValues: readonly number[]) {
  const xs = range([...xValues, ...(axes.x.include ?? [])]);
  const ys = range([...yValues, ...(axes.y.include ?? [])]);
  const x = (value: number) => place(value, xs, PLOT.left, PLOT.right);
  const y = (value: number) => place(value, ys, PLOT.bottom, PLOT.top);
  const horizontal = shownTicks(ys, axes.y).map((value) => {
    const height = fixed(y(value));
    const line = `<line class="grid" x1="${PLOT.left}" y1="${height}" x2="${PLOT.right}" y2="${height}"/>`;
    return line + text(PLOT.left - 8, y(value) + 4, axes.y.format(value), "end");
  });
  const vertical = shownTicks(xs, axes.x).map((value) =>
    text(x(value), PLOT.bottom + 18, axes.x.format(value), "middle"),
  );
  const labels =
    text((PLOT.left + PLOT.right) / 2, PLOT.bottom + 40, axes.x.label, "middle", "axis") +
    `<text class="axis" text-anchor="middle" transform="translate(12 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)">${escapeMarkup(axes.y.label)}</text>`;
  return { x, y, frame: `${horizontal.join("")}${vertical.join("")}${labels}\n` };
}

/** Ticks whose text is not that of the one before: two thirds of an iteration would both read as 1. */
function shownTicks(values: Range, { format }: Axis): number[] {
  const ticks = ticksOf(values);
  return ticks.filter((value, i) => i === 0 || format(value) !== format(ticks[i - 1]));
}

function text(x: number, y: number, words: string, anchor: "start" | "middle" | "end", kind = "tick"): string {
  return `<text class="${kind}" x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}">${escapeMarkup(words)}</text>`;
}

function figure({ title }: Axes, content: string, { width, height } = { width: WIDTH, height: HEIGHT }): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeMarkup(title)}">\n${content}\n</svg>`;
}
