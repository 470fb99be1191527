/**
 * A random permutation of 0 … size − 1 as a function of a seed. Unlike a shuffled array it takes no memory, and it can
 * be read in both directions: a Feistel network on pairs (left, right) of a rectangle just large enough, walked again
 * where a result falls outside (Black & Rogaway 2002, "Ciphers with arbitrary finite domains", section 4). It mixes
 * well and keeps no secrets.
 */

import { uniform } from "./random.js";

/** Half of them change the left, half the right number of a pair. */
const ROUNDS = 8;

const TWO_32 = 0x1_0000_0000;

export class Permutation {
  readonly #size: number;
  /** A number below columns · rows is left + columns · right. */
  readonly #columns: number;
  readonly #rows: number;
  readonly #keys: Uint32Array;

  /**
   * @param size an integer in [0, 2^32)
   * @param seed an integer in [0, 2^53)
   */
  constructor(size: number, seed: number) {
    this.#size = size;
    this.#columns = Math.max(1, Math.ceil(Math.sqrt(size)));
    this.#rows = Math.max(1, Math.ceil(size / this.#columns));
    this.#keys = Uint32Array.from({ length: ROUNDS }, (_, round) => uniform(seed, round) * TWO_32);
  }

  /** The number at a place, both in [0, size). */
  at(place: number): number {
    this.#check(place);
    let number = place;
    do number = this.#forward(number);
    while (number >= this.#size);
    return number;
  }

  /** The place of a number: `indexOf(at(place))` is `place`. */
  indexOf(number: number): number {
    this.#check(number);
    let place = number;
    do place = this.#backward(place);
    while (place >= this.#size);
    return place;
  }

  /** Numbers outside might be walked for ever. */
  #check(number: number): void {
    if (!(number >= 0 && number < this.#size)) throw new Error(`expected a number below ${this.#size}, got ${number}`);
  }

  #forward(number: number): number {
    const columns = this.#columns;
    const rows = this.#rows;
    let left = number % columns;
    let right = (number - left) / columns;
    for (let round = 0; round < ROUNDS; round += 2) {
      left = (left + this.#offset(round, right, columns)) % columns;
      right = (right + this.#offset(round + 1, left, rows)) % rows;
    }
    return left + columns * right;
  }

  #backward(number: number): number {
    const columns = this.#columns;
    const rows = this.#rows;
    let left = number % columns;
    let right = (number - left) / columns;
    for (let round = ROUNDS - 2; round >= 0; round -= 2) {
      right = (right + rows - this.#offset(round + 1, left, rows)) % rows;
      left = (left + columns - this.#offset(round, right, columns)) % columns;
    }
    return left + columns * right;
  }

  /** A number in [0, limit) that depends on the round's key and on `half`: the finalizer of MurmurHash3, scaled. */
  #offset(round: number, half: number, limit: number): number {
    let hash = half ^ this.#keys[round];
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash = (hash ^ (hash >>> 16)) >>> 0;
    return Math.floor((hash * limit) / TWO_32);
  }
}
