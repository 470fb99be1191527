/**
 * Keys and values of the positions that sequences have had so far, in the arrays that the graph reads. Each layer's
 * array is [heads K, slots B, capacity S, width E]; a slot is one sequence's place. Positions beyond a slot's length
 * hold old or zero data and are masked.
 */

import type { ModelConfig } from "../checkpoint/model-config.js";
import type { Device, DeviceArray } from "./device.js";
import { MASKED } from "./model.js";

export class KeyValueCache {
  readonly slots: number;
  readonly capacity: number;
  /** Positions held, by slot. */
  readonly lengths: Int32Array;
  /** [layers] of [K, B, S, E] */
  readonly keys: readonly DeviceArray[];
  readonly values: readonly DeviceArray[];
  /** [B, 1, S]: 0 for held positions, MASKED beyond. */
  readonly mask: Float32Array;
  readonly #config: ModelConfig;
  readonly #device: Device;

  constructor(config: ModelConfig, device: Device, slots: number, capacity: number) {
    this.#config = config;
    this.#device = device;
    this.slots = slots;
    this.capacity = capacity;
    this.lengths = new Int32Array(slots);
    const shape = [config.keyValueHeads, slots, capacity, config.headDim];
    const layers = () => Array.from({ length: config.layers }, () => device.zeros(shape));
    this.keys = layers();
    this.values = layers();
    this.mask = new Float32Array(slots * capacity).fill(MASKED);
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
    newKeys: readonly DeviceArray[],
    newValues: readonly DeviceArray[],
    from: { readonly slot: number; readonly slots: number; readonly length: number },
    count: number,
  ): void {
    const start = this.lengths[slot];
    for (const [layer, keys] of this.keys.entries()) {
      this.#copyIn(keys.host, newKeys[layer].host, slot, from, start, count);
      this.#copyIn(this.values[layer].host, newValues[layer].host, slot, from, start, count);
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
    const { keyValueHeads, headDim } = this.#config;
    const size = count * headDim;
    for (let head = 0; head < keyValueHeads; head++) {
      const to = ((head * this.slots + slot) * this.capacity + start) * headDim;
      const at = (head * from.slots + from.slot) * from.length * headDim;
      // One position is a few dozen numbers: a loop is cheaper than the two views that `set` would need.
      if (count === 1) for (let i = 0; i < size; i++) target[to + i] = source[at + i];
      else target.set(source.subarray(at, at + size), to);
    }
  }

  /** The sequences of `kept` slots, in that order, in a cache of that many slots and the given capacity. */
  rearranged(kept: readonly number[], capacity: number): KeyValueCache {
    const next = new KeyValueCache(this.#config, this.#device, kept.length, capacity);
    const from = (slot: number) => ({ slot, slots: this.slots, length: this.capacity });
    for (const [target, slot] of kept.entries())
      next.append(target, this.keys, this.values, from(slot), this.lengths[slot]);
    return next;
  }
}
