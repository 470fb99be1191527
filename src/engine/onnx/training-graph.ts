/** The decoder for training: static shapes, all positions at once, differentiated by graph/autodiff.ts. */

import type { ModelConfig } from "../checkpoint/model-config.js";
import { gradients } from "./graph/autodiff.js";
import { Graph, type Tensor } from "./graph/graph.js";
import { causalMask } from "./masks.js";
import { type Block, decoderLayers, graphWeights, logitsOf, scores, tablesOf } from "./model.js";

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
  const { g, x, logits, weights } = staticForward(config, shape);
  const targets = g.input("targets", [shape.rows, 1], "int64");
  const tokenWeights = g.input("weights", [shape.rows, 1]);
  const loss = g.crossEntropy(logits, targets, tokenWeights);
  const names = [...weights.keys()];
  const [inputGradient, ...own] = gradients(g, loss, [x, ...weights.values()]);
  for (const tensor of [loss, inputGradient, ...own]) g.output(tensor);
  return {
    model: g.encode(),
    loss: loss.name,
    gradients: new Map(names.map((name, i) => [name, own[i].name])),
    inputGradient: inputGradient.name,
  };
}

/** The forward half of the training graph: `logits` [R, V] at the chosen rows. */
export function forwardGraph(config: ModelConfig, shape: TrainingShape): { model: Uint8Array; logits: string } {
  const { g, logits } = staticForward(config, shape);
  g.output(logits);
  return { model: g.encode(), logits: logits.name };
}

function staticForward(config: ModelConfig, { batch, length, rows }: TrainingShape) {
  const g = new Graph();
  const weights = new Map(graphWeights(config).map(({ name, shape }) => [name, g.input(name, shape)]));
  const group = config.heads / config.keyValueHeads;
  const order = BigInt64Array.from({ length: batch * length }, (_, i) => BigInt(i % length));
  const masks = new Map(
    [...new Set(config.attention.map(({ window }) => window))].map((window) => [
      window,
      g.constant(causalMask(group, length, window), [group * length, length]),
    ]),
  );
  const x = g.input("x", [batch * length, config.width]);
  const block: Block = {
    g,
    config,
    weight: (name) => weights.get(name) as Tensor,
    batch,
    length,
    groupLength: group * length,
    positions: g.constant(order, [batch, length]),
    tables: tablesOf(g, length),
    attend: (layer, queries, keys, values) => {
      const mask = masks.get(config.attention[layer].window) as Tensor;
      return g.matmul(g.softmax(g.add(scores(g, config, queries, keys), mask)), values);
    },
  };
  const hidden = decoderLayers(block, x);
  const logits = logitsOf(block, g.takeRows(hidden, g.input("rows", [rows], "int64")));
  return { g, x, logits, weights };
}
