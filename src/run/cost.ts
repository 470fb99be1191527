/** Training FLOPs of recorded samples and steps; the formulas are in algorithm/flops.ts. */

import {
  type CostFacts,
  forwardFlops,
  type SampledLength,
  sampledFlops,
  sampledFlopsUnshared,
} from "../algorithm/flops.js";
import type { Capabilities } from "../engine/engine.js";
import { sum } from "../statistics/descriptive.js";
import type { FlopsByPurpose } from "./events.js";

/** The lengths of one sample, and the call it was drawn in. */
export interface CostedSample {
  readonly wave: number;
  readonly prefixTokens: number;
  readonly promptTokens: number;
  readonly generatedTokens: number;
}

/** What the cost of sampling depends on, beside the samples; an engine has it. */
export interface SamplingFacts {
  readonly model: CostFacts;
  readonly capabilities: Pick<Capabilities, "sharesPrefix">;
}

type SamplingCost = Pick<FlopsByPurpose, "sampling" | "sharedPrefix" | "prompt" | "generation" | "samplingUnshared">;

/**
 * FLOPs of samples: every sample pays for its own tokens, and every wave pays for the prefix once if the engine shares
 * it. A wave counts as one call even if a kill made it two, so a resumed run reports the same cost as an uninterrupted
 * one.
 */
export function samplingCost({ model, capabilities }: SamplingFacts, samples: readonly CostedSample[]): SamplingCost {
  const prefixes = capabilities.sharesPrefix
    ? [...new Map(samples.map(({ wave, prefixTokens }) => [wave, prefixTokens])).values()]
    : samples.map(({ prefixTokens }) => prefixTokens);
  const sharedPrefix = sum(prefixes.map((prefix) => forwardFlops(model, 0, prefix)));
  const prompt = sum(samples.map(({ prefixTokens, promptTokens }) => forwardFlops(model, prefixTokens, promptTokens)));
  const generation = sum(
    samples.map((sample) => forwardFlops(model, sample.prefixTokens + sample.promptTokens, sample.generatedTokens)),
  );
  return {
    sampling: sharedPrefix + prompt + generation,
    sharedPrefix,
    prompt,
    generation,
    samplingUnshared: sum(samples.map((sample) => sampledFlopsUnshared(model, lengths(sample)))),
  };
}

/**
 * Expected FLOPs of `samples` samples with these mean lengths, drawn in `calls` calls. The cost is linear in the number
 * of prefixes, and in the lengths but for the attention term, which is small.
 */
export function expectedSamplingCost(
  { model, capabilities }: SamplingFacts,
  mean: SampledLength,
  { samples, calls }: { readonly samples: number; readonly calls: number },
): number {
  const prefixes = capabilities.sharesPrefix ? calls : samples;
  return samples * sampledFlops(model, mean) + prefixes * forwardFlops(model, 0, mean.prefix);
}

/** FLOPs that would have been saved without these samples, if their waves had been drawn all the same. */
export function ownCost({ model, capabilities }: SamplingFacts, samples: readonly CostedSample[]): number {
  const cost = capabilities.sharesPrefix ? sampledFlops : sampledFlopsUnshared;
  return sum(samples.map((sample) => cost(model, lengths(sample))));
}

function lengths({ prefixTokens, promptTokens, generatedTokens }: CostedSample) {
  return { prefix: prefixTokens, prompt: promptTokens, generated: generatedTokens };
}

export const NO_FLOPS: FlopsByPurpose = {
  sampling: 0,
  sharedPrefix: 0,
  prompt: 0,
  generation: 0,
  samplingUnshared: 0,
  wasted: 0,
  probes: 0,
  training: 0,
  total: 0,
};

export function addFlops(a: FlopsByPurpose, b: FlopsByPurpose): FlopsByPurpose {
  return {
    ...addCosts(a, b),
    wasted: a.wasted + b.wasted,
    probes: a.probes + b.probes,
    training: a.training + b.training,
    total: a.total + b.total,
  };
}

export function addCosts(a: SamplingCost, b: SamplingCost): SamplingCost {
  return {
    sampling: a.sampling + b.sampling,
    sharedPrefix: a.sharedPrefix + b.sharedPrefix,
    prompt: a.prompt + b.prompt,
    generation: a.generation + b.generation,
    samplingUnshared: a.samplingUnshared + b.samplingUnshared,
  };
}

/**
 * Start another iteration only if the remaining budget covers this share of the last one's cost. Iterations vary, but
 * never get cheaper by more than that.
 */
const MIN_SHARE = 0.9;

/**
 * Whether a budget of training FLOPs has no room for another iteration. An iteration that ends beyond the budget does
 * not count in a comparison at equal compute, so it is not begun.
 *
 * @param iterations cost of each iteration so far; the first one is always begun
 */
export function isBudgetSpent(budget: number | null, iterations: readonly number[]): boolean {
  const last = iterations.at(-1);
  return budget !== null && last !== undefined && sum(iterations) + MIN_SHARE * last > budget;
}

/** Training FLOPs of each iteration. */
export function iterationCosts(records: readonly { readonly flops: Pick<FlopsByPurpose, "total"> }[]): number[] {
  return records.map(({ flops }) => flops.total);
}
