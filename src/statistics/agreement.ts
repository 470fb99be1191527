/** How often, and how well beyond chance, two raters of the same things agree. */

import type { Interval } from "./intervals.js";
import { wilsonInterval } from "./proportion.js";

/** How often two raters said yes or no. */
export interface PairedCounts {
  /** Both said yes. */
  readonly both: number;
  /** Only the tested rater said yes. */
  readonly onlyTested: number;
  /** Only the reference said yes. */
  readonly onlyReference: number;
  readonly neither: number;
}

/** Shares in [0, 1]; null where there is nothing to take a share of. */
export interface Agreement extends PairedCounts {
  readonly compared: number;
  readonly agreeing: number | null;
  /** 95 % interval of `agreeing`. */
  readonly interval: Interval | null;
  /** Agreement beyond chance, at most 1 (Cohen 1960); null where chance alone would agree on everything. */
  readonly kappa: number | null;
  /** Share of the reference's yeses to which the tested rater said yes as well. */
  readonly recall: number | null;
  /** Share of the tested rater's yeses to which the reference said yes as well. */
  readonly precision: number | null;
}

export function agreementOf({ both, onlyTested, onlyReference, neither }: PairedCounts): Agreement {
  const compared = both + onlyTested + onlyReference + neither;
  const tested = both + onlyTested;
  const reference = both + onlyReference;
  // κ = (pₒ − pₑ) / (1 − pₑ) with every term times n²: integers tell full agreement from nearly full agreement exactly.
  const observed = (both + neither) * compared;
  const expected = tested * reference + (compared - tested) * (compared - reference);
  const possible = compared ** 2 - expected;
  return {
    both,
    onlyTested,
    onlyReference,
    neither,
    compared,
    agreeing: compared === 0 ? null : (both + neither) / compared,
    interval: wilsonInterval(both + neither, compared),
    kappa: possible === 0 ? null : (observed - expected) / possible,
    recall: reference === 0 ? null : both / reference,
    precision: tested === 0 ? null : both / tested,
  };
}
