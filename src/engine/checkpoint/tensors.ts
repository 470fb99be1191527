/**
 * The tensors of a model, as it computes with them and as files hold them. Both use Hugging Face names; they differ
 * where a family stores several matrices as one.
 */

import type { ModelConfig } from "./model-config.js";

export const EMBEDDING = "model.embed_tokens.weight";
export const FINAL_NORM = "model.norm.weight";
/** The head of a model whose head is not the embedding matrix. */
export const HEAD = "lm_head.weight";

export interface ModelTensor {
  readonly name: string;
  /** [rows, columns] for matrices, output dimension first as in torch.nn.Linear; [size] for vectors. */
  readonly shape: readonly number[];
  /** What the tensor does, as far as its first value depends on it. */
  readonly role: "embedding" | "matrix" | "norm" | "bias";
}

/** A tensor as a file holds it: the model's tensors `parts`, one above the other. */
export interface StoredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** One in most cases, under the same name. */
  readonly parts: readonly ModelTensor[];
}

/** Number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Prefix of the names of a layer's tensors. */
export function layerPrefix(layer: number): string {
  return `model.layers.${layer}.`;
}

/** Every tensor that a model computes with: embedding first, then the layers in order, final norm, head. */
export function modelTensors(config: ModelConfig): ModelTensor[] {
  const { vocabularySize, width } = config;
  const layers = Array.from({ length: config.layers }, (_, layer) =>
    layerTensors(config).map((tensor) => ({ ...tensor, name: layerPrefix(layer) + tensor.name })),
  );
  return [
    { name: EMBEDDING, shape: [vocabularySize, width], role: "embedding" },
    ...layers.flat(),
    { name: FINAL_NORM, shape: [width], role: "norm" },
    ...(config.tiedHead ? [] : [{ name: HEAD, shape: [vocabularySize, width], role: "matrix" } as const]),
  ];
}

/** The tensors of one layer, named within it. */
function layerTensors({ width, mlpWidth, headDim, norms, biases, ...config }: ModelConfig): ModelTensor[] {
  const queryWidth = config.heads * headDim;
  const keyValueWidth = config.keyValueHeads * headDim;
  const norm = (name: string | null, size: number): ModelTensor[] =>
    name === null ? [] : [{ name: `${name}.weight`, shape: [size], role: "norm" }];
  const linear = (name: string, rows: number, columns: number, bias: boolean): ModelTensor[] => [
    { name: `${name}.weight`, shape: [rows, columns], role: "matrix" },
    ...(bias ? [{ name: `${name}.bias`, shape: [rows], role: "bias" } as const] : []),
  ];
  const queryKeyNorms = {
    none: [],
    head: [...norm("self_attn.q_norm", headDim), ...norm("self_attn.k_norm", headDim)],
    "all-heads": [...norm("self_attn.q_norm", queryWidth), ...norm("self_attn.k_norm", keyValueWidth)],
  };
  return [
    ...norm(norms.beforeAttention, width),
    ...linear("self_attn.q_proj", queryWidth, width, biases.queryKeyValue),
    ...linear("self_attn.k_proj", keyValueWidth, width, biases.queryKeyValue),
    ...linear("self_attn.v_proj", keyValueWidth, width, biases.queryKeyValue),
    ...queryKeyNorms[config.queryKeyNorm],
    ...linear("self_attn.o_proj", width, queryWidth, biases.attentionOutput),
    ...norm(norms.afterAttention, width),
    ...norm(norms.beforeMlp, width),
    ...linear("mlp.gate_proj", mlpWidth, width, biases.mlp),
    ...linear("mlp.up_proj", mlpWidth, width, biases.mlp),
    ...linear("mlp.down_proj", width, mlpWidth, biases.mlp),
    ...norm(norms.afterMlp, width),
  ];
}

/** Where files with fused weights put matrices: the last part of the stored name by that of each part's name. */
const FUSED_NAMES: Readonly<Record<string, string>> = {
  "self_attn.q_proj": "self_attn.qkv_proj",
  "self_attn.k_proj": "self_attn.qkv_proj",
  "self_attn.v_proj": "self_attn.qkv_proj",
  "mlp.gate_proj": "mlp.gate_up_proj",
  "mlp.up_proj": "mlp.gate_up_proj",
};

/** Every tensor that a checkpoint of this config must hold, in the order of their first parts. */
export function storedTensors(config: ModelConfig): StoredTensor[] {
  const groups = new Map<string, ModelTensor[]>();
  for (const tensor of modelTensors(config)) {
    const name = config.fusedWeights ? fusedName(tensor.name) : tensor.name;
    groups.set(name, [...(groups.get(name) ?? []), tensor]);
  }
  return [...groups].map(([name, parts]) => {
    const rows = parts.reduce((sum, { shape }) => sum + shape[0], 0);
    return { name, shape: [rows, ...parts[0].shape.slice(1)], parts };
  });
}

function fusedName(name: string): string {
  return name.replace(/(self_attn|mlp)\.\w+(?=\.(weight|bias)$)/, (part) => FUSED_NAMES[part] ?? part);
}
