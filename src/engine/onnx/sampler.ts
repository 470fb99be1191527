/** Choosing the next token from logits. */

/** Arg max; the lowest id among equals. */
export function greedyToken(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}

/**
 * Draws from the nucleus of softmax(logits / temperature) (Holtzman et al. 2020). Holds scratch memory for one
 * vocabulary.
 */
export class NucleusSampler {
  readonly #probabilities: Float64Array;
  readonly #candidates: Int32Array;

  constructor(vocabularySize: number) {
    this.#probabilities = new Float64Array(vocabularySize);
    this.#candidates = new Int32Array(vocabularySize);
  }

  /**
   * @param logits [vocabulary]
   * @param temperature above 0
   * @param topP the nucleus is the smallest set of most likely tokens whose mass reaches this, in (0, 1]; ties go to
   * the lower id
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
    const last = topP < 1 ? this.#lastOfNucleus(topP * sum, ((1 - topP) * sum) / logits.length) : -1;
    // Tokens are lined up by id, not by rank, so that logits that differ by rounding give the same token but at the
    // very boundaries.
    let mass = 0;
    for (let i = 0; i < logits.length; i++) if (last === -1 || !this.#ranksBefore(last, i)) mass += probabilities[i];
    const target = random * mass;
    let reached = 0;
    let chosen = 0;
    for (let i = 0; i < logits.length && reached <= target; i++) {
      if (probabilities[i] === 0 || (last !== -1 && this.#ranksBefore(last, i))) continue;
      reached += probabilities[i];
      chosen = i;
    }
    return chosen;
  }

  /** More likely, or as likely with a lower id. */
  #ranksBefore(a: number, b: number): boolean {
    const difference = this.#probabilities[a] - this.#probabilities[b];
    return difference > 0 || (difference === 0 && a < b);
  }

  /**
   * The lowest-ranking token of the smallest set whose mass reaches `target`, by selection: the candidates are parted
   * around a pivot, and only the part that holds the boundary is looked at further.
   *
   * @param floor tokens below it together hold less than what the nucleus leaves out, so none of them is in it
   */
  #lastOfNucleus(target: number, floor: number): number {
    const probabilities = this.#probabilities;
    const candidates = this.#candidates;
    let end = 0;
    for (let i = 0; i < probabilities.length; i++) if (probabilities[i] >= floor) candidates[end++] = i;
    let start = 0;
    let mass = 0;
    while (end - start > 1) {
      const pivot = candidates[(start + end) >> 1];
      candidates[(start + end) >> 1] = candidates[end - 1];
      let boundary = start;
      let before = 0;
      for (let i = start; i < end - 1; i++) {
        const token = candidates[i];
        if (!this.#ranksBefore(token, pivot)) continue;
        candidates[i] = candidates[boundary];
        candidates[boundary++] = token;
        before += probabilities[token];
      }
      candidates[end - 1] = candidates[boundary];
      candidates[boundary] = pivot;
      if (mass + before >= target) end = boundary;
      else if (mass + before + probabilities[pivot] >= target || boundary + 1 === end) return pivot;
      else {
        mass += before + probabilities[pivot];
        start = boundary + 1;
      }
    }
    return candidates[start];
  }
}
