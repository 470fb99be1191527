/**
 * The observation queue of Algorithm 1 (AdaSTaR, section 3.1): a hierarchical min-heap. Least recently sampled first
 * (t̃), the hardest of them first (win rate w̃). Ablations order by other fields. Among equal keys a rank decides:
 * random, drawn once from a seed, so that the order of the data file is no order of teaching; or the index.
 *
 * Inside, observations go by their rank: all arrays are indexed by it, so that comparing two never costs more than
 * comparing indices, and a rank takes no memory (permutation.ts). Only the public methods translate between ranks and
 * observations.
 *
 * Memory: 14 bytes an observation: place in the heap and back (4 + 4), t̃ (4), w̃ as two counts (1 + 1); a bit more to
 * record visits.
 *
 * Win rates are compared as fractions in whole numbers, correct · drawn′ against correct′ · drawn: equal rates are
 * equal whatever their denominators, and rounding cannot change that.
 */

import { UserError } from "../errors.js";
import type { QueueKeyField } from "./methods.js";
import { MAX_TRIES } from "./parts.js";
import { Permutation } from "./permutation.js";
import { bytesOfBits, type QueueState, type QueueStatistics, readQueue, writeQueue } from "./queue-format.js";

/** In `#place` of an observation that is not in the heap. */
const ABSENT = 0xffff_ffff;

export interface QueueOptions {
  /**
   * Seed of the rank that decides among equal keys, an integer in [0, 2^53), such as `seedFor(seed, "ties")`; null: the
   * index decides.
   */
  readonly tieSeed?: number | null;
  /** Whether to record which observations were ever visited. */
  readonly recordVisits?: boolean;
}

export class ObservationQueue {
  /** Fields of the order, most important first; the rank decides among equals. */
  readonly key: readonly QueueKeyField[];
  readonly #byWinRate: readonly boolean[];
  readonly #tieSeed: number | null;
  /** From rank to observation; null where they are the same. */
  readonly #observations: Permutation | null;
  /** By rank. */
  readonly #statistics: QueueStatistics;
  /** A bit an observation; null where visits are not recorded. */
  readonly #visited: Uint8Array | null;
  #everVisited = 0;
  /** The heap: `#heap[place]` is a rank, none of which comes before its parent at (place − 1) >> 1. */
  readonly #heap: Uint32Array;
  /** The place of each rank: `#heap[#place[rank]] === rank`. */
  readonly #place: Uint32Array;
  #size: number;
  /** Grows with each change, so that a walk can tell that its order is no longer this one. */
  #version = 0;

