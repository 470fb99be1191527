/**
 * Algorithm 1 as the paper states it, one observation and one sample at a time, with real pops and pushes: what the
 * batched iteration is compared with. It shares the queue, the gate and the random numbers with the iteration, and
 * nothing of how they are put together.
 */

import { gateCount } from "../../src/algorithm/curriculum.js";
import type { TryRequest } from "../../src/algorithm/iteration.js";
import type { Method } from "../../src/algorithm/methods.js";
import { ObservationQueue } from "../../src/algorithm/observation-queue.js";
import { seedFor, shuffled } from "../../src/algorithm/random.js";

export interface SequentialResult {
  /** Visited observations in order, each with its tries. */
  readonly visited: readonly { observation: number; correct: number; drawn: number }[];
  /** D₊ as `observation/attempt`. */
  readonly kept: readonly string[];
  /** Every try as `observation/attempt`. */
  readonly tries: readonly string[];
  readonly solved: number;
  readonly updated: number;
}

/** One iteration; changes the queue. */
export function sequentialIteration(
  method: Method,
  queue: ObservationQueue,
  iteration: number,
  seed: number,
  target: number | null,
  power: number,
  drawOne: (request: TryRequest) => { readonly correct: boolean },
): SequentialResult {
  const peeked = ObservationQueue.restore(queue.serialize());
  const order = shuffled(queue.size, seedFor(seed, "visit-order", iteration));
  const visited: { observation: number; correct: number; drawn: number }[] = [];
  const pool: string[] = [];
  const tries: string[] = [];
  // 2. While |D₊| < βᵗ: take the next observation, draw, add what is correct.
  while (method.visits === "all" || target === null || pool.length < target) {
    const next = method.visits === "queue" ? peeked.pop() : order.at(visited.length);
    if (next === undefined || visited.length === queue.size) break;
    let correct = 0;
    let drawn = 0;
    for (let attempt = 1; attempt <= method.tries; attempt++) {
      if (method.retry === "failures" && correct > 0) break;
      const outcome = drawOne({ observation: next, attempt, hinted: method.rationalize && attempt >= 2 });
      drawn++;
      tries.push(`${next}/${attempt}`);
      if (!outcome.correct) continue;
      correct++;
      if (method.keepPerObservation === null || correct <= method.keepPerObservation) pool.push(`${next}/${attempt}`);
    }
    visited.push({ observation: next, correct, drawn });
  }
  queue.recordVisits(visited.map(({ observation }) => observation));
  // 3. What the model is trained on.
  let kept = pool;
  if (target !== null && pool.length > target) {
    const random = shuffled(pool.length, seedFor(seed, "keep", iteration)).slice(0, target);
    kept = method.visits !== "all" ? pool.slice(0, target) : pool.filter((_, i) => random.includes(i));
  }
  // 4. Pop ⌊m·αᵖ⌋, give them their new statistics, push them back.
  const solved = visited.filter(({ correct }) => correct > 0).length;
  const updated = method.curriculum === "gate" ? gateCount(visited.length, solved, power) : visited.length;
  const statistics = new Map(visited.map((entry) => [entry.observation, entry]));
  // Under any other order than the queue's its top need not be among the visited: they are updated where they stand.
  const chosen =
    method.visits === "queue"
      ? Array.from({ length: updated }, () => queue.pop())
      : visited.slice(0, updated).map(({ observation }) => observation);
  for (const observation of chosen) {
    const entry = observation === undefined ? undefined : statistics.get(observation);
    if (entry === undefined) throw new Error(`expected to pop visited observations only, got ${observation}`);
    if (method.visits === "queue") queue.push(entry.observation, iteration, entry.correct, entry.drawn);
    else queue.update(entry.observation, iteration, entry.correct, entry.drawn);
  }
  return { visited, kept, tries, solved, updated };
}
