/**
 * Test accuracy as a curve of training FLOPs.
 *
 * A model counts from the cost at which it was finished, so nothing is credited to a model before it exists: between
 * two iterations the curve stays level while accuracy rises, and follows the straight line where it falls. After the
 * last model it stays level.
 */

import { type ComparedRun, type CurvePoint, correctOf } from "../../analysis/compared-runs.js";
import { isBudgetSpent } from "../../run/cost.js";
import { sum } from "../../statistics/descriptive.js";

/** @param points in order of their cost, the first at cost 0 */
export function accuracyAt(points: readonly CurvePoint[], flops: number): number {
  const i = points.findLastIndex((point) => point.flops <= flops);
  const here = points[i];
  const next = points[i + 1];
  if (next === undefined || next.accuracy >= here.accuracy) return here.accuracy;
  const share = (flops - here.flops) / (next.flops - here.flops);
  return here.accuracy + share * (next.accuracy - here.accuracy);
}

/** Area under the curve from 0 to the budget, divided by the budget: the accuracy at a cost drawn at random. */
export function averageAccuracy(points: readonly CurvePoint[], budget: number): number {
  if (budget === 0) return points[0].accuracy;
  const areas = points
    .filter(({ flops }) => flops < budget)
    .map(({ flops, accuracy }, i) => {
      const next = points[i + 1];
      const end = Math.min(next?.flops ?? budget, budget);
      const last = next === undefined || next.accuracy >= accuracy ? accuracy : accuracyBefore(points, i, end);
      return ((accuracy + last) / 2) * (end - flops);
    });
  return sum(areas) / budget;
}

/** Where the falling line from point i on has come to at `flops`, which may be where the next point begins. */
function accuracyBefore(points: readonly CurvePoint[], i: number, flops: number): number {
  const next = points[i + 1];
  return flops === next.flops ? next.accuracy : accuracyAt(points.slice(i, i + 2), flops);
}

/**
 * FLOPs at which a model first had the target accuracy; null where none had. Accuracies are counts of right answers, so
 * they are compared as counts: a target that is a mean over seeds lies between two counts, and half a question below it
 * is enough.
 */
export function costToReach({ points, testQuestions }: ComparedRun, target: number): number | null {
  const needed = target * testQuestions - 0.5;
  // Adding and dividing counts may leave a trace beside the half.
  const tolerance = 1e-9 * testQuestions;
  return points.find((point) => correctOf(point, testQuestions) >= needed - tolerance)?.flops ?? null;
}

/** Whether the run went as far as the budget pays: an iteration that would end beyond it is not begun. */
export function covers({ points }: ComparedRun, budget: number): boolean {
  const last = points[points.length - 1];
  const costs = points.slice(1).map(({ flops }, i) => flops - points[i].flops);
  return last.flops >= budget || isBudgetSpent(budget, costs);
}

/** The most accurate model, the earliest among equals. */
export function bestPoint(points: readonly CurvePoint[]): CurvePoint {
  return points.reduce((best, point) => (point.accuracy > best.accuracy ? point : best));
}

export function withinBudget(run: ComparedRun, budget: number): ComparedRun {
  return { ...run, points: run.points.filter(({ flops }) => flops <= budget) };
}
