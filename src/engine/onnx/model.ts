/**
 * The decoder's formulas: norms, attention, MLP and vocabulary head, made of the parts that a `ModelConfig` names. One
 * description of a layer serves training (training-graph.ts) and generation (generation-graph.ts).
 *
 * Letters of shapes: B sequences, L positions of the longest, N tokens in all, D width, H query heads, K key/value
 * heads, Q = H/K query heads of a group, E head dimension, V vocabulary, R rows that are projected to the vocabulary, P
 * prefix positions, S cache positions. Heads come first ([K, B, …]), so that the prefix, which all sequences share,
 * meets all their queries in one product for each head.
 *
 * The gradient of the embedding rows is added up on the host: a few rows in a fixed order, where a graph would carry
 * the gradient of the whole table through memory.
 */

import type { ModelConfig } from "../checkpoint/model-config.js";
import { type Rotary, rotaryTables } from "../checkpoint/rotary.js";
import { EMBEDDING, FINAL_NORM, HEAD, layerPrefix, modelTensors } from "../checkpoint/tensors.js";
import type { Graph, Tensor } from "./graph/graph.js";
import type { Dim } from "./graph/proto.js";

/** Added to a score to rule its position out: after the softmax, its share is exactly zero. */
export const MASKED = -1e9;

/** Name of the vocabulary head's weight: the embedding table itself when the head is tied. */
function headName(config: ModelConfig): string {
  return config.tiedHead ? EMBEDDING : HEAD;
}

/** The tensors that graphs take as weights: all but an embedding that is only looked up. */
export function graphWeights(
  config: ModelConfig,
): readonly { readonly name: string; readonly shape: readonly number[] }[] {
  return modelTensors(config).filter(({ name }) => name !== EMBEDDING || config.tiedHead);
}

/** What a linear map reads; maps with the same input share its dropout. */
export type LinearInput = "attention" | "context" | "mlp" | "product";

/** x gets scale · (x ∘ kept) · Aᵀ · Bᵀ (LoRA, Hu et al. 2022). */
export interface AdapterTensors {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly scale: number;
  /** 1 for inputs that are kept, else 0; null where all are. */
  readonly kept: Tensor | null;
}

/** What the layers need of the graph that they are in. */
export interface Block {
  readonly g: Graph;
  readonly config: ModelConfig;
  readonly weight: (name: string) => Tensor;
  /** The adapter of a linear map of that name, where it has one beside its weight. */
  readonly adapter?: (map: string, input: LinearInput) => AdapterTensors | null;
  /** B and L. */
  readonly batch: Dim;
  readonly length: Dim;
  /** Q·L, the rows of one group's score matrix. */
  readonly groupLength: Dim;
  /** [B, L] int64: the place of each position in its sequence. */
  readonly positions: Tensor;
  /**
   * From where linear maps work, as the layers' input [N, …] or [B, L, …], to one sequence a row [B, L, …]; and back.
   */
  readonly spread: (x: Tensor) => Tensor;
  readonly collect: (x: Tensor) => Tensor;
  /** Attention of one layer: queries [K, B, Q·L, E], keys and values [K, B, L, E] → [K, B, Q·L, E]. */
  readonly attend: (layer: number, queries: Tensor, keys: Tensor, values: Tensor) => Tensor;
  /** Cosines and sines of a layer's rotation. */
  readonly tables: (rotary: Rotary) => RotationTables;
}

interface RotationTables {
  /** [positions, turning dimensions / 2] */
  readonly cosines: Tensor;
  readonly sines: Tensor;
}

/** Tables for positions 0 .. positions − 1 as constants of the graph, one pair for each rotation that layers share. */
export function tablesOf(g: Graph, positions: number): Block["tables"] {
  const made = new Map<Rotary, RotationTables>();
  return (rotary) => {
    const known = made.get(rotary);
    if (known !== undefined) return known;
    const { cos, sin } = rotaryTables(rotary, positions);
    const shape = [positions, rotary.dimensions / 2];
    const tables = { cosines: g.constant(cos, shape), sines: g.constant(sin, shape) };
    made.set(rotary, tables);
    return tables;
  };
}

/** The stack of layers without the final norm: x [N, D] or [B, L, D] → the same shape. */
export function decoderLayers(block: Block, x: Tensor): Tensor {
  const { g, config } = block;
  const { beforeAttention, afterAttention, beforeMlp, afterMlp } = config.norms;
  let hidden = scaled(g, x, config.embeddingScale);
  for (let layer = 0; layer < config.layers; layer++) {
    const norm = (name: string | null, t: Tensor) =>
      name === null ? t : rmsNorm(block, t, `${layerPrefix(layer)}${name}.weight`);
    const addTo = (stream: Tensor, output: Tensor) => g.add(stream, scaled(g, output, config.residualScale));
    const attended = selfAttention(block, layer, norm(beforeAttention, hidden));
    hidden = addTo(hidden, norm(afterAttention, attended));
    const transformed = gatedMlp(block, layer, norm(beforeMlp, hidden));
    hidden = addTo(hidden, norm(afterMlp, transformed));
  }
  return hidden;
}

