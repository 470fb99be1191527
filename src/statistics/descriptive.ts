/** Sums, means, spreads and quantiles. */

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** NaN without values. */
export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** The mean of the values that are known; null where none is. */
export function meanOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : mean(known);
}

/** Standard deviation of a whole population: √(Σ(x − mean)² / n). */
export function populationDeviation(values: ArrayLike<number>): number {
  const all = Array.from(values);
  const centre = mean(all);
  return Math.sqrt(mean(all.map((value) => (value - centre) ** 2)));
}

/** Standard deviation of a sample: √(Σ(x − mean)² / (n − 1)); NaN for fewer than two values. */
export function sampleDeviation(values: readonly number[]): number {
  return populationDeviation(values) * Math.sqrt(values.length / (values.length - 1));
}

/** The q-quantile, q in [0, 1], by linear interpolation between the closest ranks (R's type 7). */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const share = position - below;
  const low = sorted[below];
  const high = sorted[Math.min(below + 1, sorted.length - 1)];
  // Equal neighbours need no arithmetic, which would make a NaN of two infinite ones.
  return share === 0 || low === high ? low : low + share * (high - low);
}

/** NaN without values. ∞ stands for a value that was never reached: the median is ∞ where half or more are. */
export function median(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : quantile(values, 0.5);
}
