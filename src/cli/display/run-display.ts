/** What every display of a run has, live or plain. */

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
  /** Writes lines that stay, above whatever is redrawn. */
  note(text: string): void;
  /** Removes what is redrawn and leaves the lines that stay. */
  close(): void;
}
