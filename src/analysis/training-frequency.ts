/** How often each observation was trained on, from a run directory alone. */

import { trainingBatches } from "../algorithm/training-order.js";
import type { RunReader } from "../run/directory/reader.js";

/** N, from the queue that the last finished iteration left; 0 before there is one. */
export function observationCount(run: RunReader): number {
  const committed = run.find("committed");
  return committed === undefined ? 0 : (run.queue(committed.iteration)?.lastSampled.length ?? 0);
}

/**
 * After iterations 1 … `upTo` in turn, how many training examples each observation has given since the start: entries
 * of D₊, as often as the passes of training came to them. The array is the same one each time; copy what is to be kept.
 */
export function* trainingCounts(run: RunReader, upTo: number): Generator<Uint32Array> {
  const counts = new Uint32Array(observationCount(run));
  for (let iteration = 1; iteration <= upTo; iteration++) {
    for (const observation of trainedExamples(run, iteration)) counts[observation]++;
    yield counts;
  }
}

/** The same as arrays of their own, one for each iteration: 4 N bytes each. */
export function trainingFrequencies(run: RunReader, upTo: number): readonly Uint32Array[] {
  return Array.from(trainingCounts(run, upTo), (counts) => counts.slice());
}

/** Observations of an iteration's training examples, in the order trained on; none before its training is done. */
export function* trainedExamples(run: RunReader, iteration: number): Generator<number> {
  const trained = run.find("trained", iteration);
  if (run.find("visited", iteration) === undefined || trained === undefined) return;
  const kept = Uint32Array.from(run.kept(iteration), ({ observation }) => observation);
  const batches = trainingBatches({
    size: kept.length,
    batchSize: run.config.batchSize,
    steps: run.opened.method.batch === "schedule" ? trained.result.steps : null,
    seed: run.config.seed,
    iteration,
  });
  for (const batch of batches) for (const entry of batch) yield kept[entry];
}