  private constructor({ key, tieSeed, statistics, visited }: QueueState) {
    this.key = key;
    this.#byWinRate = key.map((field) => field === "winRate");
    this.#tieSeed = tieSeed;
    this.#size = statistics.lastSampled.length;
    this.#observations = tieSeed === null ? null : new Permutation(this.#size, tieSeed);
    this.#statistics = statistics;
    this.#visited = visited;
    for (const byte of visited ?? []) this.#everVisited += onesIn(byte);
    this.#heap = new Uint32Array(this.#size);
    this.#place = new Uint32Array(this.#size);
    for (let rank = 0; rank < this.#size; rank++) {
      this.#heap[rank] = rank;
      this.#place[rank] = rank;
    }
    // Floyd's construction, O(N): every subtree from the last parent up.
    for (let place = (this.#size >> 1) - 1; place >= 0; place--) this.#sink(place);
  }

  /**
   * A queue of `size` observations (an integer in [0, 2^32 − 1)) that were never sampled.
   *
   * Throws UserError if the key is empty or repeats a field.
   */
  static create(size: number, key: readonly QueueKeyField[], options: QueueOptions = {}): ObservationQueue {
    if (key.length === 0 || new Set(key).size < key.length) {
      throw new UserError(
        `expected a queue's key of at least one field, each at most once (lastSampled, winRate), got [${key.join(", ")}]`,
      );
    }
    const { tieSeed = null, recordVisits = false } = options;
    const statistics = {
      lastSampled: new Uint32Array(size),
      correct: new Uint8Array(size),
      drawn: new Uint8Array(size),
    };
    const visited = recordVisits ? new Uint8Array(bytesOfBits(size)) : null;
    return new ObservationQueue({ key, tieSeed, statistics, visited });
  }

  /** The queue that `serialize` wrote. Throws UserError if `bytes` are not one, whole and undamaged. */
  static restore(bytes: Uint8Array): ObservationQueue {
    return new ObservationQueue(readQueue(bytes));
  }

  /**
   * The queue as bytes, 6 an observation: key, ties, statistics and visits. Equal ones give equal bytes and the same
   * future order, because the order of a queue follows from them alone. Every observation must be in the queue.
   */
  serialize(): Uint8Array {
    if (this.#size !== this.#heap.length) {
      throw new Error(
        `expected all ${this.#heap.length} observations in the queue, got ${this.#size}: some were popped and not pushed back`,
      );
    }
    const statistics = this.#statistics;
    return writeQueue({ key: this.key, tieSeed: this.#tieSeed, statistics, visited: this.#visited });
  }

  /** How many observations are in the queue now. */
  get size(): number {
    return this.#size;
  }

  /** How many observations were ever visited; null where visits are not recorded. */
  get everVisited(): number | null {
    return this.#visited === null ? null : this.#everVisited;
  }

  /**
   * Records that these observations were visited, whether their statistics change or not. Does nothing where visits are
   * not recorded.
   */
  recordVisits(observations: Iterable<number>): void {
    if (this.#visited === null) return;
    for (const observation of observations) {
      const bit = 1 << (observation & 7);
      if ((this.#visited[observation >>> 3] & bit) !== 0) continue;
      this.#visited[observation >>> 3] |= bit;
      this.#everVisited++;
    }
  }

  /** t̃ of an observation. */
  lastSampled(observation: number): number {
    return this.#statistics.lastSampled[this.#rankOf(observation)];
  }

  /** w̃ of an observation, in [0, 1]; 0 before its first update. */
  winRate(observation: number): number {
    const { correct, drawn } = this.counts(observation);
    return drawn === 0 ? 0 : correct / drawn;
  }

  /** w̃ of an observation as correct of drawn samples; 0 of 0 before its first update. */
  counts(observation: number): { readonly correct: number; readonly drawn: number } {
    const rank = this.#rankOf(observation);
    return { correct: this.#statistics.correct[rank], drawn: this.#statistics.drawn[rank] };
  }

  /**
   * Yields the observations in the order in which repeated pops would return them, without changing the queue. The k-th
   * takes O(log k): only children of what was yielded can come next, so the walk keeps a frontier of at most k + 1
   * places. Throws if the queue changes during the walk.
   */
  *peekInOrder(): Generator<number, void, undefined> {
    const version = this.#version;
    /** A min-heap of places of the heap, by the ranks there. */
    const frontier: number[] = [];
    if (this.#size > 0) frontier.push(0);
    while (frontier.length > 0) {
      const place = frontier[0];
      const left = 2 * place + 1;
      const last = frontier.pop() as number;
      if (frontier.length > 0) this.#settleDown(frontier, last);
      if (left < this.#size) this.#settleUp(frontier, left);
      if (left + 1 < this.#size) this.#settleUp(frontier, left + 1);
      yield this.#observationAt(this.#heap[place]);
      if (version !== this.#version) {
        throw new Error("expected the queue to stay as it is while it is peeked, got a change");
      }
    }
  }

  /** Takes the first observation off the queue; undefined if it is empty. */
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
    return this.#observationAt(first);
  }

  /** Puts a popped observation back with new statistics: t̃ and w̃ = correct / drawn. */
  push(observation: number, lastSampled: number, correct: number, drawn: number): void {
    this.#check(observation, lastSampled, correct, drawn);
    const rank = this.#rankOf(observation);
    if (this.#place[rank] !== ABSENT) {
      throw new Error(`expected an observation that was popped, got ${observation}, which is in the queue`);
    }
    this.#version++;
    this.#setStatistics(rank, lastSampled, correct, drawn);
    this.#put(rank, this.#size);
    this.#rise(this.#size++);
  }

  /** Gives an observation in the queue new statistics and its new place. */
  update(observation: number, lastSampled: number, correct: number, drawn: number): void {
    this.#check(observation, lastSampled, correct, drawn);
    const rank = this.#rankOf(observation);
    const place = this.#place[rank];
    if (place === ABSENT) throw new Error(`expected an observation in the queue, got ${observation}, which was popped`);
    this.#version++;
    this.#setStatistics(rank, lastSampled, correct, drawn);
    this.#rise(place);
    this.#sink(this.#place[rank]);
  }

  #rankOf(observation: number): number {
    return this.#observations === null ? observation : this.#observations.indexOf(observation);
  }

  #observationAt(rank: number): number {
    return this.#observations === null ? rank : this.#observations.at(rank);
  }

  #check(observation: number, lastSampled: number, correct: number, drawn: number): void {
    const valid =
      Number.isInteger(observation) &&
      observation >= 0 &&
      observation < this.#heap.length &&
      lastSampled === lastSampled >>> 0 &&
      isCount(drawn) &&
      isCount(correct) &&
      correct <= drawn;
    if (!valid) {
      throw new Error(
        `expected an observation below ${this.#heap.length}, an iteration below 2^32 and at most ${MAX_TRIES} samples, got observation ${observation}, iteration ${lastSampled}, ${correct} correct of ${drawn}`,
      );
    }
  }

  #setStatistics(rank: number, lastSampled: number, correct: number, drawn: number): void {
    this.#statistics.lastSampled[rank] = lastSampled;
    this.#statistics.correct[rank] = correct;
    this.#statistics.drawn[rank] = drawn;
  }

  /** Whether rank a comes before rank b. A total order: the lower rank comes first among equals. */
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

  #put(rank: number, place: number): void {
    this.#heap[place] = rank;
    this.#place[rank] = place;
  }

  #rise(start: number): void {
    const rank = this.#heap[start];
    let place = start;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#before(rank, this.#heap[parent])) break;
      this.#put(this.#heap[parent], place);
      place = parent;
    }
    this.#put(rank, place);
  }

  #sink(start: number): void {
    const rank = this.#heap[start];
    let place = start;
    for (let child = 2 * place + 1; child < this.#size; child = 2 * place + 1) {
      if (child + 1 < this.#size && this.#before(this.#heap[child + 1], this.#heap[child])) child++;
      if (!this.#before(this.#heap[child], rank)) break;
      this.#put(this.#heap[child], place);
      place = child;
    }
    this.#put(rank, place);
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

  /** Replaces the frontier's first place. */
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

/** Whether a value fits the byte that a count is kept in. */
function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= MAX_TRIES;
}

/** Bits of a byte that are 1. */
function onesIn(byte: number): number {
  let ones = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) ones++;
  return ones;
}
