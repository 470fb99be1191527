/** What the displays know of a run: the events folded into one value, and what follows from it. */

import type { IterationRecord, RunEvent } from "../../run/events.js";

type EventOf<K extends RunEvent["kind"]> = Extract<RunEvent, { kind: K }>;

/** The phase a run is in, with its latest figures. */
export type Phase = EventOf<"visiting"> | EventOf<"training"> | EventOf<"evaluating">;

export interface ProgressState {
  readonly started: EventOf<"started"> | null;
  readonly baseAccuracy: number | null;
  readonly records: readonly IterationRecord[];
  readonly phase: Phase | null;
  /** Clock readings, in milliseconds. */
  readonly startedAt: number;
  readonly iterationStartedAt: number;
}

export function initialState(now: number): ProgressState {
  return { started: null, baseAccuracy: null, records: [], phase: null, startedAt: now, iterationStartedAt: now };
}

/** The state after `event`, which arrived when the clock read `now` milliseconds. Pure. */
export function advance(state: ProgressState, event: RunEvent, now: number): ProgressState {
  switch (event.kind) {
    case "started":
      return { ...initialState(now), started: event };
    case "visiting":
    case "training":
    case "evaluating":
      return { ...state, phase: event };
    case "base":
      return { ...state, baseAccuracy: event.testAccuracy, phase: null, iterationStartedAt: now };
    case "iteration":
      return { ...state, records: [...state.records, event.record], phase: null, iterationStartedAt: now };
    case "notice":
      return state;
    case "finished":
      return { ...state, baseAccuracy: event.summary.baseAccuracy, phase: null };
  }
}

/** Tokens a second in the present phase; null before its first tokens. */
export function tokensPerSecond(phase: Phase | null): number | null {
  return phase !== null && phase.seconds > 0 && phase.tokens > 0 ? phase.tokens / phase.seconds : null;
}

/** How far the present phase is, in [0, 1]; null when it has no known end. */
export function phaseShare(phase: Phase | null, observations: number): number | null {
  if (phase === null) return null;
  const [done, total] =
    phase.kind === "visiting"
      ? phase.target === null
        ? [phase.visited, observations]
        : [phase.correct, phase.target]
      : phase.kind === "training"
        ? [phase.step, phase.steps]
        : [phase.done, phase.total];
  return total > 0 ? Math.min(1, done / total) : null;
}

/**
 * Seconds the run will take from now on, or null before the first iteration is done. It supposes that each iteration takes as long as
 * the last one, times the growth of the step schedule that the last two showed.
 */
export function secondsLeft(state: ProgressState, now: number): number | null {
  const last = state.records.at(-1);
  if (state.started === null || last === undefined) return null;
  const ahead = state.started.iterations - last.iteration;
  if (ahead <= 0) return 0;
  const before = state.records.at(-2);
  const growth = before !== undefined && before.steps > 0 ? Math.min(Math.max(last.steps / before.steps, 1), 2) : 1;
  let next = growth * (last.seconds.visit + last.seconds.train + last.seconds.evaluate);
  let left = Math.max(0, next - (now - state.iterationStartedAt) / 1000);
  for (let i = 1; i < ahead; i++) {
    next *= growth;
    left += next;
  }
  return left;
}
