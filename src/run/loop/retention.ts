/**
 * What a run keeps after an iteration. The base model is kept by reference: the run names its folder and owns none of
 * its files.
 */

import type { RunConfig } from "../config/fields.js";
import { bestIteration, committedRecords } from "../directory/summary.js";
import type { IterationRecord } from "../events.js";
import type { RunContext } from "./context.js";

/**
 * Brings everything that follows from the journal up to date: writes the table and removes what is no longer needed.
 * May be repeated.
 */
export function tidy({ store, config }: Pick<RunContext, "store" | "config">): void {
  const records = committedRecords(store.journal.entries);
  const last = records.length;
  store.writeTable(records);
  store.dropTrainingState(last);
  // An iteration that is trained but not committed continues from its checkpoint.
  store.retain(new Set([...keptIterations(records, config), store.journal.find("trained")?.iteration ?? last]));
}

/**
 * Iterations whose models are kept: always the last, plus the best or all (`keepCheckpoints`), plus every n-th
 * (`keepEvery`).
 */
export function keptIterations(
  records: readonly IterationRecord[],
  { keepCheckpoints, keepEvery }: Pick<RunConfig, "keepCheckpoints" | "keepEvery">,
): number[] {
  const all = records.map(({ iteration }) => iteration);
  const nth = keepEvery === null ? [] : all.filter((iteration) => iteration % keepEvery === 0);
  const chosen = { all, best: [bestIteration(records)], last: [] }[keepCheckpoints];
  return [...new Set([...chosen, ...nth, records.length])].filter((iteration) => iteration > 0);
}
