/** AdaC, the adaptive curriculum (AdaSTaR section 3.2). */

import { truncate } from "./rounding.js";

/** Beyond this, αᵖ is computed in floating point; exact powers would only cost time. */
const LARGEST_EXACT_POWER = 64;

/**
 * ⌊m · αᵖ⌋ with α = solved / m: how many of the m observations visited have their statistics updated. A weak model (small α)
 * leaves most at their old place in the queue, so that they come first again; as α → 1 the gate opens.
 *
 * m · αᵖ = solvedᵖ / mᵖ⁻¹, which whole powers compute in integers: in doubles, m · α² can fall just below the integer that it is,
 * and the floor would lose an observation. Other powers are computed in doubles and cut by `truncate`, which takes a value within
 * rounding error of an integer for that integer.
 *
 * @param visited m, an integer of 0 or more
 * @param solved visited observations with at least one correct sample, an integer in [0, m]
 * @param power p ≥ 0. The paper: 2. 0 updates all m, whatever α is.
 */
export function gateCount(visited: number, solved: number, power: number): number {
  if (power === 0 || solved === visited) return visited;
  if (solved === 0) return 0;
  if (Number.isInteger(power) && power <= LARGEST_EXACT_POWER) {
    return Number(BigInt(solved) ** BigInt(power) / BigInt(visited) ** BigInt(power - 1));
  }
  return truncate(visited * (solved / visited) ** power);
}
