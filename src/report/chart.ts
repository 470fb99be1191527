/** A line chart with bands as one self-contained SVG file, readable on light and on dark pages. */

import { escapeMarkup, fixed, place, range, ticksOf } from "./scale.js";

interface ChartPoint {
  readonly x: number;
  readonly y: number;
  /** The band's lower edge; NaN where there is none. */
  readonly low: number;
  readonly high: number;
}

export interface ChartSeries {
  readonly name: string;
  readonly points: readonly ChartPoint[];
}

export interface ChartOptions {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly formatX: (x: number) => string;
  readonly formatY: (y: number) => string;
  /**
   * The y axis begins here at the lowest; what lies below is cut off and gets an arrow in the legend. By default the
   * lowest value.
   */
  readonly floor?: number;
  /** A point's height holds until the next one, instead of a slope between them. */
  readonly steps?: boolean;
  /** A vertical line at one x and a grey band around it. */
  readonly mark?: { readonly at: number; readonly from: number; readonly to: number };
}

const WIDTH = 860;
const HEIGHT = 480;
const PLOT = { left: 76, right: 610, top: 44, bottom: 420 } as const;

/**
 * Okabe & Ito's colours, which most people with colour-blindness can tell apart; a series beyond the eighth repeats one
 * with dashes.
 */
const COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#8F7F00", "#555555"] as const;

export function lineChart(series: readonly ChartSeries[], options: ChartOptions): string {
  const { floor = Number.NEGATIVE_INFINITY, steps = false } = options;
  const points = series.flatMap((one) => one.points);
  const xs = range(points.map(({ x }) => x));
  const ys = range(points.flatMap((point) => [point.y, point.low, point.high]).filter((value) => value >= floor));
  const x = (value: number) => place(value, xs, PLOT.left, PLOT.right);
  const y = (value: number) => place(value, ys, PLOT.bottom, PLOT.top);
  const drawn = series.map(({ points: own }, i) => {
    const path = (height: (point: ChartPoint) => number) =>
      own.flatMap((point, j): string[] => {
        const here = `${fixed(x(point.x))},${fixed(y(height(point)))}`;
        return steps && j > 0 ? [`${fixed(x(point.x))},${fixed(y(height(own[j - 1])))}`, here] : [here];
      });
    const edges = [...path(({ high }) => high), ...path(({ low }) => low).reverse()].join(" ");
    const band = own.some(({ low, high }) => Number.isNaN(low) || Number.isNaN(high))
      ? ""
      : `<polygon points="${edges}" fill="${colour(i)}" opacity="0.12"/>\n`;
    return `${band}<polyline points="${path(({ y: height }) => height).join(" ")}" fill="none" stroke="${colour(i)}" stroke-width="2"${dashes(i)}/>`;
  });
  const legend = series.map(({ name, points: own }, i) => {
    const top = PLOT.top + 12 + 20 * i;
    const below = own.some((point) => point.y < floor) ? " ↓" : "";
    return `<line x1="${PLOT.right + 18}" y1="${top}" x2="${PLOT.right + 44}" y2="${top}" stroke="${colour(i)}" stroke-width="3"${dashes(i)}/>
<text x="${PLOT.right + 52}" y="${top + 4}">${escapeMarkup(name + below)}</text>`;
  });
  const ticks = [
    ...ticksOf(xs).map(
      (value) =>
        `<text x="${fixed(x(value))}" y="${PLOT.bottom + 20}" text-anchor="middle">${escapeMarkup(options.formatX(value))}</text>`,
    ),
    ...ticksOf(ys).flatMap((value) => [
      `<line x1="${PLOT.left}" y1="${fixed(y(value))}" x2="${PLOT.right}" y2="${fixed(y(value))}" stroke="#ddd"/>`,
      `<text x="${PLOT.left - 8}" y="${fixed(y(value) + 4)}" text-anchor="end">${escapeMarkup(options.formatY(value))}</text>`,
    ]),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" role="img">
<title>${escapeMarkup(options.title)}</title>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${PLOT.left}" y="24" font-size="15">${escapeMarkup(options.title)}</text>
${ticks.join("\n")}
<clipPath id="plot"><rect x="${PLOT.left}" y="${PLOT.top - 1}" width="${PLOT.right - PLOT.left}" height="${PLOT.bottom - PLOT.top + 2}"/></clipPath>
<g clip-path="url(#plot)">
${marked(options.mark, x)}${drawn.join("\n")}
</g>
${legend.join("\n")}
<text x="${(PLOT.left + PLOT.right) / 2}" y="${PLOT.bottom + 44}" text-anchor="middle">${escapeMarkup(options.xLabel)}</text>
<text transform="translate(16 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeMarkup(options.yLabel)}</text>
</svg>
`;
}

function marked(mark: ChartOptions["mark"], x: (value: number) => number): string {
  if (mark === undefined) return "";
  const [at, from] = [mark.at, mark.from].map((value) => fixed(x(value)));
  const height = PLOT.bottom - PLOT.top;
  return `<rect x="${from}" y="${PLOT.top}" width="${fixed(x(mark.to) - x(mark.from))}" height="${height}" fill="#888" opacity="0.1"/>
<line x1="${at}" y1="${PLOT.top}" x2="${at}" y2="${PLOT.bottom}" stroke="#888" stroke-dasharray="2 3"/>
`;
}

function colour(series: number): string {
  return COLOURS[series % COLOURS.length];
}

function dashes(series: number): string {
  return series < COLOURS.length ? "" : ' stroke-dasharray="6 4"';
}
