/**
 * What a decoder is: its sizes, and the parts that its layers are made of. Families differ in these values only, so
 * whatever computes with a model reads them and never a family's name. `families/` says how each family's config.json
 * maps to them.
 */

import type { Rotary } from "./rotary.js";

/** Names of a layer's RMSNorms by where they stand; null where the layer has none there. */
export interface LayerNorms {
  readonly beforeAttention: string | null;
  /** On the output of attention, before it is added to the residual stream. */
  readonly afterAttention: string | null;
  readonly beforeMlp: string | null;
  readonly afterMlp: string | null;
}

/** How one layer attends. */
export interface LayerAttention {
  /** A position sees itself and the `window` − 1 positions before it; null: every position before it. */
  readonly window: number | null;
  /** Null: no positions are given to this layer. */
  readonly rotary: Rotary | null;
}

/** The gate's function in the MLP: down(f(gate(x)) ∘ up(x)). `gelu-tanh` is the tanh approximation of `gelu`. */
export type Activation = "silu" | "gelu" | "gelu-tanh";

/** What the layers are made of. */
export interface ModelParts {
  readonly norms: LayerNorms;
  /** Added to the weight of every norm: 1 where a checkpoint stores w for a factor of 1 + w. */
  readonly normOffset: 0 | 1;
  /** RMSNorm of queries and keys before they are rotated: none, of each head by itself, or of all heads together. */
  readonly queryKeyNorm: "none" | "head" | "all-heads";
  /** Which linear maps have biases. */
  readonly biases: { readonly queryKeyValue: boolean; readonly attentionOutput: boolean; readonly mlp: boolean };
  readonly activation: Activation;
  /** Factor on the embedding rows. */
  readonly embeddingScale: number;
  /** Factor on the output of each sublayer, before it is added to the residual stream. */
  readonly residualScale: number;
  /** Factor on queries · keys; 1/√headDim in most families (Vaswani et al. 2017). */
  readonly attentionScale: number;
  /** Attention scores s become cap · tanh(s / cap), before masks; null: unchanged. */
  readonly attentionCap: number | null;
  /** Factor on the logits, before their cap. */
  readonly logitScale: number;
  readonly logitCap: number | null;
  /** Whether files hold q, k, v as one matrix, and gate and up as one (`qkv_proj`, `gate_up_proj`). */
  readonly fusedWeights: boolean;
}

/** A decoder with RMSNorm, grouped-query attention and a gated MLP, as one family's config.json describes it. */
export interface ModelConfig extends ModelParts {
  /** `model_type` of the family. For messages and for writing config.json; nothing is computed from it. */
  readonly family: string;
  readonly vocabularySize: number;
  /** Width of the residual stream (hidden_size). */
  readonly width: number;
  readonly layers: number;
  /** Query heads; a multiple of `keyValueHeads`. */
  readonly heads: number;
  readonly keyValueHeads: number;
  /** Width of one head; need not be width / heads. */
  readonly headDim: number;
  readonly mlpWidth: number;
  /** By layer. */
  readonly attention: readonly LayerAttention[];
  /** Epsilon of every RMSNorm. */
  readonly normEpsilon: number;
  /** The longest sequence, in tokens. */
  readonly contextLength: number;
  /** Whether the vocabulary head is the embedding matrix. */
  readonly tiedHead: boolean;
  readonly startToken: number | null;
  /**
   * Ids that end a generation; generation_config.json takes precedence over config.json. May be empty: the tokenizer
   * may know one.
   */
  readonly endTokens: readonly number[];
}

/** The parts of a Llama layer, from which most families depart in a few places. */
export function llamaParts(headDim: number): ModelParts {
  return {
    norms: {
      beforeAttention: "input_layernorm",
      afterAttention: null,
      beforeMlp: "post_attention_layernorm",
      afterMlp: null,
    },
    normOffset: 0,
    queryKeyNorm: "none",
    biases: { queryKeyValue: false, attentionOutput: false, mlp: false },
    activation: "silu",
    embeddingScale: 1,
    residualScale: 1,
    attentionScale: 1 / Math.sqrt(headDim),
    attentionCap: null,
    logitScale: 1,
    logitCap: null,
    fusedWeights: false,
  };
}

type LlamaSizes = Pick<
  ModelConfig,
  "vocabularySize" | "width" | "layers" | "heads" | "keyValueHeads" | "headDim" | "mlpWidth" | "contextLength"
>;

/**
 * A Llama model of the given sizes: tied head, no start token, token 0 ends a generation. For models that are trained
 * from scratch.
 */
export function newLlama(sizes: LlamaSizes): ModelConfig {
  const rotary: Rotary = { theta: 10_000, dimensions: sizes.headDim, scaling: null };
  return {
    ...llamaParts(sizes.headDim),
    ...sizes,
    family: "llama",
    attention: Array.from({ length: sizes.layers }, () => ({ window: null, rotary })),
    normEpsilon: 1e-5,
    tiedHead: true,
    startToken: null,
    endTokens: [0],
  };
}
