/** From values to places on an axis. */

import type { Axis } from "./figure.js";

export interface Scale {
  readonly ticks: readonly number[];
  place(value: number): number;
  /** The value at a place. */
  valueAt(place: number): number;
}

/** @param from place of the lowest value; `to` that of the highest (in an SVG, heights grow downwards) */
export function scaleOf(axis: Axis, values: readonly number[], from: number, to: number, maxTicks: number): Scale {
  const known = values.filter((value) => Number.isFinite(value) && (axis.logarithmic !== true || value > 0));
  const bounds = [axis.from, axis.to].filter((bound) => bound !== undefined);
  let low = Math.min(...known, ...bounds);
  let high = Math.max(...known, ...bounds);
  if (!Number.isFinite(low) || !Number.isFinite(high)) [low, high] = [0, 1];
  if (low === high) [low, high] = low === 0 ? [0, 1] : [low - Math.abs(low) / 10, high + Math.abs(high) / 10];
  const ticks = axis.logarithmic === true ? decades(low, high) : steps(low, high, maxTicks, axis.whole === true);
  // The axis reaches to the tick beyond its values, unless its end is given.
  if (axis.logarithmic !== true) {
    const step = ticks.length > 1 ? ticks[1] - ticks[0] : high - low;
    if (axis.from === undefined) low = Math.floor(low / step) * step;
    if (axis.to === undefined && axis.whole !== true) high = Math.ceil(high / step) * step;
    if (ticks.length > 0 && high - ticks[ticks.length - 1] > step * 0.999) ticks.push(ticks[ticks.length - 1] + step);
    if (ticks.length > 0 && ticks[0] - low > step * 0.999) ticks.unshift(ticks[0] - step);
  }
  const forward = axis.logarithmic === true ? Math.log10 : (value: number) => value;
  const back = axis.logarithmic === true ? (value: number) => 10 ** value : (value: number) => value;
  const start = forward(low);
  const span = forward(high) - start || 1;
  return {
    ticks,
    place: (value) => from + ((forward(value) - start) / span) * (to - from),
    valueAt: (place) => back(start + ((place - from) / (to - from)) * span),
  };
}

/** Round numbers between two values: steps of 1, 2 or 5 times a power of ten. */
function steps(low: number, high: number, most: number, whole: boolean): number[] {
  const rough = (high - low) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((one) => one * power >= rough * 0.999) ?? 10;
  const step = whole ? Math.max(1, Math.round(factor * power)) : factor * power;
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  // Multiples, not sums: 0.1 added three times is not 0.3.
  return Array.from({ length: Math.max(0, count) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function decades(low: number, high: number): number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const every = Math.max(1, Math.ceil((last - first) / 5));
  const powers = Array.from({ length: last - first + 1 }, (_, i) => first + i).filter((p) => (p - first) % every === 0);
  return powers.map((power) => 10 ** power).filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
}
