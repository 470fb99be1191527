/**
 * Keys and values of the positions that sequences have behind them, in typed arrays that are fed to the graph as they are.
 * Each layer's array is [heads K, slots B, capacity S, width E]; a slot is one sequence's place. Positions beyond a slot's length hold
 * old or zero data and are masked.
 */

import type { ModelConfig } from "../checkpoint/model-config.js";
import { MASKED } from "./model.js";

export class KeyValueCache {
  readonly slots: number;
  capacity: number;
  /** Positions held, by slot. */
  readonly lengths: Int32Array;
  /** [layers] of [K, B, S, E] */
  readonly keys: Float32Array[];
  readonly values: Float32Array[];
  /** [B, 1, S]: 0 for held positions, MASKED beyond. */
  mask: Float32Array;
  readonly #heads: number;
  readonly #width: number;

  constructor(config: ModelConfig, slots: number, capacity: number) {
    this.slots = slots;
    this.capacity = capacity;
    this.#heads = config.keyValueHeads;
    this.#width = config.headDim;
    this.lengths = new Int32Array(slots);
    const layers = () =>
      Array.from({ length: config.layers }, () => new Float32Array(this.#heads * slots * capacity * this.#width));
    this.keys = layers();
    this.values = layers();
    this.mask = new Float32Array(slots * capacity).fill(MASKED);
  }

  get layers(): number {
    return this.keys.length;
  }

  /** Forgets a slot's sequence. */
  clear(slot: number): void {
    this.lengths[slot] = 0;
    this.mask.fill(MASKED, slot * this.capacity, (slot + 1) * this.capacity);
  }

  /**
   * Appends `count` positions of one sequence to a slot. The capacity must suffice.
   *
   * @param newKeys [layers] of [K, from.slots, from.length, E], as the graph returned them
   * @param from which sequence of the graph's batch, and the batch's sizes
   */
  append(
    slot: number,
    newKeys: readonly Float32Array[],
    newValues: readonly Float32Array[],
    from: { readonly slot: number; readonly slots: number; readonly length: number },
    count: number,
  ): void {
    const start = this.lengths[slot];
    for (let layer = 0; layer < this.layers; layer++) {
      this.#copyIn(this.keys[layer], newKeys[layer], slot, from, start, count);
      this.#copyIn(this.values[layer], newValues[layer], slot, from, start, count);
    }
    this.lengths[slot] = start + count;
    this.mask.fill(0, slot * this.capacity + start, slot * this.capacity + start + count);
  }

  #copyIn(
    target: Float32Array,
    source: Float32Array,
    slot: number,
    from: { readonly slot: number; readonly slots: number; readonly length: number },
    start: number,
    count: number,
  ): void {
    const size = count * this.#width;
    for (let head = 0; head < this.#heads; head++) {
      const to = ((head * this.slots + slot) * this.capacity + start) * this.#width;
      const at = (head * from.slots + from.slot) * from.length * this.#width;
      // One position is a few dozen numbers: a loop is cheaper than the two views that `set` would need.
      if (count === 1) for (let i = 0; i < size; i++) target[to + i] = source[at + i];
      else target.set(source.subarray(at, at + size), to);
    }
  }

  /** The sequences of `kept` slots, in that order, in a cache of that many slots and the given capacity. */
  rearranged(config: ModelConfig, kept: readonly number[], capacity: number): KeyValueCache {
    const next = new KeyValueCache(config, kept.length, capacity);
    const from = (slot: number) => ({ slot, slots: this.slots, length: this.capacity });
    for (const [target, slot] of kept.entries())
      next.append(target, this.keys, this.values, from(slot), this.lengths[slot]);
    return next;
  }
}
