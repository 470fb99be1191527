/** One seed of a method within the budget. */

import type { ComparedRun } from "../../analysis/compared-runs.js";
import { meanOfKnown, populationDeviation } from "../../statistics/descriptive.js";
import { quarterPersistence } from "../../statistics/quarters.js";
import { averageAccuracy, bestPoint, costToReach, withinBudget } from "./curve.js";

/** FLOPs are those of training, from the start of the run. */
export interface SeedResult {
  readonly seed: number;
  /** Area under accuracy over FLOPs up to the budget, divided by the budget. */
  readonly averageAccuracy: number;
  /** At which the target was first reached; null where it was not. */
  readonly flopsToTarget: number | null;
  /** Best test accuracy, as when training is stopped early there. */
  readonly accuracy: number;
  /** Of the best accuracy; 0: the base model. */
  readonly iteration: number;
  /** Iterations within the budget. */
  readonly iterations: number;
  /** Up to the best accuracy. */
  readonly flops: number;
  /** Sampling's part of `flops`. */
  readonly samplingFlops: number;
  /** `flops`, had no sample shared the worked examples. */
  readonly unsharedFlops: number;
  /** Of the last model within the budget, which no look at the test has chosen. */
  readonly finalAccuracy: number;
  /** Over the whole run within the budget; null where nothing was trained. */
  readonly trainingFrequencySd: number | null;
  /** Share of the observations that were never trained on. */
  readonly neverTrained: number | null;
  /** Mean share of an iteration's observations that the iteration before trained on, too; null before iteration 2. */
  readonly repeated: number | null;
  /** Null where there are not enough iterations. */
  readonly leastTrainedStay: number | null;
  readonly mostTrainedStay: number | null;
}

/** Iterations over which the quarters of the least and the most trained are followed (AdaSTaR, Figure 3). */
const PERSISTENCE_GAP = 3;

/** @param whole the run with all its models, those beyond the budget included */
export function seedResult(whole: ComparedRun, budget: number, target: number): SeedResult {
  const run = withinBudget(whole, budget);
  const best = bestPoint(run.points);
  const last = run.points[run.points.length - 1];
  const now = run.frequencies[last.iteration - 1];
  const before = run.frequencies[last.iteration - 1 - PERSISTENCE_GAP];
  const stay = (which: "least" | "most") =>
    now === undefined || before === undefined ? null : quarterPersistence(before, now, which);
  return {
    seed: run.seed,
    averageAccuracy: averageAccuracy(whole.points, budget),
    flopsToTarget: costToReach(run, target),
    accuracy: best.accuracy,
    iteration: best.iteration,
    iterations: last.iteration,
    flops: best.flops,
    samplingFlops: best.samplingFlops,
    unsharedFlops: best.unsharedFlops,
    finalAccuracy: last.accuracy,
    trainingFrequencySd: now === undefined ? null : populationDeviation(now),
    neverTrained: now === undefined ? null : Array.from(now).filter((times) => times === 0).length / now.length,
    repeated: repeatedShare(run.frequencies.slice(0, last.iteration)),
    leastTrainedStay: stay("least"),
    mostTrainedStay: stay("most"),
  };
}

/** @param frequencies times that each observation was trained on by the end of iterations 1, 2, … */
function repeatedShare(frequencies: readonly ArrayLike<number>[]): number | null {
  const trained = frequencies.map((now, t) =>
    Array.from(now).flatMap((times, i) => (times > (frequencies[t - 1]?.[i] ?? 0) ? [i] : [])),
  );
  const shares = trained.slice(1).map((now, t) => {
    const before = new Set(trained[t]);
    return now.length === 0 ? null : now.filter((i) => before.has(i)).length / now.length;
  });
  return meanOfKnown(shares);
}
