/**
 * Methods against each other, from the runs of several seeds under one budget of training FLOPs.
 *
 * Every run counts as far as it came within the budget and is stopped early there: at the iteration with the best test accuracy, the base model
 * being iteration 0 (AdaSTaR, section 4.1: accuracy, iteration, PFLOPs). Choosing by test accuracy flatters every method, those with many iterations
 * more, so the latest models within the budget are compared as well.
 */

import type { ComparedRun, CurvePoint } from "../analysis/compared-runs.js";
import {
  bootstrap,
  type Estimate,
  mean,
  median,
  populationDeviation,
  quarterPersistence,
} from "../statistics/statistics.js";

/** One seed of a method, stopped early within the budget. */
export interface SeedResult {
  readonly seed: number;
  readonly accuracy: number;
  readonly iteration: number;
  /** Iterations within the budget. */
  readonly iterations: number;
  readonly flops: number;
  /** Of these, those of sampling. */
  readonly samplingFlops: number;
  /** What they would have been, had no sample shared the worked examples. */
  readonly unsharedFlops: number;
  /** Of the latest model within the budget, which no look at the test has chosen. */
  readonly finalAccuracy: number;
  /** Of the latest model at every cost from 0 to the budget, on average: the area under the learning curve. */
  readonly averageAccuracy: number;
  /** FLOPs at which the target was first reached; null where it was not. */
  readonly flopsToTarget: number | null;
  /** Of the whole run within the budget; null where nothing was trained. */
  readonly trainingFrequencySd: number | null;
  /** Share of the observations that were never trained on. */
  readonly neverTrained: number | null;
  /** Of the observations that an iteration trained on, those that the one before it trained on, too: the mean share over iterations 2, 3, …; null before. */
  readonly repeated: number | null;
  /** Null where there are not enough iterations. */
  readonly leastTrainedStay: number | null;
  readonly mostTrainedStay: number | null;
}

export interface MethodResult {
  readonly method: string;
  readonly baseline: boolean;
  readonly seeds: readonly SeedResult[];
  readonly accuracy: Estimate;
  readonly iteration: number;
  readonly flops: Estimate;
  /** Share of sampling in them; null where nothing was spent. */
  readonly samplingShare: number | null;
  /** Mean of what they would have been, had no sample shared the worked examples. */
  readonly unsharedFlops: number;
  /** Seeds that the most accurate baseline has as well: what figures against it are made of; 0 for that baseline itself. */
  readonly pairs: number;
  /**
   * 1 − FLOPs / the most accurate baseline's FLOPs; null for that baseline itself, and where either one's base model was never made better, at no
   * cost. Below 0: it cost more.
   */
  readonly flopsSaved: Estimate | null;
  /** Accuracy less that of the most accurate baseline, paired by seed; null for that baseline itself. */
  readonly accuracyGained: Estimate | null;
  readonly finalAccuracy: Estimate;
  /** The same difference as `accuracyGained`, between the latest models. */
  readonly finalAccuracyGained: Estimate | null;
  readonly averageAccuracy: Estimate;
  readonly averageAccuracyGained: Estimate | null;
  readonly reachedTarget: number;
  /** Median over all seeds; null where half or more did not reach it. */
  readonly flopsToTarget: number | null;
  /** Mean over all seeds of what was spent until the target was reached or the budget was used up: the restricted mean of survival analysis. */
  readonly flopsUntilTarget: Estimate;
  /** 1 − that / the most accurate baseline's, paired by seed; null for that baseline itself, and where that needed nothing. */
  readonly flopsUntilTargetSaved: Estimate | null;
  readonly trainingFrequencySd: number | null;
  readonly neverTrained: number | null;
  readonly repeated: number | null;
  readonly leastTrainedStay: number | null;
  readonly mostTrainedStay: number | null;
  /** By iteration 1, 2, …, the mean over the seeds that came so far; null where steps are not checked. */
  readonly wrongSteps: readonly (number | null)[];
}

export interface Comparison {
  /** Training FLOPs that every run may count. */
  readonly budget: number;
  /** Test accuracy whose cost is compared. */
  readonly target: number;
  /** The most accurate of the methods that visit everything, or of all where there are none; of those with the most seeds. */
  readonly mostAccurateBaseline: string;
  /** Confidence of all intervals. */
  readonly level: number;
  readonly methods: readonly MethodResult[];
}

