/** What a run keeps once an iteration is done. The base model is kept by reference: the run names its folder and owns none of its files. */

import type { RunConfig } from "../config/fields.js";
import { bestIteration, committedRecords } from "../directory/summary.js";
import type { IterationRecord } from "../events.js";
import type { RunContext } from "./context.js";

/** Does again, or for the first time, what follows from the journal: the table, and the removal of what is no longer needed. */
export function tidy({ store, config }: Pick<RunContext, "store" | "config">): void {
  const records = committedRecords(store.journal.entries);
  const last = records.length;
  store.writeTable(records);
  store.dropTrainingState(last);
  // An iteration that is trained and not yet committed goes on from its checkpoint.
  store.retain(new Set([...keptIterations(records, config), store.journal.find("trained")?.iteration ?? last]));
}

/** Iterations whose models stay: always the last; by `keepCheckpoints` the best or all; by `keepEvery` each n-th. */
export function keptIterations(
  records: readonly IterationRecord[],
  { keepCheckpoints, keepEvery }: Pick<RunConfig, "keepCheckpoints" | "keepEvery">,
): number[] {
  const all = records.map(({ iteration }) => iteration);
  const nth = keepEvery === null ? [] : all.filter((iteration) => iteration % keepEvery === 0);
  const chosen = { all, best: [bestIteration(records)], last: [] }[keepCheckpoints];
  return [...new Set([...chosen, ...nth, records.length])].filter((iteration) => iteration > 0);
}
