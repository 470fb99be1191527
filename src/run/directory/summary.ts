/** What a run came to, from its journal. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { sum } from "../../statistics/descriptive.js";
import type { RunConfig } from "../config/fields.js";
import type { IterationRecord, RunSummary } from "../events.js";
import { modelReference } from "../open-engine.js";
import { type CheckpointDigest, findEntry, type JournalEntry } from "./journal.js";

/** The finished iterations, in order. */
export function committedRecords(entries: readonly JournalEntry[]): IterationRecord[] {
  return entries.flatMap((entry) => (entry.kind === "committed" ? [entry.record] : []));
}

/** The iteration whose model did best on the test set, the earliest among equals; 0 when there is none. */
export function bestIteration(records: readonly IterationRecord[]): number {
  let best: IterationRecord | undefined;
  for (const record of records) if (best === undefined || record.testAccuracy > best.testAccuracy) best = record;
  return best?.iteration ?? 0;
}

/**
 * The run so far. `checkpoint` is that of the last finished iteration, the base model before the first one. The base
 * counts as iteration 0 when the best is chosen; its accuracy is NaN before it is known. `seconds` are those of the
 * phases, over all sessions.
 */
export function summarize(
  dir: string,
  config: RunConfig,
  entries: readonly JournalEntry[],
  status: RunSummary["status"],
): RunSummary {
  const records = committedRecords(entries);
  const last = records.at(-1);
  const trained = last === undefined ? undefined : findEntry(entries, "trained", last.iteration);
  const baseAccuracy = findEntry(entries, "evaluated", 0)?.result.accuracy ?? Number.NaN;
  const best = records.find(({ iteration }) => iteration === bestIteration(records));
  const improved = best !== undefined && best.testAccuracy > baseAccuracy;
  return {
    status,
    runDir: dir,
    checkpoint: trained === undefined ? modelReference(config) : checkpointPath(dir, trained.checkpoint),
    bestCheckpoint: improved ? keptCheckpoint(dir, entries, best.iteration) : modelReference(config),
    iterations: records.length,
    baseAccuracy,
    bestAccuracy: improved ? best.testAccuracy : baseAccuracy,
    bestIteration: improved ? best.iteration : 0,
    ...(last?.everVisited === undefined ? {} : { everVisited: last.everVisited, observations: last.observations }),
    flops: {
      sampling: last?.cumulativeFlops.sampling ?? 0,
      training: last?.cumulativeFlops.training ?? 0,
      total: last?.cumulativeFlops.total ?? 0,
    },
    seconds: sum(entries.map((entry) => ("seconds" in entry ? entry.seconds : 0))),
  };
}

/** The model of an iteration; null if it was removed (`keepCheckpoints`). */
function keptCheckpoint(dir: string, entries: readonly JournalEntry[], iteration: number): string | null {
  const trained = findEntry(entries, "trained", iteration);
  if (trained === undefined) return null;
  const place = checkpointPath(dir, trained.checkpoint);
  return "uri" in trained.checkpoint || existsSync(place) ? place : null;
}

/** Absolute path of a checkpoint, or its URI. */
function checkpointPath(dir: string, checkpoint: CheckpointDigest): string {
  return "folder" in checkpoint ? join(dir, checkpoint.folder) : checkpoint.uri;
}
