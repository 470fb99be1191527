/**
 * The decoder for training, differentiated by graph/autodiff.ts. All sizes of the batch are known only when the graph
 * runs, so one compiled graph serves every batch.
 *
 * The tokens of all sequences lie one after another, [N, …], without padding; only attention spreads them to [B, L, …],
 * one sequence a row. Rows are filled up on the right, where causal attention never looks from a real position.
 */

import { adapterPairs, type Lora, loraScale } from "../checkpoint/lora.js";
import type { ModelConfig } from "../checkpoint/model-config.js";
import { gradients } from "./graph/autodiff.js";
import { Graph, type Tensor } from "./graph/graph.js";
import type { Dim } from "./graph/proto.js";
import {
  type AdapterTensors,
  type Block,
  decoderLayers,
  graphWeights,
  type LinearInput,
  logitsOf,
  scores,
  tablesOf,
} from "./model.js";

/** Inputs beside the weights and the masks, by what `PackedBatch` calls them. */
export interface BatchInputs {
  readonly tokens: Tensor;
  readonly padded: Tensor;
  readonly places: Tensor;
  readonly real: Tensor;
  readonly positions: Tensor;
  readonly rows: Tensor;
  readonly targets: Tensor;
  readonly tokenWeights: Tensor;
}

/** Input for the embedding table [V, D], apart from the head that may share it: no gradient is computed for it here. */
export const EMBEDDING_TABLE = "embeddingTable";

/** Name of the input for the mask [Q·L, L] of layers with this window. */
export function maskName(window: number | null): string {
  return window === null ? "causal" : `causal.window${window}`;
}

export interface TrainingGraph {
  readonly model: Uint8Array;
  /** Σ tokenWeights · negative log-likelihood, a scalar. */
  readonly loss: string;
  /** Gradient of the loss, by the name of what is trained; a tied head's under that of the embedding. */
  readonly gradients: ReadonlyMap<string, string>;
  /** Gradient with respect to the embedding rows of the tokens, [N, D]; null where they are frozen. */
  readonly inputGradient: string | null;
  /** Inputs [N, width] that say what dropout keeps. */
  readonly dropout: readonly { readonly name: string; readonly width: number }[];
}

/** @param lora what is trained beside frozen weights; null: all weights are trained */
export function trainingGraph(config: ModelConfig, lora: Lora | null = null): TrainingGraph {
  const { g, inputs, embedded, logits, weights, adapters } = packedForward(config, lora);
  const loss = g.output(g.crossEntropy(logits, inputs.targets, inputs.tokenWeights));
  const trained = adapters === null ? weights : adapters.tensors;
  const own = gradients(g, loss, [...trained.values(), ...(adapters === null ? [embedded] : [])]);
  for (const tensor of own) g.output(tensor);
  const names = [...trained.keys()];
  return {
    model: g.encode(),
    loss: loss.name,
    gradients: new Map(names.map((name, i) => [name, own[i].name])),
    inputGradient: adapters === null ? own[names.length].name : null,
    dropout:
      adapters === null
        ? []
        : [...adapters.masks.values()].map(({ name, shape: [, width] }) => ({ name, width: Number(width) })),
  };
}

/** The inputs of all adapters, by PEFT's names, and of their dropout, by layer and input. */
interface AdapterInputs {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly masks: ReadonlyMap<string, Tensor>;
  readonly adapter: (map: string, input: LinearInput) => AdapterTensors | null;
}

function adapterInputs(g: Graph, config: ModelConfig, lora: Lora): AdapterInputs {
  const pairs = new Map(adapterPairs(config, lora).map((pair) => [pair.map, pair]));
  const tensors = new Map<string, Tensor>();
  const masks = new Map<string, Tensor>();
  const inputOf = (known: Map<string, Tensor>, name: string, shape: readonly Dim[]) => {
    const tensor = known.get(name) ?? g.input(name, shape);
    known.set(name, tensor);
    return tensor;
  };
  const adapter = (map: string, input: LinearInput): AdapterTensors | null => {
    const pair = pairs.get(map);
    if (pair === undefined) return null;
    const layer = /layers\.(\d+)/.exec(map)?.[1];
    const { a, b } = pair;
    return {
      a: inputOf(tensors, a.name, a.shape),
      b: inputOf(tensors, b.name, b.shape),
      // What is kept grows by 1/(1 − p), so that dropout does not change the mean (Srivastava et al. 2014).
      scale: loraScale(lora) / (1 - lora.dropout),
      kept: lora.dropout === 0 ? null : inputOf(masks, `dropout.${layer}.${input}`, ["N", a.shape[1]]),
    };
  };
  return { tensors, masks, adapter };
}

/** The forward half: `logits` [R, V] at the chosen rows. */
export function packedForward(config: ModelConfig, lora: Lora | null = null) {
  const g = new Graph();
  const weights = new Map(graphWeights(config).map(({ name, shape }) => [name, g.input(name, shape)]));
  const table = g.input(EMBEDDING_TABLE, [config.vocabularySize, config.width]);
  const inputs: BatchInputs = {
    tokens: g.input("tokens", ["N"], "int64"),
    padded: g.input("padded", ["B", "L"], "int64"),
    places: g.input("places", ["N"], "int64"),
    real: g.input("real", ["B", "L", 1]),
    positions: g.input("positions", ["B", "L"], "int64"),
    rows: g.input("rows", ["R"], "int64"),
    targets: g.input("targets", ["R", 1], "int64"),
    tokenWeights: g.input("tokenWeights", ["R", 1]),
  };
  const { padded, places, real, positions } = inputs;
  const windows = new Set(config.attention.map(({ window }) => window));
  const masks = new Map([...windows].map((window) => [window, g.input(maskName(window), ["QL", "L"])]));
  const adapters = lora === null ? null : adapterInputs(g, config, lora);
  const block: Block = {
    g,
    config,
    ...(adapters === null ? {} : { adapter: adapters.adapter }),
    weight: (name) => weights.get(name) as Tensor,
    batch: "B",
    length: "L",
    groupLength: "QL",
    positions,
    tables: tablesOf(g, config.contextLength),
    spread: (x) => g.spread(x, padded, places),
    collect: (x) => g.collect(x, padded, places, real),
    attend: (layer, queries, keys, values) => {
      const mask = masks.get(config.attention[layer].window) as Tensor;
      return g.matmul(g.softmax(g.add(scores(g, config, queries, keys), mask)), values);
    },
  };
  const embedded = g.lookUp(table, inputs.tokens);
  const hidden = decoderLayers(block, embedded);
  const logits = logitsOf(block, g.takeRows(hidden, inputs.rows));
  return { g, inputs, embedded, logits, weights, adapters };
}