function selfAttention(block: Block, layer: number, x: Tensor): Tensor {
  const { g, config, batch, length, groupLength } = block;
  const { heads, keyValueHeads, headDim, biases } = config;
  const group = heads / keyValueHeads;
  const map = (name: string) =>
    block.spread(linear(block, layer, `self_attn.${name}`, "attention", x, biases.queryKeyValue));
  const rotated = (projection: "q_proj" | "k_proj", norm: "q_norm" | "k_norm", count: number) =>
    rotate(block, layer, queryKeyNorm(block, layer, norm, map(projection), count), count);
  // [K, B, L, E]
  const keysFirst = (t: Tensor) => g.transpose(g.reshape(t, [batch, length, keyValueHeads, headDim]), [2, 0, 1, 3]);
  const byGroup = [batch, length, keyValueHeads, group, headDim];
  const grouped = g.transpose(g.reshape(rotated("q_proj", "q_norm", heads), byGroup), [2, 0, 3, 1, 4]);
  const queries = g.reshape(grouped, [keyValueHeads, batch, groupLength, headDim]);
  const keys = keysFirst(rotated("k_proj", "k_norm", keyValueHeads));
  const values = keysFirst(map("v_proj"));
  const context = block.attend(layer, queries, keys, values);
  const byHead = g.reshape(context, [keyValueHeads, batch, group, length, headDim]);
  const byPosition = g.transpose(byHead, [1, 3, 0, 2, 4]); // [B, L, K, Q, E]
  const joined = block.collect(g.reshape(byPosition, [batch, length, heads * headDim]));
  return linear(block, layer, "self_attn.o_proj", "context", joined, biases.attentionOutput);
}

/** Norm of queries or keys [B, L, count·E], where the model has one. */
function queryKeyNorm(block: Block, layer: number, name: "q_norm" | "k_norm", x: Tensor, count: number): Tensor {
  const { g, config, batch, length } = block;
  const weight = `${layerPrefix(layer)}self_attn.${name}.weight`;
  switch (config.queryKeyNorm) {
    case "none":
      return x;
    case "all-heads":
      return rmsNorm(block, x, weight);
    case "head": {
      const byHead = g.reshape(x, [batch, length, count, config.headDim]);
      return g.reshape(rmsNorm(block, byHead, weight), x.shape);
    }
  }
}

/** The layer's rotation of queries or keys [B, L, count·E]. */
function rotate({ g, config, positions, tables }: Block, layer: number, x: Tensor, count: number): Tensor {
  const { rotary } = config.attention[layer];
  if (rotary === null) return x;
  const { cosines, sines } = tables(rotary);
  return g.rotate(x, positions, cosines, sines, rotary.dimensions < config.headDim ? count : null);
}

/** down(f(gate(x)) ∘ up(x)), as Shazeer 2020. */
function gatedMlp(block: Block, layer: number, x: Tensor): Tensor {
  const { g, config } = block;
  const biased = config.biases.mlp;
  const gate = linear(block, layer, "mlp.gate_proj", "mlp", x, biased);
  const up = linear(block, layer, "mlp.up_proj", "mlp", x, biased);
  const product =
    config.activation === "silu" ? g.swiglu(gate, up) : g.mul(g.gelu(gate, config.activation === "gelu-tanh"), up);
  return linear(block, layer, "mlp.down_proj", "product", product, biased);
}

/** x · Wᵀ + b: checkpoints store a weight as [outputs, inputs]. */
function linear(block: Block, layer: number, name: string, input: LinearInput, x: Tensor, biased: boolean): Tensor {
  const { g, weight } = block;
  const map = layerPrefix(layer) + name;
  const product = adapted(block, map, input, x, g.matmul(x, weight(`${map}.weight`), { transB: true }));
  return biased ? g.add(product, weight(`${map}.bias`)) : product;
}

/** Adds what the map's adapter makes of x to `product`. */
function adapted({ g, adapter }: Block, map: string, input: LinearInput, x: Tensor, product: Tensor): Tensor {
  const found = adapter?.(map, input) ?? null;
  if (found === null) return product;
  const { a, b, scale, kept } = found;
  const inner = g.matmul(kept === null ? x : g.mul(x, kept), a, { transB: true });
  return g.add(product, g.matmul(inner, b, { transB: true, scale }));
}

function rmsNorm({ g, config, weight }: Pick<Block, "g" | "config" | "weight">, x: Tensor, name: string): Tensor {
  const factor = config.normOffset === 0 ? weight(name) : g.add(weight(name), g.scalar(config.normOffset));
  return g.rmsNorm(x, factor, config.normEpsilon);
}

/** Scores of keys for queries, scaled and capped; masks are added to them. */
export function scores(g: Graph, config: ModelConfig, queries: Tensor, keys: Tensor): Tensor {
  return cappedProduct(g, queries, keys, config.attentionScale, config.attentionCap);
}

/** Logits [R, V] of rows [R, D] that have passed all layers. */
export function logitsOf(block: Pick<Block, "g" | "config" | "weight">, rows: Tensor): Tensor {
  const { g, config, weight } = block;
  const normed = rmsNorm(block, rows, FINAL_NORM);
  return cappedProduct(g, normed, weight(headName(config)), config.logitScale, config.logitCap);
}

/**
 * scale · a · bᵀ, of which every value v becomes cap · tanh(v / cap) where there is a cap (Gemma Team 2024,
 * soft-capping).
 */
function cappedProduct(g: Graph, a: Tensor, b: Tensor, scale: number, cap: number | null): Tensor {
  if (cap === null) return g.matmul(a, b, { transB: true, scale });
  return g.mul(g.tanh(g.matmul(a, b, { transB: true, scale: scale / cap })), g.scalar(cap));
}

function scaled(g: Graph, x: Tensor, factor: number): Tensor {
  return factor === 1 ? x : g.mul(x, g.scalar(factor));
}
