/** Learning curves of methods: mean accuracy by training FLOPs, with intervals over seeds. */

import type { ComparedRun } from "../../analysis/compared-runs.js";
import { type Estimate, meanShare } from "../../statistics/intervals.js";
import { accuracyAt } from "./curve.js";

export interface CurveEstimate extends Estimate {
  readonly flops: number;
}

/** By method, at `steps` + 1 costs from 0 to `upTo`. */
export function learningCurves(
  runs: readonly ComparedRun[],
  upTo: number,
  steps = 60,
): ReadonlyMap<string, readonly CurveEstimate[]> {
  const methods = [...new Set(runs.map(({ method }) => method))];
  return new Map(
    methods.map((method) => {
      const own = runs.filter((run) => run.method === method);
      const curve = Array.from({ length: steps + 1 }, (_, i): CurveEstimate => {
        const flops = (upTo * i) / steps;
        return { flops, ...meanShare(own.map(({ points }) => accuracyAt(points, flops))) };
      });
      return [method, curve];
    }),
  );
}
