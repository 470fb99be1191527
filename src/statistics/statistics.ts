/** Figures over seeds and over observations. Everything random is keyed by a seed of its own, so a report is the same every time. */

import { uniform } from "../algorithm/random.js";

/** An interval that holds the true value with the stated confidence. NaN, which JSON writes as null, where there is none. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A figure over seeds. */
export interface Estimate extends Interval {
  readonly mean: number;
}

/** Of nothing: NaN. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation of a whole population: √(Σ(x − mean)² / n). */
export function populationDeviation(values: ArrayLike<number>): number {
  const all = Array.from(values);
  const centre = mean(all);
  return Math.sqrt(mean(all.map((value) => (value - centre) ** 2)));
}

/** The q-quantile, q in [0, 1], by linear interpolation between the closest ranks (R's type 7). */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const share = position - below;
  const low = sorted[below];
  const high = sorted[Math.min(below + 1, sorted.length - 1)];
  // Neighbours that are equal or do not count need no arithmetic, which would make a NaN of infinite ones.
  return share === 0 || low === high ? low : low + share * (high - low);
}

/** ∞ stands for what was not reached; the median is ∞ where half or more were not. */
export function median(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : quantile(values, 0.5);
}

export interface BootstrapOptions {
  readonly resamples?: number;
  /** Confidence, in (0, 1). */
  readonly level?: number;
  readonly seed?: number;
}

/**
 * A statistic of `items` with its percentile bootstrap interval (Efron & Tibshirani 1993, chapter 13): items are drawn with replacement,
 * whole, so figures that belong together (one seed's under two methods) stay together: with pairs as items this is the paired bootstrap.
 * With fewer than two items there is no spread to see, and so no interval. Resamples in which the statistic is NaN are left out.
 */
export function bootstrap<T>(
  items: readonly T[],
  statistic: (items: readonly T[]) => number,
  { resamples = 4_000, level = 0.95, seed = 1 }: BootstrapOptions = {},
): Estimate {
  const value = statistic(items);
  if (items.length < 2) return { mean: value, low: Number.NaN, high: Number.NaN };
  const drawn = Array.from({ length: resamples }, (_, r) =>
    statistic(items.map((_, i) => items[Math.floor(uniform(seed, r * items.length + i) * items.length)])),
  );
  const valid = drawn.filter((one) => !Number.isNaN(one));
  const tail = (1 - level) / 2;
  return { mean: value, low: quantile(valid, tail), high: quantile(valid, 1 - tail) };
}

/**
 * How much each observation belongs to the quarter that was trained least (or most), in [0, 1]; the sum is a quarter of their number.
 * Observations that tie at the border share the places left in equal parts, so the order of ties does not matter.
 */
export function quarterShares(frequencies: ArrayLike<number>, which: "least" | "most"): Float64Array {
  const sign = which === "least" ? 1 : -1;
  const ranked = Array.from(frequencies, (frequency) => sign * frequency).sort((a, b) => a - b);
  const places = ranked.length / 4;
  const border = ranked[Math.max(0, Math.ceil(places) - 1)];
  const inside = ranked.filter((value) => value < border).length;
  const tied = ranked.filter((value) => value === border).length;
  return Float64Array.from(frequencies, (frequency) => {
    const value = sign * frequency;
    return value < border ? 1 : value === border ? (places - inside) / tied : 0;
  });
}

/**
 * Share of the least (or most) trained quarter before that is in it after, too (AdaSTaR, Figure 3): chance alone would give ¼. Ties count as
 * `quarterShares` says, as if broken at random before and, independently, after; NaN without observations.
 */
export function quarterPersistence(
  before: ArrayLike<number>,
  after: ArrayLike<number>,
  which: "least" | "most",
): number {
  const first = quarterShares(before, which);
  const second = quarterShares(after, which);
  return first.reduce((sum, share, i) => sum + share * second[i], 0) / (before.length / 4);
}
