/** What a study's seeds can find, from the spread of its pilot runs. */

import { uniform } from "../../algorithm/random.js";
import { sampleDeviation } from "../../statistics/descriptive.js";
import { detectableMean, seedsNeeded } from "../../statistics/power.js";
import { ABSENT, formatFixed } from "../format.js";
import type { Column, Table } from "../tables.js";
import type { PrimaryResult } from "./primary.js";

export interface PowerResult {
  readonly setting: string;
  readonly method: string;
  readonly against: string;
  /** Pairs of pilot runs. */
  readonly pilots: number;
  /** Of the paired differences of average accuracy; null for fewer than two pilots. */
  readonly deviation: number | null;
  /** Difference that the study's seeds find with a chance of 80 %, beside its other primary comparisons. */
  readonly detectable: number | null;
  /** Seeds that find the difference asked for; null without one, and where 200 do not. */
  readonly seeds: number | null;
}

/** @param difference in average accuracy, in [0, 1]; null when none is asked for */
export function powerResults(
  pilots: readonly PrimaryResult[],
  seeds: number,
  difference: number | null,
): PowerResult[] {
  // The smallest of all p values is held against this.
  const rate = 0.05 / pilots.length;
  return pilots.map(({ setting, method, against, own, other }) => {
    const differences = (own?.seeds ?? []).flatMap(({ seed, averageAccuracy }) => {
      const match = other?.seeds.find((rival) => rival.seed === seed);
      return match === undefined ? [] : [averageAccuracy - match.averageAccuracy];
    });
    const deviation = differences.length < 2 ? null : sampleDeviation(differences);
    const findings = () => {
      let drawn = 0;
      return { rate, draw: () => uniform(1, drawn++) };
    };
    return {
      setting,
      method,
      against,
      pilots: differences.length,
      deviation,
      detectable: deviation === null || seeds < 2 ? null : detectableMean(deviation, seeds, findings()),
      seeds: deviation === null || difference === null ? null : seedsNeeded(deviation, difference, findings()),
    };
  });
}

/** @param seeds of the study */
export function powerTable(results: readonly PowerResult[], seeds: number, difference: number | null): Table {
  const asked = difference === null ? [] : [`seeds for ${formatFixed(100 * difference, 1)} points`];
  const figures = ["pilot pairs", "deviation of differences", `found with ${seeds} seeds`, ...asked];
  return {
    columns: [
      { header: "setting" },
      { header: "comparison" },
      ...figures.map((header): Column => ({ header, align: "right" })),
    ],
    rows: results.map((result) => [
      result.setting,
      `${result.method} against ${result.against}`,
      String(result.pilots),
      points(result.deviation),
      points(result.detectable),
      ...(difference === null ? [] : [result.seeds === null ? ABSENT : String(result.seeds)]),
    ]),
  };
}

function points(value: number | null): string {
  return value === null ? ABSENT : `${formatFixed(100 * value, 2)} points`;
}
