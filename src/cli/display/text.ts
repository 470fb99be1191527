/** The wording of the displays. */

import {
  formatCount,
  formatDuration,
  formatFixed,
  formatFlops,
  formatPercent,
  formatRate,
  sparkline,
} from "../../report/format.js";
import { modelLabel } from "../../report/run-table.js";
import type { RunEvent } from "../../run/events.js";
import { timeLeft } from "./eta.js";
import { type Phase, type ProgressState, tokensPerSecond } from "./state.js";

type EventOf<K extends RunEvent["kind"]> = Extract<RunEvent, { kind: K }>;

const PHASE_NAMES = { visiting: "sampling", training: "training", evaluating: "testing" } as const;

/** Method, task, model and run directory. */
export function startLine(event: EventOf<"started">): string {
  return [
    `${event.method} on ${event.task}: ${formatCount(event.observations)} observations, ${formatCount(event.testObservations)} for testing`,
    `model ${modelLabel(event.model)}, ${event.iterations} iterations, seed ${event.seed}`,
    `${event.resumed ? "resumed from" : "run directory"} ${event.runDir}`,
  ].join("\n");
}

/** `iteration 3/8 sampling`; `base model testing` before the first; `testing` outside a run. */
export function phaseLabel(state: ProgressState, phase: Phase): string {
  const name = PHASE_NAMES[phase.kind];
  if (phase.iteration > 0) return `${iterationLabel(state, phase.iteration)} ${name}`;
  return state.started === null ? name : `base model ${name}`;
}

/** `iteration 3/8`; `iteration 3` if the number of iterations is not known. */
function iterationLabel({ started }: ProgressState, iteration: number): string {
  return started === null ? `iteration ${iteration}` : `iteration ${iteration}/${started.iterations}`;
}

/** The progress of a phase as a count. */
export function phaseCount(phase: Phase): string {
  switch (phase.kind) {
    case "visiting":
      return phase.target === null
        ? `${formatCount(phase.correct)} correct`
        : `${formatCount(phase.correct)} of ${formatCount(phase.target)} correct`;
    case "training":
      return `step ${formatCount(phase.step)} of ${formatCount(phase.steps)}`;
    case "evaluating":
      return `${formatCount(phase.done)} of ${formatCount(phase.total)}`;
  }
}

/** Figures of a phase besides its count: observations visited, accuracy so far, tokens per second. */
export function phaseFigures(phase: Phase): string[] {
  const figures: string[] = [];
  if (phase.kind === "visiting") figures.push(`m ${formatCount(phase.visited)}`);
  if (phase.kind === "evaluating" && phase.verified > 0)
    figures.push(`${formatPercent(phase.correct / phase.verified)} so far`);
  const rate = tokensPerSecond(phase);
  if (rate !== null) figures.push(`${formatRate(rate)} tokens/s`);
  return figures;
}

/** α and FLOPs of the iterations done, and the latest loss. */
export function runFigures(state: ProgressState): string[] {
  const last = state.records.at(-1);
  const loss = state.phase?.kind === "training" ? state.phase.loss : (last?.loss ?? null);
  return [
    ...(last === undefined ? [] : [`α ${formatFixed(last.alpha, 2)}`]),
    ...(loss === null ? [] : [`loss ${formatFixed(loss, 3)}`]),
    ...(last === undefined ? [] : [formatFlops(last.cumulativeFlops.total)]),
  ];
}

/** `2 min 05 s, about 3 min 10 s left`; `roughly` until the first iteration is done. */
export function timeFigure(state: ProgressState, now: number): string {
  const left = timeLeft(state, now);
  const spent = formatDuration((now - state.startedAt) / 1000);
  // Less than half a second is never worth a figure: the run is about to say more.
  if (left === null || left.seconds < 0.5) return spent;
  return `${spent}, ${left.rough ? "roughly" : "about"} ${formatDuration(left.seconds)} left`;
}

/** Test accuracy of the base model and after each iteration, oldest first. */
function accuracies(state: ProgressState): number[] {
  const tested = state.records.map((record) => record.testAccuracy);
  return state.baseAccuracy === null ? tested : [state.baseAccuracy, ...tested];
}

/** `▁▃▆▇ 52.1 % → 81.3 %, best 82.0 %`; the bars show the latest `bars` values on a scale from 0 to 100 %. */
export function accuracyFigure(state: ProgressState, bars: number): string {
  const values = accuracies(state);
  const first = values[0];
  const latest = values.at(-1);
  if (first === undefined || latest === undefined) return "";
  const line = bars > 0 ? `${sparkline(values.slice(-bars), 0, 1)} ` : "";
  if (values.length === 1) return `${line}${formatPercent(latest)}`;
  return `${line}${formatPercent(first)} → ${formatPercent(latest)}, best ${formatPercent(Math.max(...values))}`;
}

/** The present phase in one line, for logs. */
export function phaseLine(state: ProgressState, now: number): string | null {
  const phase = state.phase;
  if (phase === null) return null;
  const loss = phase.kind === "training" ? [`loss ${formatFixed(phase.loss, 3)}`] : [];
  return `${phaseLabel(state, phase)}: ${[phaseCount(phase), ...loss, ...phaseFigures(phase), timeFigure(state, now)].join(", ")}`;
}

/** A finished evaluation of the base model, or a finished iteration, in one line. */
export function iterationLine(state: ProgressState, event: EventOf<"base"> | EventOf<"iteration">): string {
  if (event.kind === "base")
    return `base model: test accuracy ${formatPercent(event.testAccuracy)}, ${formatDuration(event.seconds)}`;
  const { record } = event;
  const seconds = record.seconds.visit + record.seconds.train + record.seconds.evaluate;
  return [
    `${iterationLabel(state, record.iteration)}: m ${formatCount(record.visited)}`,
    `α ${formatFixed(record.alpha, 3)}`,
    `popped ${formatCount(record.popped)}`,
    `|D₊| ${formatCount(record.kept)}`,
    `loss ${formatFixed(record.loss, 4)}`,
    `test accuracy ${formatPercent(record.testAccuracy)}`,
    formatFlops(record.cumulativeFlops.total),
    formatDuration(seconds),
  ].join(", ");
}
