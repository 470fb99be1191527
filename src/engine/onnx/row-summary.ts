/**
 * What a token is chosen by, computed in the graph: the likeliest tokens of each row of logits, and the mass of all
 * tokens. A row of logits has tens of thousands of numbers, and in most cases its nucleus is among the first hundred.
 */

import type { Graph, Tensor } from "./graph/graph.js";

/** Likeliest tokens of each row, if the vocabulary is large. */
const LIKELIEST = 128;
/** Below this a look at the whole row costs no more. */
const MIN_VOCABULARY = 1024;

export interface RowSummaries {
  /** [R, LIKELIEST] logits, largest first, and the ids [R, LIKELIEST] int64 of their tokens. */
  readonly logits: Tensor;
  readonly ids: Tensor;
  /** [R, 1]: Σᵥ exp((logitᵥ − largest) / temperature) */
  readonly masses: Tensor;
}

/** One row's summary, as `RowSummaries`. */
export interface RowSummary {
  readonly logits: Float32Array;
  readonly ids: BigInt64Array;
  readonly mass: number;
  /** The true mass is within `mass` · (1 ± this). */
  readonly massError: number;
  /** Of `mass`; the likeliest tokens are the same at every temperature. */
  readonly temperature: number;
}

export function isSummarized(vocabulary: number): boolean {
  return vocabulary >= MIN_VOCABULARY;
}

/** @param inverse [] 1 / temperature */
export function summarizeRows(g: Graph, logits: Tensor, vocabulary: number, inverse: Tensor): RowSummaries {
  const [likeliest, ids] = g.topK(logits, LIKELIEST);
  const [outer, inner] = factors(vocabulary);
  const largest = g.reshape(g.reduceMax(logits), [logits.shape[0], 1, 1]);
  const parts = g.reshape(logits, [logits.shape[0], outer, inner]);
  const masses = g.exp(g.mul(g.sub(parts, largest), inverse));
  const sum = g.reshape(g.reduceSum(g.reduceSum(masses, [2]), [1]), [logits.shape[0], 1]);
  return { logits: likeliest, ids, masses: sum };
}

/**
 * Bound on the relative error of `masses`. A sum of n positive float32 numbers is off by at most n roundings, in
 * whatever order it is taken; 64 more cover the arguments (|x|·exp(x) sums up to less than the logarithm of the
 * vocabulary) and the exponential itself.
 */
export function massError(vocabulary: number): number {
  const [outer, inner] = factors(vocabulary);
  return (outer + inner + 64) * 2 ** -24;
}

/** n as a product of two numbers, as close to each other as they get: sums of sums round less than one long sum. */
function factors(n: number): readonly [number, number] {
  let outer = Math.floor(Math.sqrt(n));
  while (n % outer !== 0) outer--;
  return [outer, n / outer];
}
