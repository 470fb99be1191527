/**
 * Methods against each other, from the runs of several seeds under one budget of training FLOPs.
 *
 * The headline figures are the area under accuracy over FLOPs up to the budget and the FLOPs until a target accuracy.
 * Both change smoothly with the budget. Accuracy at early stop (the best test accuracy within the budget, as in
 * AdaSTaR, section 4.1) and that of the last model depend on where an iteration happens to end. How all gains move when
 * the budget moves is part of the result.
 */

import type { ComparedRun } from "../../analysis/compared-runs.js";
import { mean, meanOfKnown, median } from "../../statistics/descriptive.js";
import { holm } from "../../statistics/holm.js";
import {
  type Effect,
  type Estimate,
  LEVEL,
  meanEffect,
  meanEstimate,
  meanShare,
  savedEffect,
} from "../../statistics/intervals.js";
import { averageAccuracy, bestPoint, covers, withinBudget } from "./curve.js";
import { type SeedResult, seedResult } from "./seed.js";
import { type SharedIterations, sharedIterations } from "./shared-iterations.js";

/** A figure against the reference, paired by seed. */
export interface Comparand extends Effect {
  /** Whether it stands after Holm's correction for all comparisons of its table. */
  readonly stands: boolean;
}

/**
 * Seeds that never reached the target make a saving a bound. `open`: both sides have such seeds, so it may be anything.
 */
export type Bound = "exact" | "at least" | "at most" | "open";

/** The least and the greatest mean of a figure while the budget moves. */
export interface GainRange {
  readonly low: number;
  readonly high: number;
}

export interface MethodResult {
  readonly method: string;
  readonly baseline: boolean;
  readonly seeds: readonly SeedResult[];
  /** Seeds that the reference has as well, which comparisons are made of; 0 for the reference itself. */
  readonly pairs: number;

  // Over the whole budget. Figures against the reference are null for the reference itself.
  readonly averageAccuracy: Estimate;
  readonly averageAccuracyGained: Comparand | null;
  readonly averageGainByBudget: GainRange | null;
  readonly finalAccuracy: Estimate;
  readonly finalAccuracyGained: Comparand | null;

  // Up to the target.
  readonly reachedTarget: number;
  /** Median over all seeds; null where half or more did not reach it. */
  readonly flopsToTarget: number | null;
  /** Mean of what was spent until the target or the end of the budget (the restricted mean of survival analysis). */
  readonly flopsUntilTarget: Estimate;
  /** 1 − that / the reference's; `targetBound` says what it is. Null as well where the reference needed nothing. */
  readonly flopsUntilTargetSaved: Comparand | null;
  readonly targetBound: Bound;

  // At early stop.
  readonly accuracy: Estimate;
  readonly accuracyGained: Comparand | null;
  readonly accuracyGainByBudget: GainRange | null;
  readonly iteration: number;
  readonly flops: Estimate;
  /** Share of sampling in `flops`; null where nothing was spent. */
  readonly samplingShare: number | null;
  /** Mean of `flops`, had no sample shared the worked examples. */
  readonly unsharedFlops: number;
  /** 1 − FLOPs / the reference's. Null as well where the best of any seed, on either side, is its base model. */
  readonly flopsSaved: Comparand | null;

  // Of training, means over seeds.
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
  /** Shares of the budget between which it was moved: ±20 % as far as all runs went. */
  readonly budgetRange: readonly [low: number, high: number];
  /** Test accuracy whose cost is compared. */
  readonly target: number;
  /** Method that the others are compared with. */
  readonly reference: string;
  /** Baselines visit everything. Of those with the most seeds, the most accurate at early stop is the reference. */
  readonly referenceIs: "most accurate baseline" | "most accurate method" | "given";
  /** Confidence of all intervals. */
  readonly level: number;
  readonly methods: readonly MethodResult[];
  readonly shared: readonly SharedIterations[];
}

export interface CompareOptions {
  /** By default what the run that spent least has spent: so far, every run can be followed. */
  readonly budget?: number | undefined;
  /** By default the mean accuracy of the reference at early stop. */
  readonly target?: number | undefined;
  /** Method that the others are compared with; by default the most accurate baseline, or method where there is none. */
  readonly reference?: string | undefined;
}

/** The budget is moved down and up by so much. */
export const BUDGET_MARGIN = 0.2;
/** In steps of so much. */
const BUDGET_STEP = 0.02;

/** Comparisons that one table shows, which Holm's correction takes together. */
export const TABLES = {
  wholeBudget: ["averageAccuracyGained", "finalAccuracyGained"],
  target: ["flopsUntilTargetSaved"],
  earlyStop: ["accuracyGained", "flopsSaved"],
} as const satisfies Readonly<Record<string, readonly ComparandKey[]>>;

