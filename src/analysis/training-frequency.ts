/** How often each observation was trained on, from a run directory alone. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readQueue } from "../algorithm/queue-format.js";
import { trainingBatches } from "../algorithm/training-order.js";
import { findEntry } from "../run/directory/journal.js";
import type { RunView } from "../run/directory/reader.js";
import { readSealedLog } from "../run/directory/sealed-log.js";

/** N, from the queue that the first finished iteration left; 0 before that. */
export function observationCount(dir: string, { entries }: Pick<RunView, "entries">): number {
  const committed = findEntry(entries, "committed");
  if (committed === undefined) return 0;
  return readQueue(readFileSync(join(dir, committed.queue.path))).statistics.lastSampled.length;
}

/**
 * By iteration 1 … `upTo`, how many training examples each observation has given since the start: entries of D₊, as often as the passes of
 * training came by them.
 */
export function trainingFrequencies(
  dir: string,
  { config, entries }: Pick<RunView, "config" | "entries">,
  upTo: number,
): readonly Uint32Array[] {
  const opened = findEntry(entries, "opened");
  let counts = new Uint32Array(observationCount(dir, { entries }));
  return Array.from({ length: upTo }, (_, i) => {
    const iteration = i + 1;
    counts = counts.slice();
    const visited = findEntry(entries, "visited", iteration);
    const trained = findEntry(entries, "trained", iteration);
    if (opened === undefined || visited === undefined || trained === undefined) return counts;
    const kept = readSealedLog<{ readonly observation: number }>(join(dir, visited.kept.path));
    const batches = trainingBatches({
      size: kept.length,
      batchSize: config.batchSize,
      steps: opened.method.batch === "schedule" ? trained.result.steps : null,
      seed: config.seed,
      iteration,
    });
    for (const batch of batches) for (const entry of batch) counts[kept[entry].observation]++;
    return counts;
  });
}
