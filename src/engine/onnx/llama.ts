/**
 * The Llama-family decoder as graphs: RMSNorm, rotary positions, grouped-query attention, SwiGLU, residuals (Touvron et al. 2023).
 * One description of a layer serves training (static shapes, all positions at once, differentiated by autodiff.ts) and generation
 * (named shapes, a key/value cache that is fed and a shared prefix).
 *
 * Shape suffixes: B sequences, L positions of each, N = B·L, D width, H query heads, K key/value heads, Q = H/K query heads of a group,
 * E head dimension, V vocabulary, R rows that are projected to the vocabulary, P prefix positions, S cache positions.
 * Heads come first ([K, B, …]), so that the prefix, which all sequences share, meets all their queries in one product for each head.
 *
 * The embedding table is not in the graphs: its rows are looked up, and their gradients added up, on the host. Both are copies of B·L
 * rows, in a fixed order, where a graph would carry the whole table's gradient through memory.
 */

import { expectedTensors, type ModelConfig, ropeTables } from "../checkpoint/model-config.js";
import { gradients } from "./graph/autodiff.js";
import { Graph, type Tensor } from "./graph/graph.js";
import type { Dim } from "./graph/proto.js";

export const EMBEDDING = "model.embed_tokens.weight";

/** Added to a score to rule its position out: after the softmax, its share is exactly zero. */
export const MASKED = -1e9;

/** Name of the vocabulary head's weight: the embedding table itself when the head is tied. */
export function headName(config: ModelConfig): string {
  return config.tiedHead ? EMBEDDING : "lm_head.weight";
}

interface Block {
  readonly g: Graph;
  readonly config: ModelConfig;
  readonly weight: (name: string) => Tensor;
  /** B and L. */
  readonly batch: Dim;
  readonly length: Dim;
  /** Q·L, the rows of one group's score matrix. */
  readonly groupLength: Dim;
  /** The rotation of each position, for queries and keys [B, L, heads·E]. */
  readonly rotate: (x: Tensor) => Tensor;
  /** Attention of one layer: queries [K, B, Q·L, E], keys and values [K, B, L, E] → [K, B, Q·L, E]. */
  readonly attend: (layer: number, queries: Tensor, keys: Tensor, values: Tensor) => Tensor;
}

/** The stack of layers without the final norm: x [N, D] or [B, L, D] → the same shape. */
function decoderLayers(block: Block, x: Tensor): Tensor {
  const { g, config, weight } = block;
  let hidden = x;
  for (let layer = 0; layer < config.layers; layer++) {
    const own = (name: string) => weight(`model.layers.${layer}.${name}`);
    const normed = g.rmsNorm(hidden, own("input_layernorm.weight"), config.normEpsilon);
    hidden = g.add(hidden, selfAttention(block, layer, normed, own));
    const mlpIn = g.rmsNorm(hidden, own("post_attention_layernorm.weight"), config.normEpsilon);
    const gate = linear(g, mlpIn, own("mlp.gate_proj.weight"));
    const up = linear(g, mlpIn, own("mlp.up_proj.weight"));
    hidden = g.add(hidden, linear(g, g.swiglu(gate, up), own("mlp.down_proj.weight")));
  }
  return hidden;
}

function selfAttention(block: Block, layer: number, x: Tensor, own: (name: string) => Tensor): Tensor {
  const { g, config, batch, length, groupLength } = block;
  const { heads, keyValueHeads, headDim } = config;
  const group = heads / keyValueHeads;
  const project = (name: string, count: number) => {
    const product = linear(g, x, own(`self_attn.${name}.weight`));
    const biased = config.attentionBias ? g.add(product, own(`self_attn.${name}.bias`)) : product;
    return g.reshape(biased, [batch, length, count * headDim]);
  };
  const keysFirst = (t: Tensor) => g.transpose(g.reshape(t, [batch, length, keyValueHeads, headDim]), [2, 0, 1, 3]); // [K, B, L, E]
  const rotated = block.rotate(project("q_proj", heads));
  const grouped = g.transpose(g.reshape(rotated, [batch, length, keyValueHeads, group, headDim]), [2, 0, 3, 1, 4]);
  const queries = g.reshape(grouped, [keyValueHeads, batch, groupLength, headDim]);
  const keys = keysFirst(block.rotate(project("k_proj", keyValueHeads)));
  const values = keysFirst(project("v_proj", keyValueHeads));
  const context = block.attend(layer, queries, keys, values);
  const byHead = g.reshape(context, [keyValueHeads, batch, group, length, headDim]);
  const byPosition = g.transpose(byHead, [1, 3, 0, 2, 4]); // [B, L, K, Q, E]
  const joined = g.reshape(byPosition, [...x.shape.slice(0, -1), heads * headDim]);
  return linear(g, joined, own("self_attn.o_proj.weight"));
}

/** x · Wᵀ: checkpoints store a layer's weight as [outputs, inputs]. */
function linear(g: Graph, x: Tensor, weight: Tensor): Tensor {
  return g.matmul(x, weight, { transB: true });
}

