/**
 * The observation queue of Algorithm 1 (AdaSTaR, section 3.1): a hierarchical min-heap. Least recently sampled first (t̃), among those
 * the hardest first (win rate w̃), among those the lowest index. Ablations order by other fields.
 *
 * Memory: 14 bytes an observation: place in the heap and back (4 + 4), t̃ (4), and w̃ as two counts (1 + 1).
 *
 * Win rates are compared as fractions, correct · drawn′ against correct′ · drawn, in whole numbers: equal rates are equal whatever
 * their denominators, which no rounding can upset.
 */

import type { QueueKeyField } from "./methods.js";
import { type QueueStatistics, readQueue, writeQueue } from "./queue-format.js";

/** Largest number of samples behind a win rate. */
const MAX_DRAWN = 255;

/** In `#place` of an observation that is not in the heap. */
const ABSENT = 0xffff_ffff;

export class ObservationQueue {
  /** Fields of the order, most important first; the index decides among equals. */
  readonly key: readonly QueueKeyField[];
  readonly #byWinRate: readonly boolean[];
  readonly #statistics: QueueStatistics;
  /** The heap: `#heap[place]` is an observation, none of which comes before its parent at (place − 1) >> 1. */
  readonly #heap: Uint32Array;
  /** The place of each observation: `#heap[#place[i]] === i`. */
  readonly #place: Uint32Array;
  #size: number;
  /** Grows with each change, so that a walk can tell that its order is no longer this one. */
  #version = 0;

