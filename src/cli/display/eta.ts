/** Estimates how long a run will still take, from what it has done so far. */

import type { IterationRecord } from "../../run/events.js";
import { type Phase, type ProgressState, phaseShare } from "./state.js";

export interface TimeLeft {
  readonly seconds: number;
  /** No iteration is finished yet, so the time of phases that have not begun is a guess. */
  readonly rough: boolean;
}

type PhaseSeconds = IterationRecord["seconds"];

const ORDER = ["visit", "train", "evaluate"] as const satisfies readonly (keyof PhaseSeconds)[];
const KEY_OF = { visiting: "visit", training: "train", evaluating: "evaluate" } as const satisfies Record<
  Phase["kind"],
  keyof PhaseSeconds
>;

/** The share of a phase that must be done before its pace is used for an estimate. */
const MIN_SHARE = 0.05;

/** Bounds of the factor between the step counts of two iterations: a step schedule grows slowly and never shrinks. */
const [MIN_GROWTH, MAX_GROWTH] = [1, 2] as const;

/**
 * Time until the run ends; null while nothing is known. The rest of the present phase follows from its pace. Later
 * phases take as long as in the last iteration, times the growth of the step schedule. In the first iteration, training
 * is assumed to take as long as sampling.
 */
export function timeLeft(state: ProgressState, now: number): TimeLeft | null {
  const { started, phase } = state;
  if (started === null) return null;
  const last = state.records.at(-1);
  const ahead = started.iterations - (last?.iteration ?? 0);
  if (ahead <= 0) return { seconds: 0, rough: false };
  const growth = stepGrowth(state.records);
  const present = phase === null ? null : presentPhase(state, phase, now);
  const expected = last === undefined ? firstIteration(state, present) : grown(last.seconds, growth);
  if (expected === null) return null;
  let seconds = restOfIteration(phase, present, expected);
  let next = expected;
  for (let i = 1; i < ahead; i++) {
    next = grown(next, growth);
    seconds += sum(next);
  }
  return { seconds, rough: last === undefined };
}

/** Seconds that the present phase has taken and, if its pace is known, will take in total. */
function presentPhase(state: ProgressState, phase: Phase, now: number): { elapsed: number; total: number | null } {
  const elapsed = (now - state.phaseStartedAt) / 1000;
  const share = phaseShare(phase, state.started?.observations ?? 0);
  return { elapsed, total: share === null || share < MIN_SHARE ? null : elapsed / share };
}

/** What the first iteration may take; null before its own pace is known. */
function firstIteration(state: ProgressState, present: { total: number | null } | null): PhaseSeconds | null {
  const { phase } = state;
  if (phase === null || phase.iteration === 0 || present === null || present.total === null) return null;
  const evaluate = state.baseSeconds ?? 0;
  const visit = state.visitSeconds ?? present.total;
  if (phase.kind === "visiting") return { visit, train: visit, evaluate };
  if (phase.kind === "training") return { visit, train: present.total, evaluate };
  return { visit, train: state.trainSeconds ?? visit, evaluate: present.total };
}

/** Seconds from now to the end of the present iteration. */
function restOfIteration(
  phase: Phase | null,
  present: { elapsed: number; total: number | null } | null,
  expected: PhaseSeconds,
): number {
  if (phase === null || present === null || phase.iteration === 0) return sum(expected);
  const key = KEY_OF[phase.kind];
  const rest = Math.max(0, (present.total ?? expected[key]) - present.elapsed);
  const later = ORDER.slice(ORDER.indexOf(key) + 1);
  return later.reduce((seconds, name) => seconds + expected[name], rest);
}

function stepGrowth(records: readonly IterationRecord[]): number {
  const [before, last] = records.slice(-2);
  if (last === undefined || before.steps === 0) return 1;
  return Math.min(Math.max(last.steps / before.steps, MIN_GROWTH), MAX_GROWTH);
}

/** Only sampling and training grow; the test set keeps its size. */
function grown({ visit, train, evaluate }: PhaseSeconds, growth: number): PhaseSeconds {
  return { visit: visit * growth, train: train * growth, evaluate };
}

function sum({ visit, train, evaluate }: PhaseSeconds): number {
  return visit + train + evaluate;
}