/** Scores scaled by 1/√E, as in Vaswani et al. 2017. */
function scores(g: Graph, queries: Tensor, keys: Tensor, headDim: number): Tensor {
  return g.matmul(queries, keys, { transB: true, scale: 1 / Math.sqrt(headDim) });
}

/** [Q·L, L]: 0 where a position may be seen, MASKED where it lies ahead; the same L rows for each of the Q heads of a group. */
export function causalMask(group: number, length: number): Float32Array {
  const mask = new Float32Array(group * length * length);
  for (let row = 0; row < group * length; row++) {
    for (let ahead = (row % length) + 1; ahead < length; ahead++) mask[row * length + ahead] = MASKED;
  }
  return mask;
}

/** Sizes of one training graph. Sequences are padded on the right, where causal attention never looks from a real position. */
export interface TrainingShape {
  readonly batch: number;
  readonly length: number;
  /** R: positions that are projected to the vocabulary, completion positions only. */
  readonly rows: number;
}

/**
 * Inputs: `x` [N, D] embedding rows; `rows` [R] int64, distinct rows of N; and, to train, `targets` [R, 1] int64, `weights` [R, 1], and
 * every weight but the embedding under its own name. Outputs by purpose, as tensors whose names the session uses.
 */
export interface TrainingGraph {
  readonly model: Uint8Array;
  /** Σ weights · negative log-likelihood, a scalar. */
  readonly loss: string;
  /** Gradient of the loss, by weight name; the head's comes under `headName`, even when it is tied. */
  readonly gradients: ReadonlyMap<string, string>;
  /** Gradient with respect to `x`, [N, D]. */
  readonly inputGradient: string;
}

export function trainingGraph(config: ModelConfig, shape: TrainingShape): TrainingGraph {
  const { g, x, hidden, weights } = staticForward(config, shape);
  const targets = g.input("targets", [shape.rows, 1], "int64");
  const tokenWeights = g.input("weights", [shape.rows, 1]);
  const loss = g.crossEntropy(projected(g, config, hidden, weights, shape.rows), targets, tokenWeights);
  const names = [...weights.keys()];
  const [inputGradient, ...own] = gradients(g, loss, [x, ...weights.values()]) as [Tensor, ...Tensor[]];
  for (const tensor of [loss, inputGradient, ...own]) g.output(tensor);
  return {
    model: g.encode(),
    loss: loss.name,
    gradients: new Map(names.map((name, i) => [name, (own[i] as Tensor).name])),
    inputGradient: inputGradient.name,
  };
}

/** The forward half of the training graph: `logits` [R, V] at the chosen rows. */
export function forwardGraph(config: ModelConfig, shape: TrainingShape): { model: Uint8Array; logits: string } {
  const { g, hidden, weights } = staticForward(config, shape);
  const logits = g.output(projected(g, config, hidden, weights, shape.rows));
  return { model: g.encode(), logits: logits.name };
}

function staticForward(config: ModelConfig, { batch, length }: TrainingShape) {
  const g = new Graph();
  const weights = new Map<string, Tensor>();
  for (const { name, shape } of expectedTensors(config)) {
    if (name !== EMBEDDING || config.tiedHead) weights.set(name, g.input(name, shape));
  }
  const group = config.heads / config.keyValueHeads;
  const tables = ropeTables(config, length);
  const half = config.headDim / 2;
  const cosines = g.constant(tables.cos, [length, half]);
  const sines = g.constant(tables.sin, [length, half]);
  const order = BigInt64Array.from({ length: batch * length }, (_, i) => BigInt(i % length));
  const positions = g.constant(order, [batch, length]);
  const mask = g.constant(causalMask(group, length), [group * length, length]);
  const x = g.input("x", [batch * length, config.width]);
  const block: Block = {
    g,
    config,
    weight: (name) => weights.get(name) as Tensor,
    batch,
    length,
    groupLength: group * length,
    rotate: (t) => g.rotate(t, positions, cosines, sines),
    attend: (_layer, queries, keys, values) =>
      g.matmul(g.softmax(g.add(scores(g, queries, keys, config.headDim), mask)), values),
  };
  return { g, x, weights, hidden: decoderLayers(block, x) };
}

/** Final norm and vocabulary head at R of the rows of `hidden` [N, D] → logits [R, V]. */
function projected(
  g: Graph,
  config: ModelConfig,
  hidden: Tensor,
  weights: ReadonlyMap<string, Tensor>,
  count: number,
): Tensor {
  const rows = g.takeRows(hidden, g.input("rows", [count], "int64"));
  const normed = g.rmsNorm(rows, weights.get("model.norm.weight") as Tensor, config.normEpsilon);
  return linear(g, normed, weights.get(headName(config)) as Tensor);
}

/** Names of one layer's cache tensors in the generation graph. */
export interface LayerCache {
  readonly prefixKeys: string;
  readonly prefixValues: string;
  readonly keys: string;
  readonly values: string;
  readonly newKeys: string;
  readonly newValues: string;
}