type ComparandKey =
  | "averageAccuracyGained"
  | "finalAccuracyGained"
  | "flopsUntilTargetSaved"
  | "accuracyGained"
  | "flopsSaved";

/** @param runs at least one; every method as many seeds as came to an end */
export function compareMethods(runs: readonly ComparedRun[], options: CompareOptions = {}): Comparison {
  const budget = options.budget ?? Math.min(...runs.map(({ points }) => points.at(-1)?.flops ?? 0));
  const groups = [...new Set(runs.map(({ method }) => method))].map((method) =>
    runs.filter((run) => run.method === method),
  );
  const given = groups.filter(([first]) => first.method === options.reference);
  const best = mostAccurate(given.length > 0 ? given : candidates(groups), budget);
  const target = options.target ?? best.accuracy;
  const budgets = movedBudgets(runs, budget);
  const methods = groups.map((own) =>
    methodResult(own, own === best.runs ? [] : best.runs, { budget, target, budgets }),
  );
  return {
    budget,
    budgetRange: [Math.min(...budgets) / (budget || 1), Math.max(...budgets) / (budget || 1)],
    target,
    reference: best.runs[0].method,
    referenceIs: given.length > 0 ? "given" : best.runs[0].baseline ? "most accurate baseline" : "most accurate method",
    level: LEVEL,
    methods: Object.values(TABLES).reduce(withHolm, methods),
    shared: sharedIterations(runs.map((run) => ({ name: run.method, run: withinBudget(run, budget) }))),
  };
}

/** Baselines, or all methods where there are none; of these, those with the most seeds. */
function candidates(groups: readonly (readonly ComparedRun[])[]) {
  const most = Math.max(...groups.map((own) => own.length));
  const baselines = groups.filter(([first]) => first.baseline);
  // One that lost seeds may be the most accurate by the luck of those that are left.
  const whole = (baselines.length > 0 ? baselines : groups).filter((own) => own.length === most);
  return whole.length > 0 ? whole : baselines;
}

/** At early stop within the budget; of equally accurate ones the cheaper. */
function mostAccurate(groups: readonly (readonly ComparedRun[])[], budget: number) {
  return groups
    .map((own) => {
      const stops = own.map((run) => bestPoint(withinBudget(run, budget).points));
      return {
        runs: own,
        accuracy: mean(stops.map(({ accuracy }) => accuracy)),
        cost: mean(stops.map(({ flops }) => flops)),
      };
    })
    .reduce((leader, other) =>
      other.accuracy > leader.accuracy || (other.accuracy === leader.accuracy && other.cost < leader.cost)
        ? other
        : leader,
    );
}

/** The budget itself and budgets around it, as far up as every run was taken. */
function movedBudgets(runs: readonly ComparedRun[], budget: number): number[] {
  const steps = Math.round(BUDGET_MARGIN / BUDGET_STEP);
  const all = Array.from({ length: 2 * steps + 1 }, (_, i) => budget * (1 + (i - steps) * BUDGET_STEP));
  return all.filter((moved, i) => i <= steps || runs.every((run) => covers(run, moved)));
}

interface Terms {
  readonly budget: number;
  readonly target: number;
  readonly budgets: readonly number[];
}

