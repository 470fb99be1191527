/** Which inputs of adapters are kept in a training step, as a function of the step's key and of the place. */

import { philox } from "../../algorithm/random.js";

/** Keeps these counters apart from those of other random numbers under the same key; "drop" in ASCII. */
const DROPOUT_CODE = 0x64726f70;

const TWO_32 = 2 ** 32;

/**
 * Writes 1 with probability 1 − `share`, else 0; the share is rounded to a multiple of 2⁻¹⁶.
 *
 * @param seed key of the step, an integer in [0, 2^53)
 * @param part part of the step's batch
 * @param stream number of the mask within the part
 */
export function fillMask(mask: Float32Array, share: number, seed: number, part: number, stream: number): void {
  const limit = Math.round(share * 65_536);
  const words = new Uint32Array(4);
  const halves = new Uint16Array(words.buffer);
  const high = Math.floor(seed / TWO_32);
  for (let begin = 0, block = 0; begin < mask.length; begin += halves.length, block++) {
    philox(words, block, stream, part, DROPOUT_CODE, seed, high);
    const count = Math.min(halves.length, mask.length - begin);
    for (let i = 0; i < count; i++) mask[begin + i] = halves[i] >= limit ? 1 : 0;
  }
}