export interface CompareOptions {
  /** When left out, what the run that spent least has spent: so far, every run can be followed. */
  readonly budget?: number | undefined;
  /** When left out, the mean accuracy of the most accurate baseline. */
  readonly target?: number | undefined;
}

/** Iterations over which the quarters of the least and the most trained are followed (AdaSTaR, Figure 3). */
const PERSISTENCE_GAP = 3;
const LEVEL = 0.95;

/** @param runs at least one; every method as many seeds as came to an end */
export function compareMethods(runs: readonly ComparedRun[], options: CompareOptions = {}): Comparison {
  const budget = options.budget ?? Math.min(...runs.map(({ points }) => points.at(-1)?.flops ?? 0));
  const methods = [...new Set(runs.map(({ method }) => method))].map((method) => {
    const own = runs.filter((run) => run.method === method).map((run) => within(run, budget));
    return {
      method,
      runs: own,
      accuracy: mean(own.map((run) => bestPoint(run).accuracy)),
      cost: mean(own.map((run) => bestPoint(run).flops)),
    };
  });
  const most = Math.max(...methods.map(({ runs: own }) => own.length));
  const baselines = methods.filter(({ runs: own }) => own[0].baseline);
  // One that lost seeds may be the most accurate by the luck of those that are left.
  const whole = (baselines.length > 0 ? baselines : methods).filter(({ runs: own }) => own.length === most);
  const best = (whole.length > 0 ? whole : baselines).reduce((leader, other) =>
    other.accuracy > leader.accuracy || (other.accuracy === leader.accuracy && other.cost < leader.cost)
      ? other
      : leader,
  );
  const target = options.target ?? best.accuracy;
  const seeds = new Map(
    methods.map(({ method, runs: own }) => [method, own.map((run) => seedResult(run, budget, target))]),
  );
  const rivals = seeds.get(best.method) ?? [];
  return {
    budget,
    target,
    mostAccurateBaseline: best.method,
    level: LEVEL,
    methods: methods.map(({ method, runs: own }) =>
      resultOf(method, own, seeds.get(method) ?? [], method === best.method ? [] : rivals, budget),
    ),
  };
}

function within(run: ComparedRun, budget: number): ComparedRun {
  return { ...run, points: run.points.filter(({ flops }) => flops <= budget) };
}

/** The most accurate model, the earliest among equals. */
function bestPoint({ points }: ComparedRun): CurvePoint {
  return points.reduce((best, point) => (point.accuracy > best.accuracy ? point : best));
}

function resultOf(
  method: string,
  runs: readonly ComparedRun[],
  seeds: readonly SeedResult[],
  rivals: readonly SeedResult[],
  budget: number,
): MethodResult {
  const pairs = seeds.flatMap((own) => {
    const other = rivals.find(({ seed }) => seed === own.seed);
    return other === undefined ? [] : [{ own, other }];
  });
  type Figure = (seed: SeedResult) => number;
  const over = (figure: Figure) => bootstrap(seeds.map(figure), mean, { level: LEVEL });
  const overPairs = (statistic: (all: typeof pairs) => number) =>
    pairs.length === 0 ? null : bootstrap(pairs, (all) => statistic([...all]), { level: LEVEL });
  const gained = (figure: Figure) => overPairs((all) => mean(all.map(({ own, other }) => figure(own) - figure(other))));
  const saved = (figure: Figure) => {
    const estimate = overPairs((all) => {
      const theirs = mean(all.map(({ other }) => figure(other)));
      // A baseline that was best before any training cost nothing, and nothing can be saved on it.
      return theirs === 0 ? Number.NaN : 1 - mean(all.map(({ own }) => figure(own))) / theirs;
    });
    return estimate === null || Number.isNaN(estimate.mean) ? null : estimate;
  };
  const untilTarget: Figure = ({ flopsToTarget }) => flopsToTarget ?? budget;
  const costs = median(seeds.map(({ flopsToTarget }) => flopsToTarget ?? Number.POSITIVE_INFINITY));
  const spent = mean(seeds.map(({ flops }) => flops));
  const longest = Math.max(0, ...runs.map(({ points }) => points.at(-1)?.iteration ?? 0));
  return {
    method,
    baseline: runs[0].baseline,
    seeds,
    accuracy: over(({ accuracy }) => accuracy),
    iteration: mean(seeds.map(({ iteration }) => iteration)),
    flops: over(({ flops }) => flops),
    samplingShare: spent === 0 ? null : mean(seeds.map(({ samplingFlops }) => samplingFlops)) / spent,
    unsharedFlops: mean(seeds.map(({ unsharedFlops }) => unsharedFlops)),
    pairs: pairs.length,
    // A method that was best before any training has not saved its cost, it has nothing to show for one.
    flopsSaved: seeds.every(({ iteration }) => iteration === 0) ? null : saved(({ flops }) => flops),
    accuracyGained: gained(({ accuracy }) => accuracy),
    finalAccuracy: over(({ finalAccuracy }) => finalAccuracy),
    finalAccuracyGained: gained(({ finalAccuracy }) => finalAccuracy),
    averageAccuracy: over(({ averageAccuracy }) => averageAccuracy),
    averageAccuracyGained: gained(({ averageAccuracy }) => averageAccuracy),
    reachedTarget: seeds.filter(({ flopsToTarget }) => flopsToTarget !== null).length,
    flopsToTarget: Number.isFinite(costs) ? costs : null,
    flopsUntilTarget: over(untilTarget),
    flopsUntilTargetSaved: saved(untilTarget),
    trainingFrequencySd: meanOfKnown(seeds.map((seed) => seed.trainingFrequencySd)),
    neverTrained: meanOfKnown(seeds.map((seed) => seed.neverTrained)),
    repeated: meanOfKnown(seeds.map((seed) => seed.repeated)),
    leastTrainedStay: meanOfKnown(seeds.map((seed) => seed.leastTrainedStay)),
    mostTrainedStay: meanOfKnown(seeds.map((seed) => seed.mostTrainedStay)),
    wrongSteps: Array.from({ length: longest }, (_, i) =>
      meanOfKnown(runs.map(({ points }) => points.find(({ iteration }) => iteration === i + 1)?.wrongSteps ?? null)),
    ),
  };
}

