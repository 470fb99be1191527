/** How a run stands, as seen from outside: by its journal, its lock and its progress file. */

import { isFinished, type JournalEntry } from "./journal.js";
import type { lockOwner, Owner } from "./lock.js";
import type { Progress } from "./progress.js";

export type RunStatus =
  /** A living process holds the lock. One on another machine cannot be seen from here and is believed to live. */
  | { readonly kind: "running"; readonly owner: Owner }
  /** Ended before it was done, and can be resumed. `killed`: its process ended without giving the lock back. */
  | { readonly kind: "interrupted"; readonly killed: boolean }
  /** The last session ended by an error. It can be resumed once that is fixed. */
  | { readonly kind: "failed"; readonly error: string }
  | { readonly kind: "finished"; readonly reason: string };

export function statusOf(
  entries: readonly JournalEntry[],
  lock: ReturnType<typeof lockOwner>,
  progress: Progress | null,
): RunStatus {
  const last = entries.at(-1);
  // The owner of a finished run only closes it, or checks it.
  if (last?.kind === "finished" && isFinished(entries)) return { kind: "finished", reason: last.reason };
  if (lock?.alive === true) return { kind: "running", owner: lock.owner };
  if (lock === null && progress?.state === "failed") return { kind: "failed", error: progress.error ?? "unknown" };
  return { kind: "interrupted", killed: lock !== null };
}
