/** Figures as SVG text. All text in them is escaped; nothing in them loads or runs anything. */

import type { BarFigure, Figure, HeatFigure, LineFigure, Series } from "./figure.js";
import { type Scale, scaleOf } from "./scale.js";

export interface Palette {
  readonly ink: string;
  readonly muted: string;
  readonly grid: string;
  readonly surface: string;
  /** Of series. Okabe and Ito's colours can be told apart by most people with colour blindness. */
  readonly series: readonly string[];
  /** From few to many: lightness alone tells them apart. */
  readonly heat: readonly string[];
}

export const LIGHT: Palette = {
  ink: "#1b1f24",
  muted: "#5b6470",
  grid: "#e3e6ea",
  surface: "#ffffff",
  series: ["#0072b2", "#c2540a", "#00795a", "#b0508a", "#8a6d00", "#3d8fc4", "#6b4fb3", "#555555"],
  heat: ["#e8f1f8", "#bcd9ec", "#86bbdd", "#4f9ac9", "#2477ad", "#0b5688", "#053a60"],
};

export const DARK: Palette = {
  ink: "#e8eaed",
  muted: "#9aa3ae",
  grid: "#2b3138",
  surface: "#14181d",
  series: ["#56b4e9", "#f0914c", "#34c9a0", "#e08fc0", "#e0c040", "#8ecbf0", "#b39cf0", "#b0b4ba"],
  heat: ["#16293a", "#173f5c", "#1c597f", "#2678a8", "#3f9bd0", "#78c2ea", "#c3e6fa"],
};

export interface FigureSize {
  readonly width: number;
  readonly height: number;
}

/** A drawn figure, and where its values are, for a page that answers to the pointer. */
export interface Drawing {
  readonly svg: string;
  /** Places of the figure's own x values, left to right. */
  readonly stops: readonly { readonly x: number; readonly place: number }[];
  readonly top: number;
  readonly bottom: number;
  readonly placeY: (value: number) => number;
}

interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** @param standalone a file of its own: with namespace, background, title and legend */
export function drawFigure(figure: Figure, size: FigureSize, palette: Palette, standalone = false): Drawing {
  const head = standalone ? 46 : 10;
  const frame = { left: 58, right: size.width - 14, top: head, bottom: size.height - 40 };
  const drawn = drawPlot(figure, frame, palette);
  const labels = axisLabels(figure, frame, size, palette);
  const title = standalone
    ? text(14, 20, figure.title, { fill: palette.ink, weight: 600, size: 14 }) + legend(figure, palette)
    : "";
  const background = standalone ? `<rect width="100%" height="100%" fill="${palette.surface}"/>` : "";
  const space = standalone ? ' xmlns="http://www.w3.org/2000/svg"' : "";
  const svg =
    `<svg${space} viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}" ` +
    `role="img" aria-label="${escaped(figure.title)}" font-family="system-ui, sans-serif" font-size="11">` +
    `${background}${title}${labels}${drawn.svg}</svg>`;
  return { ...drawn, svg, top: frame.top, bottom: frame.bottom };
}

type Plot = Pick<Drawing, "svg" | "stops" | "placeY">;

function drawPlot(figure: Figure, frame: Frame, palette: Palette): Plot {
  switch (figure.kind) {
    case "lines":
      return drawLines(figure, frame, palette);
    case "bars":
      return drawBars(figure, frame, palette);
    case "heat":
      return drawHeat(figure, frame, palette);
  }
}

function drawLines(figure: LineFigure, frame: Frame, palette: Palette): Plot {
  const points = figure.series.flatMap((series) => series.points);
  const width = frame.right - frame.left;
  // The axis ends with the last value, not at a round number, so that lines fill the width.
  const to = figure.x.to ?? Math.max(...points.map(({ x }) => x));
  const xs = scaleOf(
    { ...figure.x, to },
    points.map(({ x }) => x),
    frame.left,
    frame.right,
    Math.max(2, Math.floor(width / 100)),
  );
  const heights = points.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y]);
  const ys = scaleOf(figure.y, heights, frame.bottom, frame.top, 4);
  const marks = figure.series.map((series, i) => drawSeries(series, i, xs, ys, palette)).join("");
  const stops = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b).map((x) => ({ x, place: xs.place(x) }));
  const grid = rules(ys, figure.y.format, frame, palette) + below(xs, figure.x.format, frame, palette);
  return { svg: grid + marks, stops, placeY: ys.place };
}

