/** Choosing the next token from logits. */

/** Arg max; the lowest id among equals. */
export function greedyToken(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}

/** Draws from the nucleus of softmax(logits / temperature) (Holtzman et al. 2020). Holds scratch memory for one vocabulary. */
export class NucleusSampler {
  readonly #probabilities: Float64Array;

  constructor(vocabularySize: number) {
    this.#probabilities = new Float64Array(vocabularySize);
  }

  /**
   * @param logits [vocabulary]
   * @param temperature above 0
   * @param topP the nucleus is the smallest set of most likely tokens whose mass reaches this, in (0, 1]; ties go to the lower id
   * @param random uniform in [0, 1)
   */
  draw(logits: Float32Array, temperature: number, topP: number, random: number): number {
    const probabilities = this.#probabilities;
    const largest = logits[greedyToken(logits)];
    let sum = 0;
    for (let i = 0; i < logits.length; i++) {
      const p = Math.exp((logits[i] - largest) / temperature);
      probabilities[i] = p;
      sum += p;
    }
    if (topP >= 1) return pick(probabilities, undefined, random * sum);
    // Tokens below this share together hold less than 1 − topP, so the nucleus lies among the others: only those are sorted.
    const floor = ((1 - topP) * sum) / logits.length;
    const candidates: number[] = [];
    for (let i = 0; i < logits.length; i++) if (probabilities[i] >= floor) candidates.push(i);
    candidates.sort((a, b) => probabilities[b] - probabilities[a] || a - b);
    let mass = 0;
    let size = 0;
    while (size < candidates.length && mass < topP * sum) {
      mass += probabilities[candidates[size]];
      size += 1;
    }
    return pick(probabilities, candidates.slice(0, size), random * mass);
  }
}

/** The first token at which the running sum of probabilities exceeds `target`; all tokens by id when no order is given. */
function pick(probabilities: Float64Array, order: readonly number[] | undefined, target: number): number {
  const count = order?.length ?? probabilities.length;
  let sum = 0;
  let last = 0;
  for (let i = 0; i < count; i++) {
    const token = order?.[i] ?? i;
    if (probabilities[token] === 0) continue;
    sum += probabilities[token];
    last = token;
    if (sum > target) return token;
  }
  return last; // rounding: the target may equal the whole sum
}
