/** Which positions may see which, as numbers that are added to attention scores: 0, or `MASKED`. */

import { MASKED } from "./model.js";

/**
 * [Q·L, L] for L positions of one sequence: 0 where a position may be seen, MASKED where it lies ahead or `window` or
 * more positions back; the same L rows for each of the Q heads of a group.
 */
export function causalMask(group: number, length: number, window: number | null = null): Float32Array {
  const mask = new Float32Array(group * length * length);
  for (let row = 0; row < group * length; row++) {
    const position = row % length;
    mask.fill(MASKED, row * length + position + 1, (row + 1) * length);
    if (window !== null && position >= window) {
      mask.fill(MASKED, row * length, row * length + position - window + 1);
    }
  }
  return mask;
}

/**
 * Masks of earlier positions for new ones that see only so far back: [B, Q·L, keys].
 *
 * @param held by sequence and key, 0 or MASKED: whether the key is there at all; of length keys, or B·keys
 * @param starts place of each sequence's first new position
 * @param firstKey place of the first key in its sequence
 */
export function windowMask(
  held: Float32Array,
  starts: readonly number[],
  sizes: { readonly group: number; readonly length: number; readonly keys: number; readonly firstKey: number },
  window: number,
): Float32Array {
  const { group, length, keys, firstKey } = sizes;
  const mask = new Float32Array(starts.length * group * length * keys);
  for (const [b, start] of starts.entries()) {
    const own = held.length === keys ? held : held.subarray(b * keys, (b + 1) * keys);
    for (let row = 0; row < group * length; row++) {
      const begin = (b * group * length + row) * keys;
      mask.set(own, begin);
      const hidden = Math.min(keys, Math.max(0, start + (row % length) - window + 1 - firstKey));
      mask.fill(MASKED, begin, begin + hidden);
    }
  }
  return mask;
}