function drawSeries(series: Series, index: number, xs: Scale, ys: Scale, palette: Palette): string {
  const colour = palette.series[(series.colour ?? index) % palette.series.length];
  const path = (points: readonly (readonly [x: number, y: number])[]) =>
    points
      .map(([x, y], i) => {
        const here = `${fixed(xs.place(x))},${fixed(ys.place(y))}`;
        if (i === 0) return `M${here}`;
        return series.steps === true ? `H${fixed(xs.place(x))}L${here}` : `L${here}`;
      })
      .join("");
  const banded = series.points.flatMap(({ x, low, high }) =>
    typeof low === "number" && typeof high === "number" ? [[x, low, high] as const] : [],
  );
  const band =
    banded.length < 2
      ? ""
      : `<path d="${path(banded.map(([x, , high]) => [x, high]))}${path(
          banded.map(([x, low]) => [x, low] as const).reverse(),
        ).replace("M", "L")}Z" fill="${colour}" fill-opacity="0.14"/>`;
  const dashes = series.dashed === true ? ' stroke-dasharray="5 4"' : "";
  const line = `<path d="${path(series.points.map(({ x, y }) => [x, y]))}" fill="none" stroke="${colour}" stroke-width="1.75" stroke-linejoin="round"${dashes}/>`;
  const dots =
    series.points.length > 24
      ? ""
      : series.points
          .map(({ x, y }) => `<circle cx="${fixed(xs.place(x))}" cy="${fixed(ys.place(y))}" r="2.5" fill="${colour}"/>`)
          .join("");
  return band + line + dots;
}

function drawBars(figure: BarFigure, frame: Frame, palette: Palette): Plot {
  const totals = figure.categories.map((_, i) => figure.series.reduce((sum, { values }) => sum + values[i], 0));
  const ys = scaleOf({ ...figure.y, from: 0 }, totals, frame.bottom, frame.top, 4);
  const step = (frame.right - frame.left) / Math.max(1, figure.categories.length);
  const gap = Math.min(4, step * 0.15);
  const bars = figure.categories.map((_, i) => {
    let sum = 0;
    return figure.series
      .map(({ values }, j) => {
        const top = ys.place(sum + values[i]);
        const height = ys.place(sum) - top;
        sum += values[i];
        if (!(height > 0)) return "";
        const x = frame.left + i * step + gap / 2;
        return `<rect x="${fixed(x)}" y="${fixed(top)}" width="${fixed(step - gap)}" height="${fixed(height)}" fill="${palette.series[j % palette.series.length]}"/>`;
      })
      .join("");
  });
  const centre = (i: number) => frame.left + (i + 0.5) * step;
  const names = spaced(figure.categories, step, centre, frame, palette);
  const stops = figure.categories.map((_, i) => ({ x: i, place: centre(i) }));
  return { svg: rules(ys, figure.y.format, frame, palette) + bars.join("") + names, stops, placeY: ys.place };
}

