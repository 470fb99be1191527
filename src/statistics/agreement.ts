/** How often, and how well two raters of the same things agree. */

import type { Interval } from "./statistics.js";

/** The standard normal quantile of 0.975. */
const Z_95 = 1.959963984540054;

/**
 * 95 % score interval of a share of `count` in `total` (Wilson 1927): unlike that of a normal approximation it stays within [0, 1] and says something
 * of 0 in n. Null without observations.
 */
export function wilsonInterval(count: number, total: number): Interval | null {
  if (total === 0) return null;
  const share = count / total;
  const z2 = Z_95 ** 2;
  const centre = (share + z2 / (2 * total)) / (1 + z2 / total);
  const half = (Z_95 / (1 + z2 / total)) * Math.sqrt((share * (1 - share)) / total + z2 / (4 * total ** 2));
  // At 0 and at all the bound is exact; arithmetic would leave a trace beside it.
  return { low: count === 0 ? 0 : centre - half, high: count === total ? 1 : centre + half };
}

/** What two raters said, each of them yes or no. */
export interface PairedCounts {
  /** Both said yes. */
  readonly both: number;
  /** Only the rater under test. */
  readonly onlyTested: number;
  /** Only the reference. */
  readonly onlyReference: number;
  readonly neither: number;
}

/** Shares in [0, 1], null where nothing is there to take a share of. */
export interface Agreement extends PairedCounts {
  readonly compared: number;
  readonly agreeing: number | null;
  /** 95 %, of `agreeing`. */
  readonly interval: Interval | null;
  /** Agreement beyond chance, 1 at best (Cohen 1960); null where chance alone would agree on all. */
  readonly kappa: number | null;
  /** Of what the reference said yes to, the share that the rater under test did, too. */
  readonly recall: number | null;
  /** Of what the rater under test said yes to, the share that the reference did, too. */
  readonly precision: number | null;
}

export function agreementOf({ both, onlyTested, onlyReference, neither }: PairedCounts): Agreement {
  const compared = both + onlyTested + onlyReference + neither;
  const tested = both + onlyTested;
  const reference = both + onlyReference;
  // Both by integers, so that agreement on all is told from nearly all exactly: κ = (pₒ − pₑ) / (1 − pₑ), with n² in every term.
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
