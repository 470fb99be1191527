/** Runs that differ in their seed only, and their learning curves with intervals over seeds. */

import { mean } from "../../statistics/descriptive.js";
import { meanShare } from "../../statistics/intervals.js";
import type { Line, LinePoint } from "./figure.js";
import type { ModelPoint, ReportedRun } from "./reported-run.js";
import { type CurveAxis, curveFigure } from "./run-figures.js";

export interface RunGroup {
  readonly name: string;
  readonly runs: readonly ReportedRun[];
}

/** Groups in the order of their first run. A name says what tells a group from the others. */
export function groupsOf(runs: readonly ReportedRun[]): RunGroup[] {
  const byIdentity = new Map<string, ReportedRun[]>();
  for (const run of runs) {
    const key = `${run.settings} ${run.data}`;
    const own = byIdentity.get(key) ?? [];
    // The same seed twice is no second seed.
    const apart = own.some(({ overview }) => overview.seed === run.overview.seed)
      ? `${key} ${run.overview.runDir}`
      : key;
    byIdentity.set(apart, [...(byIdentity.get(apart) ?? []), run]);
  }
  const groups = [...byIdentity.values()];
  const firsts = groups.map(([{ overview }]) => overview);
  const differ = (part: "task" | "model") => new Set(firsts.map((overview) => overview[part])).size > 1;
  const named = groups.map((own, i) => {
    const { method, task, model } = firsts[i];
    const parts = [method, ...(differ("task") ? [task] : []), ...(differ("model") ? [model ?? "?"] : [])];
    return { name: parts.join(", "), runs: own };
  });
  return named.map((group) =>
    named.filter(({ name }) => name === group.name).length === 1
      ? group
      : { ...group, name: `${group.name} (${group.runs.map(({ overview }) => overview.name).join(", ")})` },
  );
}

export const CURVE_AXES = ["flops", "iteration", "seconds"] as const satisfies readonly CurveAxis[];

/** The learning curve against training FLOPs, iterations and time, in this order. */
export function curveFigures(groups: readonly RunGroup[]) {
  const seeds = Math.max(0, ...groups.map(({ runs }) => runs.length));
  const note =
    seeds > 1
      ? "Means over seeds, model by model, with 95 % intervals (as far as every seed of a group has come)."
      : "One seed each, so there is no interval over seeds.";
  return CURVE_AXES.map((axis) =>
    curveFigure(
      axis,
      groups.map(({ name, runs }): Line => ({ name, points: meanCurve(runs, axis), steps: axis !== "iteration" })),
      note,
    ),
  );
}

/** Model by model: the mean cost, and the mean accuracy with its interval. */
function meanCurve(runs: readonly ReportedRun[], axis: CurveAxis): LinePoint[] {
  const shared = Math.min(...runs.map(({ models }) => models.length));
  return Array.from({ length: shared }, (_, i) => {
    const models: readonly ModelPoint[] = runs.map((run) => run.models[i]);
    const { mean: y, low, high } = meanShare(models.map(({ accuracy }) => accuracy));
    return { x: mean(models.map((model) => model[axis])), y, low, high };
  });
}