  private constructor(key: readonly QueueKeyField[], statistics: QueueStatistics) {
    this.key = key;
    this.#byWinRate = key.map((field) => field === "winRate");
    this.#statistics = statistics;
    this.#size = statistics.lastSampled.length;
    this.#heap = new Uint32Array(this.#size);
    this.#place = new Uint32Array(this.#size);
    for (let i = 0; i < this.#size; i++) {
      this.#heap[i] = i;
      this.#place[i] = i;
    }
    // Floyd's construction, O(N): every subtree from the last parent up.
    for (let place = (this.#size >> 1) - 1; place >= 0; place--) this.#sink(place);
  }

  /** A queue of `size` observations (an integer in [0, 2^32 − 1)) that were never sampled. */
  static create(size: number, key: readonly QueueKeyField[]): ObservationQueue {
    return new ObservationQueue(key, {
      lastSampled: new Uint32Array(size),
      correct: new Uint8Array(size),
      drawn: new Uint8Array(size),
    });
  }

  /** The queue that `serialize` wrote. Throws UserError when `bytes` are not one, whole and undamaged. */
  static restore(bytes: Uint8Array): ObservationQueue {
    const { key, statistics } = readQueue(bytes);
    return new ObservationQueue(key, statistics);
  }

  /**
   * The queue as bytes: key and statistics, 6 bytes an observation. Equal statistics give equal bytes and the same future order,
   * because the order of a queue follows from its statistics alone. Every observation must be in the queue.
   */
  serialize(): Uint8Array {
    if (this.#size !== this.#heap.length) {
      throw new Error(
        `expected all ${this.#heap.length} observations in the queue, got ${this.#size}: some were popped and not pushed back`,
      );
    }
    return writeQueue(this.key, this.#statistics);
  }

  /** How many observations are in the queue now. */
  get size(): number {
    return this.#size;
  }

  /** t̃ of an observation. */
  lastSampled(observation: number): number {
    return this.#statistics.lastSampled[observation];
  }

  /** w̃ of an observation, in [0, 1]; 0 before its first update. */
  winRate(observation: number): number {
    const drawn = this.#statistics.drawn[observation];
    return drawn === 0 ? 0 : this.#statistics.correct[observation] / drawn;
  }

  /** w̃ of an observation as correct of drawn samples; 0 of 0 before its first update. */
  counts(observation: number): { readonly correct: number; readonly drawn: number } {
    return { correct: this.#statistics.correct[observation], drawn: this.#statistics.drawn[observation] };
  }

  /**
   * Yields the observations in the order in which repeated pops would return them, without changing the queue. The k-th takes O(log k): only
   * children of what was yielded can come next, so the walk keeps a frontier of at most k + 1 places. Throws when the queue is changed during the walk.
   */
  *peekInOrder(): Generator<number, void, undefined> {
    const version = this.#version;
    /** A min-heap of places of the heap, by the observations there. */
    const frontier: number[] = [];
    if (this.#size > 0) frontier.push(0);
    while (frontier.length > 0) {
      const place = frontier[0];
      const left = 2 * place + 1;
      const last = frontier.pop() as number;
      if (frontier.length > 0) this.#settleDown(frontier, last);
      if (left < this.#size) this.#settleUp(frontier, left);
      if (left + 1 < this.#size) this.#settleUp(frontier, left + 1);
      yield this.#heap[place];
      if (version !== this.#version)
        throw new Error("expected the queue to stay as it is while it is peeked, got a change");
    }
  }

  /** Takes the first observation off the queue; undefined when it is empty. */
  pop(): number | undefined {
    if (this.#size === 0) return undefined;
    this.#version++;
    const first = this.#heap[0];
    this.#size--;
    if (this.#size > 0) {
      this.#put(this.#heap[this.#size], 0);
      this.#sink(0);
    }
    this.#place[first] = ABSENT;
    return first;
  }

  /** Puts a popped observation back with new statistics: t̃ and w̃ = correct / drawn. */
  push(observation: number, lastSampled: number, correct: number, drawn: number): void {
    this.#check(observation, lastSampled, correct, drawn);
    if (this.#place[observation] !== ABSENT)
      throw new Error(`expected an observation that was popped, got ${observation}, which is in the queue`);
    this.#version++;
    this.#setStatistics(observation, lastSampled, correct, drawn);
    this.#put(observation, this.#size);
    this.#rise(this.#size++);
  }

  /** Gives an observation in the queue new statistics and its new place. */
  update(observation: number, lastSampled: number, correct: number, drawn: number): void {
    this.#check(observation, lastSampled, correct, drawn);
    const place = this.#place[observation];
    if (place === ABSENT) throw new Error(`expected an observation in the queue, got ${observation}, which was popped`);
    this.#version++;
    this.#setStatistics(observation, lastSampled, correct, drawn);
    this.#rise(place);
    this.#sink(this.#place[observation]);
  }

  #check(observation: number, lastSampled: number, correct: number, drawn: number): void {
    const valid =
      Number.isInteger(observation) &&
      observation >= 0 &&
      observation < this.#heap.length &&
      lastSampled === lastSampled >>> 0 &&
      drawn === (drawn & MAX_DRAWN) &&
      correct === (correct & MAX_DRAWN) &&
      correct <= drawn;
    if (!valid) {
      throw new Error(
        `expected an observation below ${this.#heap.length}, an iteration below 2^32 and at most ${MAX_DRAWN} samples, got observation ${observation}, iteration ${lastSampled}, ${correct} correct of ${drawn}`,
      );
    }
  }

  #setStatistics(observation: number, lastSampled: number, correct: number, drawn: number): void {
    this.#statistics.lastSampled[observation] = lastSampled;
    this.#statistics.correct[observation] = correct;
    this.#statistics.drawn[observation] = drawn;
  }

  /** Whether observation a comes before b. A total order: the index decides among equals. */
  #before(a: number, b: number): boolean {
    const { lastSampled, correct, drawn } = this.#statistics;
    for (let field = 0; field < this.#byWinRate.length; field++) {
      const difference = this.#byWinRate[field]
        ? // w̃ of a − w̃ of b, times both denominators; 0 of 0 is a rate of 0.
          correct[a] * (drawn[b] || 1) - correct[b] * (drawn[a] || 1)
        : lastSampled[a] - lastSampled[b];
      if (difference !== 0) return difference < 0;
    }
    return a < b;
  }

  #put(observation: number, place: number): void {
    this.#heap[place] = observation;
    this.#place[observation] = place;
  }

  #rise(start: number): void {
    const observation = this.#heap[start];
    let place = start;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#before(observation, this.#heap[parent])) break;
      this.#put(this.#heap[parent], place);
      place = parent;
    }
    this.#put(observation, place);
  }

  #sink(start: number): void {
    const observation = this.#heap[start];
    let place = start;
    for (let child = 2 * place + 1; child < this.#size; child = 2 * place + 1) {
      if (child + 1 < this.#size && this.#before(this.#heap[child + 1], this.#heap[child])) child++;
      if (!this.#before(this.#heap[child], observation)) break;
      this.#put(this.#heap[child], place);
      place = child;
    }
    this.#put(observation, place);
  }

  /** Adds a place to the frontier of a walk. */
  #settleUp(frontier: number[], added: number): void {
    let slot = frontier.length;
    frontier.push(added);
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      if (!this.#before(this.#heap[added], this.#heap[frontier[parent]])) break;
      frontier[slot] = frontier[parent];
      slot = parent;
    }
    frontier[slot] = added;
  }

  /** Puts a place in the stead of the frontier's first. */
  #settleDown(frontier: number[], moved: number): void {
    let slot = 0;
    for (let child = 1; child < frontier.length; child = 2 * slot + 1) {
      if (child + 1 < frontier.length && this.#before(this.#heap[frontier[child + 1]], this.#heap[frontier[child]]))
        child++;
      if (!this.#before(this.#heap[frontier[child]], this.#heap[moved])) break;
      frontier[slot] = frontier[child];
      slot = child;
    }
    frontier[slot] = moved;
  }
}
