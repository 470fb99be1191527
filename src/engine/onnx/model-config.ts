/**
 * What a Hugging Face checkpoint says of its own architecture: config.json and generation_config.json, read into the few numbers
 * that a Llama-family decoder needs. Anything that this engine would compute differently from transformers is refused by name.
 */
import { z } from "zod";
import { shown, UserError } from "../../errors.js";

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
export interface LlamaConfig {
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

/** Names of one layer's tensors after `model.layers.N.`, in the order of `expectedTensors`. */
const NORM_BEFORE_ATTENTION = "input_layernorm.weight";
const NORM_BEFORE_MLP = "post_attention_layernorm.weight";

/** Every tensor of a checkpoint of this config, under its Hugging Face name; embedding first, then the layers in order, norm, head. */
export function expectedTensors(config: LlamaConfig): ExpectedTensor[] {
  const { width, mlpWidth, vocabularySize } = config;
  const queryWidth = config.heads * config.headDim;
  const keyValueWidth = config.keyValueHeads * config.headDim;
  const tensors: ExpectedTensor[] = [{ name: "model.embed_tokens.weight", shape: [vocabularySize, width] }];
  for (let layer = 0; layer < config.layers; layer++) {
    const add = (name: string, ...shape: number[]) => tensors.push({ name: `model.layers.${layer}.${name}`, shape });
    add(NORM_BEFORE_ATTENTION, width);
    for (const [projection, rows] of [
      ["q_proj", queryWidth],
      ["k_proj", keyValueWidth],
      ["v_proj", keyValueWidth],
    ] as const) {
      add(`self_attn.${projection}.weight`, rows, width);
      if (config.attentionBias) add(`self_attn.${projection}.bias`, rows);
    }
    add("self_attn.o_proj.weight", width, queryWidth);
    add(NORM_BEFORE_MLP, width);
    add("mlp.gate_proj.weight", mlpWidth, width);
    add("mlp.up_proj.weight", mlpWidth, width);
    add("mlp.down_proj.weight", width, mlpWidth);
  }
  tensors.push({ name: "model.norm.weight", shape: [width] });
  if (!config.tiedHead) tensors.push({ name: "lm_head.weight", shape: [vocabularySize, width] });
  return tensors;
}

/** All parameters, embeddings included; a tied head is counted once. */
export function parameterCount(config: LlamaConfig): number {
  return expectedTensors(config).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

/** All parameters but the input embedding and the vocabulary head: P of the cost formulas (Kaplan et al. 2020, section 2.1). */
export function nonEmbeddingParameterCount(config: LlamaConfig): number {
  const embedding = config.vocabularySize * config.width;
  return parameterCount(config) - (config.tiedHead ? embedding : 2 * embedding);
}

/** Reads config.json (and generation_config.json if it is there) of the checkpoint folder `dir`. Throws UserError naming file and field. */
export declare function readModelConfig(dir: string): Promise<LlamaConfig>;
/** The same from parsed JSON; `where` is the folder, for messages. */
export declare function parseModelConfig(config: unknown, generationConfig: unknown, where: string): LlamaConfig;
/** cos and sin of every rotary angle, both [positions, headDim / 2], for positions 0 .. positions - 1. */
export declare function ropeTables(
  config: Pick<LlamaConfig, "headDim" | "ropeTheta" | "ropeScaling">,
  positions: number,
): { cos: Float32Array; sin: Float32Array };
