/**
 * Confidence intervals of means and of ratios of means over few seeds.
 *
 * Percentile bootstrap intervals of 3, 5 and 10 normal values cover about 74, 83 and 89 % where they say 95. Student's
 * t is exact for normal values, but covers only 88 to 90 % of exponential ones. So the t interval is widened on the
 * side of the sample's longer tail. The widening is ours; test/statistics/coverage.test.ts simulates what it covers.
 */

import { mean } from "./descriptive.js";
import { twoSidedQuantile, twoSidedTail } from "./student.js";

/** Holds the true value with the stated confidence. NaN, which JSON writes as null, where there is no interval. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A figure over seeds. */
export interface Estimate extends Interval {
  readonly mean: number;
}

/** A figure over seeds that is held against "no difference". */
export interface Effect extends Estimate {
  /** Two-sided p value of "no difference", by the test that the interval inverts; NaN where there is no interval. */
  readonly p: number;
}

/** Confidence of all intervals. */
export const LEVEL = 0.95;

/** By this times the sample skewness, the t interval is widened on the side of the longer tail. */
const WIDENING = 0.6;

/** What a mean's interval and test are made of. */
interface Spread {
  readonly mean: number;
  readonly standardError: number;
  readonly degrees: number;
  /** m₃ / m₂^(3/2) with moments divided by n: 0 without spread. */
  readonly skewness: number;
}

function spreadOf(values: readonly number[]): Spread {
  const centre = mean(values);
  const variance = mean(values.map((value) => (value - centre) ** 2));
  const degrees = values.length - 1;
  return {
    mean: centre,
    standardError: Math.sqrt(variance / degrees),
    degrees,
    skewness: variance === 0 ? 0 : mean(values.map((value) => (value - centre) ** 3)) / variance ** 1.5,
  };
}

/** By how much the bound above (`side` 1) or below (−1) the mean is further away than that of Student's t. */
function widening({ skewness }: Spread, side: number): number {
  return 1 + WIDENING * Math.max(0, side * skewness);
}

/**
 * The mean with its interval, which one value has none of. Values that cannot lie below `lowest` or above `highest`
 * have a mean that cannot either, and so the interval ends there.
 */
export function meanEstimate(
  values: readonly number[],
  lowest = Number.NEGATIVE_INFINITY,
  highest = Number.POSITIVE_INFINITY,
): Estimate {
  if (values.length < 2) return { mean: mean(values), low: Number.NaN, high: Number.NaN };
  const spread = spreadOf(values);
  const reach = twoSidedQuantile(1 - LEVEL, spread.degrees) * spread.standardError;
  return {
    mean: spread.mean,
    low: Math.max(lowest, spread.mean - reach * widening(spread, -1)),
    high: Math.min(highest, spread.mean + reach * widening(spread, 1)),
  };
}

/**
 * Two-sided p value of a true mean of 0, the dual of `meanEstimate`'s interval; NaN for fewer than two values, and for
 * values without any spread, which a test of their mean needs.
 */
function pOfZeroMean(values: readonly number[]): number {
  if (values.length < 2) return Number.NaN;
  const spread = spreadOf(values);
  if (spread.mean === 0) return 1;
  if (spread.standardError === 0) return Number.NaN;
  const t = Math.abs(spread.mean) / (spread.standardError * widening(spread, -Math.sign(spread.mean)));
  return twoSidedTail(t, spread.degrees);
}

/** The mean of differences paired by seed. */
export function meanEffect(differences: readonly number[]): Effect {
  return { ...meanEstimate(differences), p: pOfZeroMean(differences) };
}

/** The mean of shares in [0, 1], such as one accuracy a seed. */
export function meanShare(shares: readonly number[]): Estimate {
  return meanEstimate(shares, 0, 1);
}

/**
 * 1 − mean(own) / mean(other), paired: what `own` saves. The interval has every ratio r for which "own − r · other has
 * mean 0" is not refuted (Fieller 1954), by the test of `meanEffect`. No interval where `other` cannot be told from 0.
 *
 * @returns null where mean(other) is 0: nothing can be saved
 */
export function savedEffect(own: readonly number[], other: readonly number[]): Effect | null {
  if (mean(other) === 0) return null;
  const ratio = mean(own) / mean(other);
  const refuted = (r: number) => !(pOfZeroMean(own.map((value, i) => value - r * other[i])) > 1 - LEVEL);
  const none = { mean: 1 - ratio, low: Number.NaN, high: Number.NaN, p: Number.NaN };
  if (own.length < 2 || pOfZeroMean(other) > 1 - LEVEL) return none;
  return {
    mean: 1 - ratio,
    low: 1 - border(refuted, ratio, 1),
    high: 1 - border(refuted, ratio, -1),
    p: pOfZeroMean(own.map((value, i) => value - other[i])),
  };
}

/** How far from `ratio`, in the direction `side`, ratios are not refuted. */
function border(refuted: (ratio: number) => boolean, ratio: number, side: 1 | -1): number {
  let inside = ratio;
  let step = Math.max(Math.abs(ratio), 1) * 2 ** -10;
  while (!refuted(inside + side * step)) step *= 2;
  let outside = inside + side * step;
  for (;;) {
    const middle = (inside + outside) / 2;
    if (middle === inside || middle === outside) return inside;
    if (refuted(middle)) outside = middle;
    else inside = middle;
  }
}