/** @param rivals runs of the reference; none for the reference itself */
function methodResult(runs: readonly ComparedRun[], rivals: readonly ComparedRun[], terms: Terms): MethodResult {
  const { budget, target, budgets } = terms;
  const pairs = runs.flatMap((run) => {
    const rival = rivals.find(({ seed }) => seed === run.seed);
    return rival === undefined ? [] : [{ run, rival }];
  });
  const seeds = runs.map((run) => seedResult(run, budget, target));
  const paired = pairs.map(({ run, rival }) => ({
    own: seedResult(run, budget, target),
    other: seedResult(rival, budget, target),
  }));
  type Figure = (seed: SeedResult) => number;
  const gained = (figure: Figure) =>
    paired.length === 0 ? null : meanEffect(paired.map(({ own, other }) => figure(own) - figure(other)));
  const saved = (figure: Figure) =>
    paired.length === 0
      ? null
      : savedEffect(
          paired.map(({ own }) => figure(own)),
          paired.map(({ other }) => figure(other)),
        );
  const byBudget = (figure: (run: ComparedRun, budget: number) => number): GainRange | null => {
    if (pairs.length === 0) return null;
    const gains = budgets.map((moved) =>
      mean(pairs.map(({ run, rival }) => figure(run, moved) - figure(rival, moved))),
    );
    return { low: Math.min(...gains), high: Math.max(...gains) };
  };
  const untilTarget: Figure = ({ flopsToTarget }) => flopsToTarget ?? budget;
  const costs = median(seeds.map(({ flopsToTarget }) => flopsToTarget ?? Number.POSITIVE_INFINITY));
  const spent = mean(seeds.map(({ flops }) => flops));
  const trained = ({ iteration }: SeedResult) => iteration > 0;
  return {
    method: runs[0].method,
    baseline: runs[0].baseline,
    seeds,
    pairs: pairs.length,
    averageAccuracy: meanShare(seeds.map((seed) => seed.averageAccuracy)),
    averageAccuracyGained: comparand(gained((seed) => seed.averageAccuracy)),
    averageGainByBudget: byBudget((run, moved) => averageAccuracy(run.points, moved)),
    finalAccuracy: meanShare(seeds.map((seed) => seed.finalAccuracy)),
    finalAccuracyGained: comparand(gained((seed) => seed.finalAccuracy)),
    reachedTarget: seeds.filter(({ flopsToTarget }) => flopsToTarget !== null).length,
    flopsToTarget: Number.isFinite(costs) ? costs : null,
    flopsUntilTarget: meanEstimate(seeds.map(untilTarget), 0),
    flopsUntilTargetSaved: comparand(saved(untilTarget)),
    targetBound: boundOf(paired),
    accuracy: meanShare(seeds.map((seed) => seed.accuracy)),
    accuracyGained: comparand(gained((seed) => seed.accuracy)),
    accuracyGainByBudget: byBudget((run, moved) => bestPoint(withinBudget(run, moved).points).accuracy),
    iteration: mean(seeds.map((seed) => seed.iteration)),
    flops: meanEstimate(
      seeds.map((seed) => seed.flops),
      0,
    ),
    samplingShare: spent === 0 ? null : mean(seeds.map(({ samplingFlops }) => samplingFlops)) / spent,
    unsharedFlops: mean(seeds.map(({ unsharedFlops }) => unsharedFlops)),
    // A base model costs nothing, so a seed that training never improved would count as one that saved everything.
    flopsSaved: paired.every(({ own, other }) => trained(own) && trained(other))
      ? comparand(saved(({ flops }) => flops))
      : null,
    trainingFrequencySd: meanOfKnown(seeds.map((seed) => seed.trainingFrequencySd)),
    neverTrained: meanOfKnown(seeds.map((seed) => seed.neverTrained)),
    repeated: meanOfKnown(seeds.map((seed) => seed.repeated)),
    leastTrainedStay: meanOfKnown(seeds.map((seed) => seed.leastTrainedStay)),
    mostTrainedStay: meanOfKnown(seeds.map((seed) => seed.mostTrainedStay)),
    wrongSteps: wrongStepsOf(runs.map((run) => withinBudget(run, budget))),
  };
}

function comparand(effect: Effect | null): Comparand | null {
  return effect === null ? null : { ...effect, stands: false };
}

function boundOf(pairs: readonly { readonly own: SeedResult; readonly other: SeedResult }[]): Bound {
  const ownMissed = pairs.some(({ own }) => own.flopsToTarget === null);
  const otherMissed = pairs.some(({ other }) => other.flopsToTarget === null);
  if (ownMissed) return otherMissed ? "open" : "at most";
  return otherMissed ? "at least" : "exact";
}

function wrongStepsOf(runs: readonly ComparedRun[]): (number | null)[] {
  const longest = Math.max(0, ...runs.map(({ points }) => points[points.length - 1].iteration));
  return Array.from({ length: longest }, (_, i) =>
    meanOfKnown(runs.map(({ points }) => points.find(({ iteration }) => iteration === i + 1)?.wrongSteps ?? null)),
  );
}

function withHolm(methods: readonly MethodResult[], keys: readonly ComparandKey[]): MethodResult[] {
  const stands = holm(methods.flatMap((method) => keys.map((key) => pOf(method, key))));
  return methods.map((method, i) => {
    const marked = keys.map((key, k) => {
      const effect = method[key];
      return [key, effect === null ? null : { ...effect, stands: stands[i * keys.length + k] }] as const;
    });
    return { ...method, ...Object.fromEntries(marked) };
  });
}

/**
 * The p value of a comparison; NaN where there is none. A bound on what is saved only counts against "no difference"
 * when it lies on its own side of 0: at least 5 % is more than nothing, at least −5 % may be anything.
 */
export function pOf(method: MethodResult, key: ComparandKey): number {
  const effect = method[key];
  if (effect === null) return Number.NaN;
  const { targetBound: bound } = method;
  const counts =
    key !== "flopsUntilTargetSaved" ||
    bound === "exact" ||
    (bound === "at least" && effect.mean > 0) ||
    (bound === "at most" && effect.mean < 0);
  return counts ? effect.p : Number.NaN;
}
