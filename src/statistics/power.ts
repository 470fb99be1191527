/** How large a difference a number of seeds can find, by simulation with the test that the results are given with. */

import { meanEffect } from "./intervals.js";

/** Chance of finding a difference that a study is planned for. */
export const POWER = 0.8;

/** Simulated studies; the standard error of a chance near `POWER` is 0.9 points. */
const TRIALS = 2_000;
/** The search ends within this share of a standard deviation. */
const PRECISION = 0.01;
const MAX_SEEDS = 200;

/** Uniform in [0, 1); one call after the other. */
type Draw = () => number;

export interface Findings {
  /** Chance of a false finding, such as 0.05 divided by the number of comparisons. */
  readonly rate: number;
  readonly draw: Draw;
}

/**
 * The smallest true mean of normal paired differences that is found with a chance of `POWER`.
 *
 * @param deviation sample standard deviation of the differences
 * @param seeds at least 2
 */
export function detectableMean(deviation: number, seeds: number, { rate, draw }: Findings): number {
  const noise = normalSamples(seeds, draw);
  let low = 0;
  let high = 1;
  while (chanceOf(noise, high, rate) < POWER) high *= 2;
  while (high - low > PRECISION) {
    const middle = (low + high) / 2;
    if (chanceOf(noise, middle, rate) < POWER) low = middle;
    else high = middle;
  }
  return high * deviation;
}

/** The fewest seeds that find a true mean of `difference` with a chance of `POWER`; null where 200 do not. */
export function seedsNeeded(deviation: number, difference: number, { rate, draw }: Findings): number | null {
  const enough = (seeds: number) => chanceOf(normalSamples(seeds, draw), difference / deviation, rate) >= POWER;
  if (!enough(MAX_SEEDS)) return null;
  let low = 1;
  let high = MAX_SEEDS;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** Share of the samples in which a mean of 0 is refuted once `shift` is added to every value. */
function chanceOf(samples: readonly (readonly number[])[], shift: number, rate: number): number {
  return samples.filter((values) => meanEffect(values.map((value) => value + shift)).p <= rate).length / samples.length;
}

/** Standard normal values (Box & Muller 1958). */
function normalSamples(size: number, draw: Draw): number[][] {
  const normal = () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
  return Array.from({ length: TRIALS }, () => Array.from({ length: size }, normal));
}
