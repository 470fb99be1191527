/** The few numbers that say what a Llama-family decoder is, and what follows from them: weights, their shapes, rotary tables. */

import type { ModelFacts } from "../engine.js";

/** Rotary frequencies stretched by wavelength, as Llama 3.1 and later do. */
export interface Llama3RopeScaling {
  readonly kind: "llama3";
  readonly factor: number;
  readonly lowFrequencyFactor: number;
  readonly highFrequencyFactor: number;
  /** The context length before scaling, in tokens. */
  readonly originalContextLength: number;
}

/** Every position divided by one factor (Chen et al. 2023, position interpolation). */
export interface LinearRopeScaling {
  readonly kind: "linear";
  readonly factor: number;
}

/** A Llama-family decoder: RMSNorm, rotary positions, grouped-query attention, SwiGLU. */
export interface ModelConfig {
  /** Decides the names in config.json, and whether q, k and v have biases (qwen2). */
  readonly modelType: ModelType;
  readonly vocabularySize: number;
  /** Width of the residual stream (hidden_size). */
  readonly width: number;
  readonly layers: number;
  /** Query heads; a multiple of `keyValueHeads`. */
  readonly heads: number;
  readonly keyValueHeads: number;
  /** Width of one head, even; need not be width / heads. */
  readonly headDim: number;
  readonly mlpWidth: number;
  readonly ropeTheta: number;
  readonly ropeScaling: Llama3RopeScaling | LinearRopeScaling | null;
  /** Epsilon of every RMSNorm. */
  readonly normEpsilon: number;
  /** The longest sequence, in tokens. Never longer than a sliding window, so that within it attention is full attention. */
  readonly contextLength: number;
  /** Whether the vocabulary head is the embedding matrix. */
  readonly tiedHead: boolean;
  /** Whether the q, k and v projections have biases. */
  readonly attentionBias: boolean;
  readonly startToken: number | null;
  /** Ids that end a generation; generation_config.json goes before config.json. May be empty: the tokenizer may know one. */
  readonly endTokens: readonly number[];
}

export const MODEL_TYPES = ["llama", "mistral", "qwen2"] as const;
export type ModelType = (typeof MODEL_TYPES)[number];

/** A weight that a checkpoint of some config must hold. */
export interface ExpectedTensor {
  readonly name: string;
  /** [rows, columns] for matrices, output dimension first as in torch.nn.Linear; [size] for vectors. */
  readonly shape: readonly number[];
}

/** Every tensor of a checkpoint of this config, under its Hugging Face name; embedding first, then the layers in order, norm, head. */
export function expectedTensors(config: ModelConfig): ExpectedTensor[] {
  const { width, mlpWidth, vocabularySize } = config;
  const queryWidth = config.heads * config.headDim;
  const keyValueWidth = config.keyValueHeads * config.headDim;
  const tensors: ExpectedTensor[] = [{ name: "model.embed_tokens.weight", shape: [vocabularySize, width] }];
  for (let layer = 0; layer < config.layers; layer++) {
    const add = (name: string, ...shape: number[]) => tensors.push({ name: `model.layers.${layer}.${name}`, shape });
    add("input_layernorm.weight", width);
    for (const [projection, rows] of [
      ["q_proj", queryWidth],
      ["k_proj", keyValueWidth],
      ["v_proj", keyValueWidth],
    ] as const) {
      add(`self_attn.${projection}.weight`, rows, width);
      if (config.attentionBias) add(`self_attn.${projection}.bias`, rows);
    }
    add("self_attn.o_proj.weight", width, queryWidth);
    add("post_attention_layernorm.weight", width);
    add("mlp.gate_proj.weight", mlpWidth, width);
    add("mlp.up_proj.weight", mlpWidth, width);
    add("mlp.down_proj.weight", width, mlpWidth);
  }
  tensors.push({ name: "model.norm.weight", shape: [width] });
  if (!config.tiedHead) tensors.push({ name: "lm_head.weight", shape: [vocabularySize, width] });
  return tensors;
}

/** All parameters, embeddings included; a tied head is counted once. */
export function parameterCount(config: ModelConfig): number {
  return expectedTensors(config).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

/** All parameters but the input embedding and the vocabulary head: P of the cost formulas (Kaplan et al. 2020, section 2.1). */
export function nonEmbeddingParameterCount(config: ModelConfig): number {
  const embedding = config.vocabularySize * config.width;
  return parameterCount(config) - (config.tiedHead ? embedding : 2 * embedding);
}

/** What the engine's border tells of a model. */
export function modelFacts(name: string, config: ModelConfig): ModelFacts {
  return {
    name,
    parameters: parameterCount(config),
    nonEmbeddingParameters: nonEmbeddingParameterCount(config),
    layers: config.layers,
    attentionWidth: config.heads * config.headDim,
    contextLength: config.contextLength,
    vocabularySize: config.vocabularySize,
  };
}

/** Rotary angles' cosines and sines. */
export interface RopeTables {
  /** [positions, headDim / 2], row-major: entry (p, i) belongs to position p and the pair of dimensions i, i + headDim / 2. */
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/**
 * Rotary tables (Su et al. 2021, section 3.2) for positions 0 .. positions - 1. Frequencies and angles are rounded to float32 where
 * transformers does so: at position 8000 the rounding of an angle is far larger than that of its cosine.
 */
export function ropeTables(
  config: Pick<ModelConfig, "headDim" | "ropeTheta" | "ropeScaling">,
  positions: number,
): RopeTables {
  const frequencies = ropeFrequencies(config);
  const pairs = frequencies.length;
  const cos = new Float32Array(positions * pairs);
  const sin = new Float32Array(positions * pairs);
  for (let position = 0; position < positions; position++) {
    for (let pair = 0; pair < pairs; pair++) {
      const angle = Math.fround(position * (frequencies[pair] as number));
      cos[position * pairs + pair] = Math.cos(angle);
      sin[position * pairs + pair] = Math.sin(angle);
    }
  }
  return { cos, sin };
}

/** Radians per position of each pair of dimensions, [headDim / 2]. */
function ropeFrequencies({
  headDim,
  ropeTheta,
  ropeScaling,
}: Pick<ModelConfig, "headDim" | "ropeTheta" | "ropeScaling">) {
  const base = Float32Array.from({ length: headDim / 2 }, (_, pair) => {
    const exponent = Math.fround((2 * pair) / headDim);
    return 1 / Math.fround(ropeTheta ** exponent);
  });
  if (ropeScaling === null) return base;
  const { factor } = ropeScaling;
  if (ropeScaling.kind === "linear") return base.map((frequency) => frequency / factor);
  // Llama 3.1: long wavelengths are stretched by `factor`, short ones stay, those between are blended.
  const { lowFrequencyFactor: low, highFrequencyFactor: high, originalContextLength } = ropeScaling;
  const round = Math.fround;
  return base.map((frequency) => {
    const wavelength = round((2 * Math.PI) / frequency);
    if (wavelength > originalContextLength / low) return frequency / factor;
    if (wavelength < originalContextLength / high) return frequency;
    const kept = round(round(round(originalContextLength / wavelength) - low) / (high - low));
    return round(round(round(1 - kept) * frequency) / factor) + round(kept * frequency);
  });
}
