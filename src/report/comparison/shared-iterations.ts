/**
 * Runs that share their first iterations: the same seed, the same model after each of them. Two methods often begin
 * alike, and so does one method on data of which one is the first part of the other. Such runs are not independent of
 * each other.
 */

import type { ComparedRun, CurvePoint } from "../../analysis/compared-runs.js";

export interface SharedIterations {
  readonly one: string;
  readonly other: string;
  /** By seed, how many iterations from the first on are identical; at least 1. */
  readonly seeds: readonly { readonly seed: number; readonly iterations: number }[];
}

/** @param runs with names; runs of one name are not held against each other */
export function sharedIterations(
  runs: readonly { readonly name: string; readonly run: Pick<ComparedRun, "seed" | "points"> }[],
): SharedIterations[] {
  const names = [...new Set(runs.map(({ name }) => name))];
  return names.flatMap((one, i) =>
    names.slice(i + 1).flatMap((other) => {
      const seeds = runs.flatMap(({ name, run }) => {
        const match = runs.find((rival) => rival.name === other && rival.run.seed === run.seed);
        if (name !== one || match === undefined) return [];
        const iterations = sharedPrefix(run.points, match.run.points);
        return iterations === 0 ? [] : [{ seed: run.seed, iterations }];
      });
      return seeds.length === 0 ? [] : [{ one, other, seeds }];
    }),
  );
}

/**
 * Iterations from the first on that left the same model, by its digest; where that was not recorded, by all figures.
 */
function sharedPrefix(one: readonly CurvePoint[], other: readonly CurvePoint[]): number {
  const differs = one.findIndex((point, i) => i >= other.length || !isSame(point, other[i]));
  return Math.max(0, (differs === -1 ? one.length : differs) - 1);
}

function isSame(one: CurvePoint, other: CurvePoint): boolean {
  if (one.weights !== null && other.weights !== null && one.weights !== other.weights) return false;
  return (
    one.iteration === other.iteration &&
    one.flops === other.flops &&
    one.samplingFlops === other.samplingFlops &&
    one.accuracy === other.accuracy
  );
}

/** `adastar and star: seeds 1, 2 through iteration 4, seed 3 through iteration 5` */
export function sharedIterationsText({ one, other, seeds }: SharedIterations): string {
  const lengths = [...new Set(seeds.map(({ iterations }) => iterations))].sort((a, b) => a - b);
  const parts = lengths.map((length) => {
    const own = seeds.filter(({ iterations }) => iterations === length).map(({ seed }) => seed);
    return `seed${own.length === 1 ? "" : "s"} ${own.join(", ")} through iteration ${length}`;
  });
  return `${one} and ${other}: ${parts.join("; ")}`;
}