/**
 * One graph takes a prompt in and generates: L new positions of B sequences attend to [prefix | own cache | the new ones].
 *
 * Inputs: `x` [B, L, D]; `positions` [B, L] int64; `last` [R] int64, the rows of B·L whose logits are wanted; `causal` [Q·L, L];
 * `prefixMask` [P] and `cacheMask` [B, 1, S], 0 or MASKED; for each layer prefix keys and values [K, P, E] and cache keys and values
 * [K, B, S, E]; and sizes that the graph cannot infer, as int64: `flatQueries` (K, B·Q·L, E), `flatShares` (K, B·Q·L, P), `queries`
 * (K, B, Q·L, E), `shares` (K, B, Q·L, P) and `parts` (P, S, L).
 * Outputs: `logits` [R, V] and each layer's new keys and values [K, B, L, E], which the caller appends to its cache.
 * The cache is never an output: handing it back would copy all of it at every step.
 */
export interface GenerationGraph {
  readonly model: Uint8Array;
  readonly logits: string;
  readonly caches: readonly LayerCache[];
  /** Weights that the session takes beside the model, by name. */
  readonly externalWeights: readonly string[];
}

export function generationGraph(config: ModelConfig, contextLength: number): GenerationGraph {
  const { keyValueHeads, headDim } = config;
  const g = new Graph();
  const weights = new Map<string, Tensor>();
  for (const { name, shape } of expectedTensors(config)) {
    if (name !== EMBEDDING || config.tiedHead) weights.set(name, g.externalWeight(name, shape));
  }
  const tables = ropeTables(config, contextLength);
  const cosines = g.constant(tables.cos, [contextLength, headDim / 2]);
  const sines = g.constant(tables.sin, [contextLength, headDim / 2]);
  const x = g.input("x", ["B", "L", config.width]);
  const positions = g.input("positions", ["B", "L"], "int64");
  const last = g.input("last", ["R"], "int64");
  const causal = g.input("causal", ["QL", "L"]);
  const prefixMask = g.input("prefixMask", ["P"]);
  const cacheMask = g.input("cacheMask", ["B", 1, "S"]);
  const sizes = {
    flatQueries: g.input("flatQueries", [3], "int64"),
    flatShares: g.input("flatShares", [3], "int64"),
    queries: g.input("queries", [4], "int64"),
    shares: g.input("shares", [4], "int64"),
    parts: g.input("parts", [3], "int64"),
  };
  const caches: LayerCache[] = [];
  const block: Block = {
    g,
    config,
    weight: (name) => weights.get(name) as Tensor,
    batch: "B",
    length: "L",
    groupLength: "QL",
    rotate: (t) => g.rotate(t, positions, cosines, sines),
    attend: (layer, queries, keys, values) => {
      const own = (name: string, shape: readonly Dim[]) => g.input(`${name}.${layer}`, shape);
      const prefixKeys = own("prefixKeys", [keyValueHeads, "P", headDim]);
      const prefixValues = own("prefixValues", [keyValueHeads, "P", headDim]);
      const pastKeys = own("keys", [keyValueHeads, "B", "S", headDim]);
      const pastValues = own("values", [keyValueHeads, "B", "S", headDim]);
      // All sequences' queries of a head as one matrix against the prefix they share.
      const flat = g.reshapeTo(queries, sizes.flatQueries, [keyValueHeads, "BQL", headDim]);
      const toPrefix = g.reshapeTo(scores(g, flat, prefixKeys, headDim), sizes.shares, [keyValueHeads, "B", "QL", "P"]);
      const all = g.concat(
        [
          g.add(toPrefix, prefixMask),
          g.add(scores(g, queries, pastKeys, headDim), cacheMask),
          g.add(scores(g, queries, keys, headDim), causal),
        ],
        3,
      );
      const [onPrefix, onPast, onNew] = g.split(g.softmax(all), sizes.parts, ["P", "S", "L"]) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const flatShares = g.reshapeTo(onPrefix, sizes.flatShares, [keyValueHeads, "BQL", "P"]);
      const fromPrefix = g.reshapeTo(g.matmul(flatShares, prefixValues), sizes.queries, [
        keyValueHeads,
        "B",
        "QL",
        headDim,
      ]);
      for (const tensor of [keys, values]) g.output(tensor);
      caches.push({
        prefixKeys: prefixKeys.name,
        prefixValues: prefixValues.name,
        keys: pastKeys.name,
        values: pastValues.name,
        newKeys: keys.name,
        newValues: values.name,
      });
      return g.add(fromPrefix, g.add(g.matmul(onPast, pastValues), g.matmul(onNew, values)));
    },
  };
  const hidden = g.reshape(decoderLayers(block, x), ["BL", config.width]);
  const normed = g.rmsNorm(g.lookUp(hidden, last), weights.get("model.norm.weight") as Tensor, config.normEpsilon);
  const logits = g.output(linear(g, normed, weights.get(headName(config)) as Tensor));
  return { model: g.encode(), logits: logits.name, caches, externalWeights: [...weights.keys()] };
}
