/** The interface of all displays of a run. */

import type { Listener } from "../../run/events.js";
import type { ProgressState } from "./state.js";

/** What a display writes to; `process.stderr` in the command line. */
export interface DisplayStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface RunDisplay {
  /** Takes every event of the run, in order. */
  readonly listener: Listener;
  readonly state: ProgressState;
  /** Writes lines that stay, above the lines that are redrawn. */
  note(text: string): void;
  /** Removes the lines that are redrawn. */
  close(): void;
}
