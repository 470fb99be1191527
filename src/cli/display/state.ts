/** What displays know about a run: its events folded into one value. */

import type { IterationRecord, RunEvent } from "../../run/events.js";

type EventOf<K extends RunEvent["kind"]> = Extract<RunEvent, { kind: K }>;

/** The present phase of a run, with its latest figures. */
export type Phase = EventOf<"visiting"> | EventOf<"training"> | EventOf<"evaluating">;

export interface ProgressState {
  readonly started: EventOf<"started"> | null;
  readonly baseAccuracy: number | null;
  readonly records: readonly IterationRecord[];
  readonly phase: Phase | null;
  /** Seconds of the base model's evaluation, and of sampling and training in the present iteration; null until done. */
  readonly baseSeconds: number | null;
  readonly visitSeconds: number | null;
  readonly trainSeconds: number | null;
  /** Clock readings, in milliseconds. */
  readonly startedAt: number;
  readonly phaseStartedAt: number;
}

export function initialState(now: number): ProgressState {
  return {
    started: null,
    baseAccuracy: null,
    records: [],
    phase: null,
    baseSeconds: null,
    visitSeconds: null,
    trainSeconds: null,
    startedAt: now,
    phaseStartedAt: now,
  };
}

/** The state after `event`, which arrived when the clock read `now` milliseconds. Pure. */
export function advance(state: ProgressState, event: RunEvent, now: number): ProgressState {
  switch (event.kind) {
    case "started":
      return { ...initialState(now), started: event };
    case "visiting":
    case "training":
    case "evaluating":
      return event.kind === state.phase?.kind ? { ...state, phase: event } : nextPhase(state, event, now);
    case "base":
      return { ...state, baseAccuracy: event.testAccuracy, baseSeconds: event.seconds, ...between(now) };
    case "iteration":
      return { ...state, records: [...state.records, event.record], ...between(now) };
    case "samples":
    case "notice":
      return state;
    case "finished":
      return { ...state, baseAccuracy: event.summary.baseAccuracy, phase: null };
  }
}

function nextPhase(state: ProgressState, phase: Phase, now: number): ProgressState {
  const seconds = (now - state.phaseStartedAt) / 1000;
  return {
    ...state,
    phase,
    phaseStartedAt: now,
    visitSeconds: state.phase?.kind === "visiting" ? seconds : state.visitSeconds,
    trainSeconds: state.phase?.kind === "training" ? seconds : state.trainSeconds,
  };
}

/** Resets what belongs to one iteration. */
function between(now: number) {
  return { phase: null, visitSeconds: null, trainSeconds: null, phaseStartedAt: now };
}

/** Tokens a second in the present phase; null before its first tokens. */
export function tokensPerSecond(phase: Phase | null): number | null {
  return phase !== null && phase.seconds > 0 && phase.tokens > 0 ? phase.tokens / phase.seconds : null;
}

/** The finished share of the present phase, in [0, 1]; null if its end is not known. */
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
