/** The least and the most trained quarter of the observations (AdaSTaR, Figure 3). */

import { sum } from "./descriptive.js";

/**
 * How much each observation belongs to the quarter that was trained least (or most), in [0, 1]. The shares add up to a
 * quarter of the number of observations: those that tie at the border split the places left in equal parts, so the
 * order of ties does not matter.
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
 * Share of the least (or most) trained quarter before that is also in it afterwards; chance alone would give ¼. Ties
 * count as in `quarterShares`, as if broken at random before and, independently, after. NaN without observations.
 */
export function quarterPersistence(
  before: ArrayLike<number>,
  after: ArrayLike<number>,
  which: "least" | "most",
): number {
  const second = quarterShares(after, which);
  return sum(Array.from(quarterShares(before, which), (share, i) => share * second[i])) / (before.length / 4);
}
