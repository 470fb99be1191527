/** Chooses how a run is shown: redrawn lines on a terminal, plain periodic lines anywhere else. */

import { LiveDisplay } from "./live.js";
import { PlainDisplay } from "./plain.js";
import type { DisplayStream, RunDisplay } from "./run-display.js";

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
