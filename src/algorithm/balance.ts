/**
 * B-STaR's choice of the sampling temperature (Zeng et al. 2025, section 4). Before each iteration it takes the one at
 * which the model best balances exploring (many different correct responses) and exploiting (few wasted ones).
 *
 * The paper's nᵢ counts the responses that the reward selects for training; with outcome rewards alone nothing is
 * selected before the verdict, so here nᵢ is all responses drawn for a query. Probes share their random numbers between
 * temperatures, so that scores differ because of the temperature and not by luck.
 */

import type { TryRequest } from "./iteration.js";
import { seedFor, shuffled } from "./random.js";

/** The temperatures to choose from. */
export const BALANCE_TEMPERATURES: readonly number[] = [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1];

/** n*: this many different correct responses of a query are enough. */
const ENOUGH_UNIQUE = 6;

/** A response to a query; equal texts are one response. */
export interface ProbeOutcome {
  readonly correct: boolean;
  readonly text: string;
}

/** bs = min(n′ / n*, 1) · n′ / n for n′ different correct responses among n drawn, in [0, 1]; 0 without responses. */
export function balanceScore(responses: readonly ProbeOutcome[], enough = ENOUGH_UNIQUE): number {
  if (responses.length === 0) return 0;
  const unique = new Set(responses.flatMap(({ correct, text }) => (correct ? [text] : []))).size;
  return Math.min(unique / enough, 1) * (unique / responses.length);
}

/** A temperature and the mean balance score of the queries at it. */
export interface ScoredTemperature {
  readonly temperature: number;
  readonly score: number;
}

export interface ProbeOptions<O extends ProbeOutcome> {
  /** N: number of observations. */
  readonly observations: number;
  /** How many of them are queried, chosen anew each iteration; all if there are fewer. */
  readonly queries: number;
  /** Responses drawn for each query at each temperature, 1 or more: the method's K. */
  readonly tries: number;
  /** t */
  readonly iteration: number;
  /** The run's seed. */
  readonly seed: number;
  /** Responses drawn at once, at most. */
  readonly waveSize: number;
  /** Draws a response for each request at a temperature; resolves in the order of the requests. */
  readonly draw: (temperature: number, requests: readonly TryRequest[]) => Promise<readonly O[]>;
}

/** Draws at every temperature, in order, and returns the mean scores in that order. */
export async function probeTemperatures<O extends ProbeOutcome>(
  options: ProbeOptions<O>,
): Promise<readonly ScoredTemperature[]> {
  const { observations, queries, tries, iteration, seed, waveSize, draw } = options;
  const queried = [...shuffled(observations, seedFor(seed, "probe", iteration)).subarray(0, queries)].sort(
    (a, b) => a - b,
  );
  const requests = queried.flatMap((observation) =>
    Array.from({ length: tries }, (_, i): TryRequest => ({ observation, attempt: i + 1, hinted: false })),
  );
  const scored: ScoredTemperature[] = [];
  for (const temperature of BALANCE_TEMPERATURES) {
    const responses: O[] = [];
    for (let from = 0; from < requests.length; from += waveSize) {
      responses.push(...(await draw(temperature, requests.slice(from, from + waveSize))));
    }
    const scores = queried.map((_, i) => balanceScore(responses.slice(i * tries, (i + 1) * tries)));
    scored.push({ temperature, score: scores.reduce((sum, score) => sum + score, 0) / queried.length });
  }
  return scored;
}

/** The temperature with the highest mean score; the lowest of them if several are equal. */
export function bestTemperature(scored: readonly ScoredTemperature[]): number {
  return scored.reduce((best, candidate) => (candidate.score > best.score ? candidate : best)).temperature;
}
