/**
 * Chooses next tokens: from a row's summary where that settles the choice, else from the whole row. Both give the same token, so
 * a summary only saves time.
 */

import type { RowSummary } from "./row-summary.js";
import { greedyToken, NucleusSampler } from "./sampler.js";

export interface Choice {
  /** 0 is greedy. */
  readonly temperature: number;
  readonly topP: number;
}

export class TokenChooser {
  readonly #sampler: NucleusSampler;

  constructor(vocabularySize: number) {
    this.#sampler = new NucleusSampler(vocabularySize);
  }

  /**
   * @param logits [V]
   * @param summary of these logits at this temperature (any, for greedy choices)
   * @param random uniform in [0, 1); greedy choices do not use it
   */
  choose(logits: Float32Array, summary: RowSummary | null, { temperature, topP }: Choice, random: number): number {
    if (temperature === 0) return (summary && greedyOf(summary)) ?? greedyToken(logits);
    const settled = summary && topP < 1 ? drawOf(summary, temperature, topP, random) : null;
    return settled ?? this.#sampler.draw(logits, temperature, topP, random);
  }
}

/** The lowest id among the largest logits; null when there may be more of them than the summary has. */
function greedyOf({ logits, ids }: RowSummary): number | null {
  if (!(logits[logits.length - 1] < logits[0])) return null;
  let best = ids[0];
  for (let i = 1; logits[i] === logits[0]; i++) if (ids[i] < best) best = ids[i];
  return Number(best);
}

/** As `NucleusSampler.draw`; null when the nucleus is wider than the summary, or ends too close to its mass to tell where. */
function drawOf(summary: RowSummary, temperature: number, topP: number, random: number): number | null {
  const ranked = rank(summary, temperature);
  const size = nucleusSize(ranked, summary, topP);
  if (size === null) return null;
  const nucleus = ranked.slice(0, size).sort((a, b) => a.id - b.id);
  let mass = 0;
  for (const { p } of nucleus) mass += p;
  const target = random * mass;
  let reached = 0;
  for (const { id, p } of nucleus) {
    reached += p;
    if (reached > target) return id;
  }
  return nucleus[size - 1].id;
}

interface Ranked {
  readonly id: number;
  readonly p: number;
}

/** Tokens with their unnormalized probabilities, likeliest first, lower ids first among equals. */
function rank({ logits, ids }: RowSummary, temperature: number): Ranked[] {
  const ranked = Array.from(logits, (logit, i) => ({
    id: Number(ids[i]),
    p: Math.exp((logit - logits[0]) / temperature),
  }));
  return ranked.sort((a, b) => b.p - a.p || a.id - b.id);
}

/** Number of tokens in the nucleus; null when it is not certain. */
function nucleusSize(ranked: readonly Ranked[], { mass, massError }: RowSummary, topP: number): number | null {
  const [low, high] = [topP * mass * (1 - massError), topP * mass * (1 + massError)];
  let reached = 0;
  for (const [i, { p }] of ranked.entries()) {
    reached += p;
    if (reached < low) continue;
    // A token as likely as the summary's last could have equals that the summary left out.
    return reached > high && p > ranked[ranked.length - 1].p ? i + 1 : null;
  }
  return null;
}
