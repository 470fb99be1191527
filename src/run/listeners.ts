/** Several listeners as one, none of which can end a run. */

import { messageOf } from "../errors.js";
import type { Listener, RunEvent } from "./events.js";

/** What a caller of a run may pass: one listener or several. */
export type Listeners = Listener | readonly Listener[];

/**
 * Passes every event to all listeners, in their order. A listener that throws, or whose promise rejects, gets no
 * further events, and the other listeners get one notice about it.
 */
export function tee(listeners: Listeners): Listener {
  const active = new Set(typeof listeners === "function" ? [listeners] : listeners);
  const drop = (listener: Listener, error: unknown) => {
    if (!active.delete(listener)) return;
    emit({
      kind: "notice",
      text: `a listener of the run failed and gets no further events; the run continues: ${messageOf(error)}`,
    });
  };
  const emit = (event: RunEvent) => {
    for (const listener of active) {
      try {
        // An async function is a Listener for TypeScript, too.
        const result: unknown = listener(event);
        if (result instanceof Promise) result.catch((error: unknown) => drop(listener, error));
      } catch (error) {
        drop(listener, error);
      }
    }
  };
  return emit;
}
