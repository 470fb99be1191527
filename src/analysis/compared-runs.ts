/** The figures of runs that comparisons use. */

import type { EvaluationKind } from "../algorithm/methods.js";
import { engineNamed } from "../engine/registry.js";
import { type EntryOf, findEntry } from "../run/directory/journal.js";
import { RunReader } from "../run/directory/reader.js";
import { trainingFrequencies } from "./training-frequency.js";

/** A model of a run. */
export interface CurvePoint {
  /** 0: the base model. */
  readonly iteration: number;
  /** Training FLOPs from the start. */
  readonly flops: number;
  /** Sampling's part of `flops`. */
  readonly samplingFlops: number;
  /** `flops`, had every sample computed the worked examples itself. */
  readonly unsharedFlops: number;
  /** Test accuracy, in [0, 1]. */
  readonly accuracy: number;
  /** Share of this iteration's D₊ with a right answer after a wrong step; null where steps are not checked. */
  readonly wrongSteps: number | null;
  /** The engine's digest of the weights; null where it was not recorded. */
  readonly weights: string | null;
}

/** Right answers to the test's questions. */
export function correctOf({ accuracy }: Pick<CurvePoint, "accuracy">, testQuestions: number): number {
  return Math.round(accuracy * testQuestions);
}

/** One run under one of its evaluations. */
export interface ComparedRun {
  /** Its name in reports: the method, and the evaluation where it is not the first. */
  readonly method: string;
  readonly seed: number;
  /** Visits every observation, so it is no variant of AdaSTaR's order. */
  readonly baseline: boolean;
  readonly testQuestions: number;
  /** In order; the first is the base model. */
  readonly points: readonly CurvePoint[];
  /** Times that each observation was trained on by the end of iterations 1, 2, … */
  readonly frequencies: readonly ArrayLike<number>[];
}

/**
 * The run in `dir` under each of its evaluations, up to `iterations`; none where its base model was not tested yet.
 * Throws UserError when there is no run.
 */
export function comparedRuns(dir: string, method: string, iterations = Number.POSITIVE_INFINITY): ComparedRun[] {
  const run = RunReader.open(dir);
  const { config, entries } = run;
  const records = run.records.filter(({ iteration }) => iteration <= iterations);
  const opened = findEntry(entries, "opened");
  const base = findEntry(entries, "evaluated", 0);
  if (opened === undefined || base === undefined) return [];
  const frequencies = trainingFrequencies(run, records.length);
  return opened.method.evaluations.map(
    (kind, i): ComparedRun => ({
      method: i === 0 ? method : `${method} (${kind})`,
      seed: config.seed,
      baseline: opened.method.visits === "all",
      testQuestions: base.result.observations,
      points: [
        {
          iteration: 0,
          flops: 0,
          samplingFlops: 0,
          unsharedFlops: 0,
          accuracy: accuracyOf(base, kind),
          wrongSteps: null,
          weights: opened.weights,
        },
        ...records.map(({ iteration, cumulativeFlops, testAccuracy, accuracies, wrongSteps }) => ({
          iteration,
          flops: cumulativeFlops.total,
          samplingFlops: cumulativeFlops.sampling,
          unsharedFlops: cumulativeFlops.total - cumulativeFlops.sampling + cumulativeFlops.samplingUnshared,
          accuracy: accuracies[kind] ?? testAccuracy,
          // The simulated learner writes no steps that a program could check.
          wrongSteps: engineNamed(config.engine).capabilities.simulated ? null : wrongSteps,
          weights: findEntry(entries, "trained", iteration)?.checkpoint.weights ?? null,
        })),
      ],
      frequencies,
    }),
  );
}

function accuracyOf({ result, further }: EntryOf<"evaluated">, kind: EvaluationKind): number {
  return (further?.[kind] ?? result).accuracy;
}
