/**
 * ⌊value⌋ for a value that was computed in floating point. A value that is below an integer only by rounding error (a
 * relative 10⁻¹², thousands of times the error of a product or a power) counts as that integer. ⌊100 · 1.15⌋ is 115,
 * though the double nearest to 1.15 makes it 114.99999999999999.
 */
export function truncate(value: number): number {
  const nearest = Math.round(value);
  return Math.abs(value - nearest) <= 1e-12 * nearest ? nearest : Math.floor(value);
}