function drawHeat(figure: HeatFigure, frame: Frame, palette: Palette): Plot {
  const width = (frame.right - frame.left) / Math.max(1, figure.columns.length);
  const height = (frame.bottom - frame.top) / Math.max(1, figure.rows.length);
  const most = Math.log1p(Math.max(1, ...figure.cells.map(({ count }) => count)));
  const gap = Math.min(1, width * 0.1, height * 0.1);
  const rowAt = (row: number) => frame.bottom - (row + 1) * height;
  const cells = figure.cells
    .filter(({ count }) => count > 0)
    .map(({ column, row, count }) => {
      const level = Math.min(palette.heat.length - 1, Math.floor((Math.log1p(count) / most) * palette.heat.length));
      const told = `${figure.x.label} ${figure.columns[column]}, ${figure.y.label} ${figure.rows[row]}: ${figure.format(count)}`;
      return `<rect x="${fixed(frame.left + column * width)}" y="${fixed(rowAt(row))}" width="${fixed(width - gap)}" height="${fixed(height - gap)}" fill="${palette.heat[level]}"><title>${escaped(told)}</title></rect>`;
    });
  const every = Math.max(1, Math.ceil(16 / height));
  const rows = figure.rows.flatMap((name, row) =>
    row % every === 0
      ? [text(frame.left - 8, rowAt(row) + height / 2 + 4, name, { fill: palette.muted, anchor: "end" })]
      : [],
  );
  const centre = (i: number) => frame.left + (i + 0.5) * width;
  const box = `<rect x="${frame.left}" y="${frame.top}" width="${frame.right - frame.left}" height="${frame.bottom - frame.top}" fill="none" stroke="${palette.grid}"/>`;
  const names = spaced(figure.columns, width, centre, frame, palette);
  return { svg: box + cells.join("") + rows.join("") + names, stops: [], placeY: rowAt };
}

/** Names under categories, as many as have room. */
function spaced(names: readonly string[], step: number, centre: (i: number) => number, frame: Frame, palette: Palette) {
  const longest = Math.max(1, ...names.map(({ length }) => length));
  const every = Math.max(1, Math.ceil((longest * 6.5 + 10) / step));
  return names
    .flatMap((name, i) =>
      i % every === 0 ? [text(centre(i), frame.bottom + 16, name, { fill: palette.muted, anchor: "middle" })] : [],
    )
    .join("");
}

function rules(ys: Scale, format: (value: number) => string, { left, right }: Frame, { grid, muted }: Palette): string {
  return ys.ticks
    .map((tick) => {
      const y = fixed(ys.place(tick));
      const line = `<line x1="${left}" x2="${right}" y1="${y}" y2="${y}" stroke="${grid}"/>`;
      return line + text(left - 8, ys.place(tick) + 4, format(tick), { fill: muted, anchor: "end" });
    })
    .join("");
}

function below(xs: Scale, format: (value: number) => string, { bottom, right }: Frame, { muted }: Palette): string {
  return xs.ticks
    .filter((tick) => xs.place(tick) <= right + 1)
    .map((tick, i, all) => {
      const last = i === all.length - 1 && right - xs.place(tick) < 24;
      const anchor = i === 0 ? "start" : last ? "end" : "middle";
      return text(xs.place(tick), bottom + 16, format(tick), { fill: muted, anchor });
    })
    .join("");
}

function axisLabels(figure: Figure, { left, right, top, bottom }: Frame, { height }: FigureSize, { muted }: Palette) {
  const across = text((left + right) / 2, height - 6, figure.x.label, { fill: muted, anchor: "middle" });
  const middle = (top + bottom) / 2;
  const turned = `<text transform="translate(11 ${fixed(middle)}) rotate(-90)" text-anchor="middle" fill="${muted}">${escaped(figure.y.label)}</text>`;
  return across + turned;
}

function legend(figure: Figure, palette: Palette): string {
  if (figure.kind === "heat" || figure.series.length < 2) return "";
  let x = 14;
  return figure.series
    .map(({ name }, i) => {
      const mark = `<rect x="${x}" y="28" width="10" height="10" rx="2" fill="${palette.series[i % palette.series.length]}"/>`;
      const label = text(x + 14, 37, name, { fill: palette.muted });
      x += 30 + name.length * 6.2;
      return mark + label;
    })
    .join("");
}

interface TextStyle {
  readonly fill: string;
  readonly anchor?: string;
  readonly weight?: number;
  readonly size?: number;
}

function text(x: number, y: number, content: string, { fill, anchor, weight, size }: TextStyle): string {
  const more = [
    anchor === undefined ? "" : ` text-anchor="${anchor}"`,
    weight === undefined ? "" : ` font-weight="${weight}"`,
    size === undefined ? "" : ` font-size="${size}"`,
  ].join("");
  return `<text x="${fixed(x)}" y="${fixed(y)}" fill="${fill}"${more}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}
