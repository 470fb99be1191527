/** A share of a number of trials. */

import type { Interval } from "./intervals.js";

/** The standard normal quantile of 0.975. */
const Z_95 = 1.959963984540054;

/**
 * 95 % score interval of a share (Wilson 1927), for one accuracy of `total` questions. Unlike that of the normal
 * approximation it stays within [0, 1] and has a width at 0 and at `total`. Null without trials.
 */
export function wilsonInterval(count: number, total: number): Interval | null {
  if (total === 0) return null;
  const share = count / total;
  const z2 = Z_95 ** 2;
  const centre = (share + z2 / (2 * total)) / (1 + z2 / total);
  const half = (Z_95 / (1 + z2 / total)) * Math.sqrt((share * (1 - share)) / total + z2 / (4 * total ** 2));
  // At 0 and at `total` the bound is exact; arithmetic would leave a trace beside it.
  return { low: count === 0 ? 0 : centre - half, high: count === total ? 1 : centre + half };
}
