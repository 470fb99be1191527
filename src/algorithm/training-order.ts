/** Which entries of D₊ each optimizer step trains on. */

import { seedFor, shuffled } from "./random.js";

export interface TrainingOrder {
  /** |D₊| */
  readonly size: number;
  /** β: entries a step. */
  readonly batchSize: number;
  /** σᵗ; null for one pass over D₊, whose last batch may be short. */
  readonly steps: number | null;
  /** The run's seed. */
  readonly seed: number;
  /** t */
  readonly iteration: number;
}

/** How many batches `trainingBatches` yields. */
export function trainingSteps({ size, batchSize, steps }: TrainingOrder): number {
  if (size === 0) return 0;
  return steps ?? Math.ceil(size / batchSize);
}

/**
 * Yields the batches of an iteration, each as indices into D₊: D₊ in a random order, then again in another one, and so
 * on, cut into batches without regard for where a pass ends (STaR, appendix: training cycles through D₊ for σᵗ steps).
 * Every order is keyed by (seed, iteration, pass), so the batch of any step can be repeated by skipping those before
 * it. An empty D₊ yields nothing.
 */
export function* trainingBatches(order: TrainingOrder): Generator<readonly number[], void, undefined> {
  const { size, batchSize, seed, iteration } = order;
  const entries = order.steps === null ? size : trainingSteps(order) * batchSize;
  let pass = 0;
  let permutation: Uint32Array = new Uint32Array(0);
  let next = 0;
  for (let done = 0; done < entries; ) {
    const batch: number[] = [];
    for (; batch.length < batchSize && done < entries; done++) {
      if (next === permutation.length) {
        permutation = shuffled(size, seedFor(seed, "training-order", iteration, 0, pass++));
        next = 0;
      }
      batch.push(permutation[next++]);
    }
    yield batch;
  }
}
