/** The primary comparisons of a study: areas under accuracy over FLOPs, with Holm's correction over all settings. */

import type { ComparedRun } from "../../analysis/compared-runs.js";
import { MOST_ACCURATE_BASELINE, type StudyPlan } from "../../analysis/study/study-file.js";
import { holm } from "../../statistics/holm.js";
import { type Comparison, compareMethods, type MethodResult } from "../comparison/compare.js";

export interface PrimaryResult {
  readonly setting: string;
  readonly method: string;
  /** As the study names it. */
  readonly against: string;
  /** The method behind `against`; null where no run of it is there yet. */
  readonly rival: string | null;
  /** Null where either side has no runs yet. */
  readonly own: MethodResult | null;
  readonly other: MethodResult | null;
  readonly comparison: Comparison | null;
  /** Whether the difference of areas stands after Holm's correction for all primary comparisons. */
  readonly stands: boolean;
}

export function primaryResults(
  { comparisons, budget }: Pick<StudyPlan, "comparisons" | "budget">,
  settings: readonly { readonly name: string; readonly runs: readonly ComparedRun[] }[],
): PrimaryResult[] {
  const results = settings.flatMap(({ name, runs }) =>
    comparisons.map(({ method, against }) => {
      const rival = against === MOST_ACCURATE_BASELINE ? mostAccurateBaseline(runs, budget) : against;
      const both = runs.filter((run) => run.method === method || run.method === rival);
      const complete = [method, rival].every((one) => both.some((run) => run.method === one));
      const comparison = complete && rival !== null ? compareMethods(both, { budget, reference: rival }) : null;
      const of = (whose: string | null) => comparison?.methods.find((one) => one.method === whose) ?? null;
      return { setting: name, method, against, rival, own: of(method), other: of(rival), comparison };
    }),
  );
  const stands = holm(results.map(({ own }) => own?.averageAccuracyGained?.p ?? Number.NaN));
  return results.map((result, i) => ({ ...result, stands: stands[i] }));
}

function mostAccurateBaseline(runs: readonly ComparedRun[], budget: number): string | null {
  const baselines = runs.filter(({ baseline }) => baseline);
  return baselines.length === 0 ? null : compareMethods(baselines, { budget }).reference;
}
