/** Where a run shows what it does: redrawn lines on a terminal, plain periodic lines anywhere else. */

import type { Listener } from "../../run/events.js";
import { LiveDisplay } from "./live.js";
import { PlainDisplay } from "./plain.js";
import type { ProgressState } from "./state.js";

/** What a display writes to; `process.stderr` in the command line. */
export interface DisplayStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface RunDisplay {
  /** Takes every event of the run, in order. */
  readonly listener: Listener;
  readonly state: ProgressState;
  /** Writes lines that stay, above whatever is redrawn. */
  note(text: string): void;
  /** Takes away what is redrawn; lines that stay are left. */
  close(): void;
}

export interface DisplayEnvironment {
  readonly NO_COLOR?: string | undefined;
  readonly TERM?: string | undefined;
}

/**
 * A live display when `stream` is a terminal that can move its cursor, else plain lines without any escape code.
 * Colours are left out where NO_COLOR is set and not empty (no-color.org).
 */
export function createDisplay(stream: DisplayStream, environment: DisplayEnvironment): RunDisplay {
  if (stream.isTTY !== true || environment.TERM === "dumb") return new PlainDisplay(stream);
  return new LiveDisplay(stream, { colour: !environment.NO_COLOR });
}
