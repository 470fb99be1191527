/** AdaC, the adaptive curriculum (AdaSTaR section 3.2). */

import { truncate } from "./rounding.js";

/** Above this, αᵖ is computed in floating point; exact powers would only cost time. */
const MAX_EXACT_POWER = 64;

/**
 * ⌊m · αᵖ⌋ with α = solved / m: how many of the m observations visited have their statistics updated. With a weak model
 * (small α) most keep their old place in the queue, so they come first again. As α → 1 the gate opens.
 *
 * m · αᵖ = solvedᵖ / mᵖ⁻¹, which is computed in integers for whole powers: in doubles, m · α² can fall just below its
 * true integer value, and the floor would lose an observation. Other powers are computed in doubles and rounded down by
 * `truncate`, which treats a value within rounding error of an integer as that integer.
 *
 * @param visited m, an integer of 0 or more
 * @param solved visited observations with at least one correct sample, an integer in [0, m]
 * @param power p ≥ 0. The paper: 2. 0 updates all m, whatever α is.
 */
export function gateCount(visited: number, solved: number, power: number): number {
  if (power === 0 || solved === visited) return visited;
  if (solved === 0) return 0;
  if (Number.isInteger(power) && power <= MAX_EXACT_POWER) {
    return Number(BigInt(solved) ** BigInt(power) / BigInt(visited) ** BigInt(power - 1));
  }
  return truncate(visited * (solved / visited) ** power);
}
