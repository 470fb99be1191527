/** The places of a running batch: which sequence each holds, and the cache of all of them. */

import type { Sample } from "../engine.js";
import type { Decoder, DecoderResult, Prefix } from "./decoder.js";
import type { KeyValueCache } from "./kv-cache.js";
import type { ReadPrompt } from "./prompt-reader.js";
import type { Sequence } from "./sequence.js";

/** Capacities of the cache are multiples of this many positions. */
const CACHE_STEP = 16;

export class Slots {
  readonly #decoder: Decoder;
  readonly #prefix: Prefix;
  #sequences: (Sequence | null)[];
  #cache: KeyValueCache;

  /** @param positions room in each slot at first, in positions after the prefix */
  constructor(decoder: Decoder, prefix: Prefix, count: number, positions: number) {
    this.#decoder = decoder;
    this.#prefix = prefix;
    this.#sequences = Array.from({ length: count }, () => null);
    this.#cache = decoder.newCache(count, roundedUp(positions));
  }

  get count(): number {
    return this.#sequences.length;
  }

  get free(): number[] {
    return [...this.#sequences.keys()].filter((slot) => this.#sequences[slot] === null);
  }

  get #active(): number[] {
    return [...this.#sequences.keys()].filter((slot) => this.#sequences[slot] !== null);
  }

  get empty(): boolean {
    return this.#sequences.every((sequence) => sequence === null);
  }

  /** Begins a sequence in a free slot with its prompt. */
  begin(slot: number, sequence: Sequence, { keys, values, length }: ReadPrompt): void {
    this.#cache.clear(slot);
    if (length > this.#cache.capacity) this.#rearrange([...this.#sequences.keys()], length + CACHE_STEP);
    this.#cache.append(slot, keys, values, { slot: 0, slots: 1, length }, length);
    this.#sequences[slot] = sequence;
  }

  /**
   * Makes room for one more position of every sequence. If no more sequences will begin, it also gives up free slots,
   * once they are at least half of all.
   */
  makeRoom(noneWillBegin: boolean): void {
    const active = this.#active;
    const { capacity, lengths } = this.#cache;
    const needed = Math.max(...active.map((slot) => lengths[slot])) + 1;
    const shrink = noneWillBegin && active.length <= this.count / 2;
    if (!shrink && needed <= capacity) return;
    this.#rearrange(
      shrink ? active : [...this.#sequences.keys()],
      needed > capacity ? Math.max(needed, capacity * 1.25) : capacity,
    );
  }

  /**
   * Computes the position of every sequence's last token, and adds it to the cache; free slots compute token 0 for
   * nothing.
   *
   * @param temperature above 0, of the rows' summaries
   */
  async decode(temperature: number): Promise<DecoderResult> {
    const { lengths } = this.#cache;
    const batch = {
      sequences: this.#sequences.map((sequence) => [sequence === null ? 0 : sequence.lastToken]),
      starts: this.#sequences.map((_, slot) => this.#prefix.length + lengths[slot]),
    };
    const result = await this.#decoder.run(batch, this.#prefix, this.#cache, temperature);
    for (const slot of this.#active) {
      this.#cache.append(slot, result.keys, result.values, { slot, slots: this.count, length: 1 }, 1);
    }
    return result;
  }

  /** Advances every sequence; those that finish leave their slots. */
  advance(next: (sequence: Sequence, slot: number) => Sample | null): Sample[] {
    return this.#active.flatMap((slot) => {
      const sample = next(this.#sequences[slot] as Sequence, slot);
      if (sample === null) return [];
      this.#sequences[slot] = null;
      this.#cache.clear(slot);
      return [sample];
    });
  }

  #rearrange(kept: readonly number[], positions: number): void {
    this.#cache = this.#cache.rearranged(kept, roundedUp(positions));
    this.#sequences = kept.map((slot) => this.#sequences[slot]);
  }
}

function roundedUp(positions: number): number {
  return Math.ceil(positions / CACHE_STEP) * CACHE_STEP;
}
