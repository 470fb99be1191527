/**
 * The decoder for training, differentiated by graph/autodiff.ts. All sizes of the batch are known only when the graph
 * runs, so one compiled graph serves every batch.
 *
 * The tokens of all sequences lie one after another, [N, …], without padding; only attention spreads them to [B, L, …],
 * one sequence a row. Rows are filled up on the right, where causal attention never looks from a real position.
 */

import type { ModelConfig } from "../checkpoint/model-config.js";
import { gradients } from "./graph/autodiff.js";
import { Graph, type Tensor } from "./graph/graph.js";
import { type Block, decoderLayers, graphWeights, logitsOf, scores, tablesOf } from "./model.js";

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
  /** Gradient of the loss, by weight name; a tied head's under that of the embedding. */
  readonly gradients: ReadonlyMap<string, string>;
  /** Gradient with respect to the embedding rows of the tokens, [N, D]. */
  readonly inputGradient: string;
}

export function trainingGraph(config: ModelConfig): TrainingGraph {
  const { g, inputs, embedded, logits, weights } = packedForward(config);
  const loss = g.crossEntropy(logits, inputs.targets, inputs.tokenWeights);
  const names = [...weights.keys()];
  const [inputGradient, ...own] = gradients(g, loss, [embedded, ...weights.values()]);
  for (const tensor of [loss, inputGradient, ...own]) g.output(tensor);
  return {
    model: g.encode(),
    loss: loss.name,
    gradients: new Map(names.map((name, i) => [name, own[i].name])),
    inputGradient: inputGradient.name,
  };
}

/** The forward half: `logits` [R, V] at the chosen rows. */
export function packedForward(config: ModelConfig) {
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
  const block: Block = {
    g,
    config,
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
  return { g, inputs, embedded, logits, weights };
}
