/**
 * Chooses next tokens: from a row's summary where that settles the choice, else from the whole row. Both give the same
 * token, so a summary only saves time.
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
   * @param summary of these logits; one of another temperature helps greedy choices only
   * @param random uniform in [0, 1); greedy choices do not use it
   */
  choose(logits: Float32Array, summary: RowSummary | null, { temperature, topP }: Choice, random: number): number {
    if (temperature === 0) return (summary && greedyOf(summary)) ?? greedyToken(logits);
    const usable = summary !== null && summary.temperature === temperature && topP < 1;
    const settled = usable ? drawOf(summary, topP, random) : null;
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

/** As `NucleusSampler.draw`; null when the nucleus is wider than the summary, or ends where the summary cannot tell. */
function drawOf(summary: RowSummary, topP: number, random: number): number | null {
  const nucleus = nucleusOf(summary, topP);
  if (nucleus === null) return null;
  // In the order of ids, as NucleusSampler adds them up, so that the same roundings are made.
  nucleus.sort((a, b) => a.id - b.id);
  let mass = 0;
  for (const { p } of nucleus) mass += p;
  const target = random * mass;
  let reached = 0;
  for (const { id, p } of nucleus) {
    reached += p;
    if (reached > target) return id;
  }
  return nucleus[nucleus.length - 1].id;
}

interface Candidate {
  readonly id: number;
  /** Unnormalized probability. */
  readonly p: number;
}

/** The tokens of the nucleus; null when they are not certain. */
function nucleusOf({ logits, ids, mass, massError, temperature }: RowSummary, topP: number): Candidate[] | null {
  const probability = (i: number) => Math.exp((logits[i] - logits[0]) / temperature);
  const [low, high] = [topP * mass * (1 - massError), topP * mass * (1 + massError)];
  const nucleus: Candidate[] = [];
  let reached = 0;
  for (let i = 0; i + 1 < logits.length; i++) {
    const p = probability(i);
    nucleus.push({ id: Number(ids[i]), p });
    reached += p;
    if (reached < low) continue;
    // Of tokens as likely as the last, ids decide which belong to the nucleus; some of them may not be in the summary.
    return reached > high && probability(i + 1) < p ? nucleus : null;
  }
  return null;
}