function seedResult(run: ComparedRun, budget: number, target: number): SeedResult {
  const best = bestPoint(run);
  const last = run.points[run.points.length - 1];
  const now = run.frequencies[last.iteration - 1];
  const before = run.frequencies[last.iteration - 1 - PERSISTENCE_GAP];
  const stay = (which: "least" | "most") =>
    now === undefined || before === undefined ? null : quarterPersistence(before, now, which);
  return {
    seed: run.seed,
    accuracy: best.accuracy,
    iteration: best.iteration,
    iterations: last.iteration,
    flops: best.flops,
    samplingFlops: best.samplingFlops,
    unsharedFlops: best.unsharedFlops,
    finalAccuracy: last.accuracy,
    averageAccuracy: averageAccuracy(run.points, budget),
    flopsToTarget: run.points.find(({ accuracy }) => accuracy >= target)?.flops ?? null,
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

/** @param points from cost 0 on, within the budget; each model holds from its cost until the next one's */
function averageAccuracy(points: readonly CurvePoint[], budget: number): number {
  const last = points[points.length - 1];
  // Without a budget there is one model at one cost.
  if (budget === 0) return last.accuracy;
  const parts = points.map(({ flops, accuracy }, i) => accuracy * ((points[i + 1]?.flops ?? budget) - flops));
  return parts.reduce((sum, part) => sum + part, 0) / budget;
}

function meanOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : mean(known);
}

/** A method's learning curve at one cost. */
export interface CurveEstimate extends Estimate {
  readonly flops: number;
}

/**
 * Mean test accuracy of the latest model at `steps` + 1 costs from 0 to the budget, with intervals over seeds. A model counts from the cost
 * on at which it was finished. A run that ended before the budget stays at its last model.
 */
export function learningCurves(
  runs: readonly ComparedRun[],
  budget: number,
  steps = 60,
): ReadonlyMap<string, readonly CurveEstimate[]> {
  const methods = [...new Set(runs.map(({ method }) => method))];
  return new Map(
    methods.map((method) => {
      const own = runs.filter((run) => run.method === method);
      const curve = Array.from({ length: steps + 1 }, (_, i): CurveEstimate => {
        const flops = (budget * i) / steps;
        const accuracies = own.map(
          ({ points }) => points.findLast((point) => point.flops <= flops)?.accuracy ?? Number.NaN,
        );
        return { flops, ...bootstrap(accuracies, mean, { level: LEVEL, resamples: 1_000 }) };
      });
      return [method, curve];
    }),
  );
}
