/** Runs against each other: curves with intervals over seeds, and the tables of `adastar compare`. */

import { comparedRuns } from "../analysis/compared-runs.js";
import { messageOf, UserError } from "../errors.js";
import { compareMethods } from "../report/comparison/compare.js";
import { learningCurves } from "../report/comparison/learning-curves.js";
import {
  earlyStopTable,
  frequencyTable,
  seedTable,
  targetTable,
  wholeBudgetTable,
} from "../report/comparison/tables.js";
import type { RunReader } from "../run/directory/reader.js";
import type { CompareView } from "./api-types.js";
import type { Library } from "./library.js";
import { nextTurn } from "./pictures.js";

const MAX_COMPARED = 60;
/** Observations × iterations over all runs: training frequencies of each iteration are in memory at once. */
const MAX_WORK = 100_000_000;

/** Throws UserError where fewer than one of the runs can be compared. */
export async function compareRuns(library: Library, ids: readonly string[]): Promise<CompareView> {
  if (ids.length > MAX_COMPARED) throw new UserError(`expected at most ${MAX_COMPARED} runs, got ${ids.length}`);
  const warnings: string[] = [];
  const grounds = new Set<string>();
  const seen = new Set<string>();
  const runs: ReturnType<typeof comparedRuns>[number][] = [];
  let work = 0;
  for (const id of new Set(ids)) {
    try {
      const reader = library.reader(id);
      work += (reader.observations ?? 0) * reader.records.length;
      if (work > MAX_WORK) throw new UserError("the runs are too large to compare here: use `adastar compare`");
      grounds.add(groundOf(reader));
      const own = comparedRuns(reader.dir, reader.overview.method).filter(({ points }) => points.length > 1);
      if (own.length === 0) warnings.push(`${id}: has no finished iteration yet, so it is left out`);
      for (const run of own) {
        const key = `${run.method} with seed ${run.seed}`;
        if (seen.has(key)) warnings.push(`${id}: another run of ${key} is compared already, so this one is left out`);
        else runs.push(run);
        seen.add(key);
      }
    } catch (error) {
      warnings.push(`${id}: ${messageOf(error)}`);
    }
    await nextTurn();
  }
  if (grounds.size > 1) warnings.unshift("The runs differ in their task, data or base model: figures do not compare.");
  if (runs.length === 0) throw new UserError(["expected runs with a finished iteration", ...warnings].join("; "));
  return { ...viewOf(runs), warnings };
}

/** What runs must share to be compared: observations and base model, by content. */
function groundOf(reader: RunReader): string {
  return `${reader.overview.task} ${reader.opened.data} ${reader.opened.weights}`;
}

function viewOf(runs: Parameters<typeof compareMethods>[0]): Omit<CompareView, "warnings"> {
  const comparison = compareMethods(runs);
  const upTo = Math.max(...runs.map(({ points }) => points.at(-1)?.flops ?? 0));
  const finite = (value: number) => (Number.isFinite(value) ? value : null);
  const { budget, budgetRange, target, reference } = comparison;
  return {
    budget,
    budgetRange,
    target,
    reference,
    curves: [...learningCurves(runs, upTo)].map(([method, curve]) => ({
      method,
      seeds: runs.filter((run) => run.method === method).length,
      points: curve.map(({ flops, mean, low, high }) => ({ flops, mean, low: finite(low), high: finite(high) })),
    })),
    tables: [
      { title: "Over the whole budget", table: wholeBudgetTable(comparison) },
      { title: "Until the target accuracy", table: targetTable(comparison) },
      { title: "At early stop, as in the paper", table: earlyStopTable(comparison) },
      { title: "Training frequencies", table: frequencyTable(comparison) },
      { title: "By seed", table: seedTable(comparison) },
    ],
  };
}
