/**
 * What sampling and training cost, in floating-point operations (AdaSTaR, section 4.1; after Kaplan et al. 2020,
 * section 2.1, and Sardana et al. 2024): a forward pass takes 2·P + 2·n_layer·n_ctx·d_attn a token, a backward pass
 * twice as much where all parameters are trained.
 *
 * n_ctx is the context that the token really has: itself and all tokens before it, 1 for the first token of a sequence.
 * The costs below sum the formula over the tokens of a sequence. So they are exact, and the parts of a sequence add up
 * to the whole wherever it is cut. Every token counts once, also the last one generated, which a model need not read
 * again. Padding and recomputation are up to the engine and do not count.
 */

/** What the formulas need to know of a model. */
export interface CostFacts {
  /** P: all parameters but the input embedding and the vocabulary head; an adapter's are included. */
  readonly nonEmbeddingParameters: number;
  /** Parameters that training changes: all, also when left out, or only an adapter's. */
  readonly trainableParameters?: number;
  /** n_layer */
  readonly layers: number;
  /** d_attn: query heads × head dimension. */
  readonly attentionWidth: number;
}

/** A sequence that was sampled, in tokens. */
export interface SampledLength {
  /** Of the few-shot prefix, which all sequences of a call have in common. */
  readonly prefix: number;
  /** Of the prompt after it. */
  readonly prompt: number;
  /** Produced by the model, the end-of-text token and cut stop texts included. */
  readonly generated: number;
}

/** Forward FLOPs of `count` tokens that follow `before` others. */
export function forwardFlops(facts: CostFacts, before: number, count: number): number {
  // Σ n_ctx over positions before + 1 … before + count; one of the two factors is even.
  const contexts = (count * (2 * before + count + 1)) / 2;
  return 2 * facts.nonEmbeddingParameters * count + 2 * facts.layers * facts.attentionWidth * contexts;
}

/**
 * FLOPs of sampling a sequence if the engine computes the prefix once for a whole call: all but the prefix, which
 * `forwardFlops(facts, 0, prefix)` adds once.
 */
export function sampledFlops(facts: CostFacts, { prefix, prompt, generated }: SampledLength): number {
  return forwardFlops(facts, prefix, prompt + generated);
}

/** FLOPs of sampling a sequence that computes its own prefix. */
export function sampledFlopsUnshared(facts: CostFacts, { prefix, prompt, generated }: SampledLength): number {
  return forwardFlops(facts, 0, prefix + prompt + generated);
}

/**
 * FLOPs of training on a sequence of `tokens` tokens once: forward and backward. The backward pass multiplies each
 * weight matrix twice a token: 2·P for the gradients of the activations, and 2 for each parameter that is trained, for
 * its own gradient (Kaplan et al. 2020, section 2.1). Full fine-tuning: 6·P and three times the attention term. An
 * adapter of A parameters beside B frozen ones (LoRA, Hu et al. 2022, section 4.1), so P = B + A: 4·B + 6·A and the
 * same attention term, since attention itself has no weights.
 */
export function trainedFlops(facts: CostFacts, tokens: number): number {
  const { nonEmbeddingParameters: all, trainableParameters = all } = facts;
  const frozen = Math.max(0, all - trainableParameters);
  return 3 * forwardFlops(facts, 0, tokens) - 2 * frozen * tokens;
}
