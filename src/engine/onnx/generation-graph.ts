/**
 * The decoder for generation: sizes that are known when it runs, a key/value cache that is fed, and a prefix that
 * sequences share.
 */

import type { ModelConfig } from "../checkpoint/model-config.js";
import { Graph, type Tensor } from "./graph/graph.js";
import type { Dim } from "./graph/proto.js";
import { type Block, decoderLayers, graphWeights, logitsOf, scores, tablesOf } from "./model.js";
import { isSummarized, type RowSummaries, summarizeRows } from "./row-summary.js";

/** Names of one layer's cache tensors in the generation graph. */
interface LayerCache {
  readonly prefixKeys: string;
  readonly prefixValues: string;
  readonly keys: string;
  readonly values: string;
  readonly newKeys: string;
  readonly newValues: string;
}

/** Names of the masks that layers with one window share. */
interface WindowMasks {
  readonly window: number;
  /** [Q·L, L] */
  readonly causal: string;
  /** [B, Q·L, P] and [B, Q·L, S] */
  readonly prefix: string;
  readonly cache: string;
}

/**
 * One graph computes prompts and generates: L new positions of B sequences attend to [prefix | own cache | the new
 * ones].
 *
 * Inputs: `embeddingTable` [V, D]; `tokens` [B, L] int64; `positions` [B, L] int64; `last` [R] int64, the rows of B·L
 * whose logits are wanted; `causal` [Q·L, L]; `prefixMask` [P] and `cacheMask` [B, 1, S], 0 or MASKED; the masks of
 * `windows`; for each layer prefix keys and values [K, P, E] and cache keys and values [K, B, S, E]; and sizes that the
 * graph cannot infer, as int64: `flatQueries` (K, B·Q·L, E), `flatShares` (K, B·Q·L, P), `queries` (K, B, Q·L, E),
 * `shares` (K, B, Q·L, P) and `parts` (P, S, L). Outputs: `logits` [R, V] and each layer's new keys and values [K, B,
 * L, E], which the caller appends to its cache. The cache is never an output: handing it back would copy all of it at
 * every step.
 */
export interface GenerationGraph {
  readonly model: Uint8Array;
  readonly embeddingTable: string;
  readonly logits: string;
  /** Outputs by their place in `RowSummaries`; null where the vocabulary is small. */
  readonly summaries: Readonly<Record<keyof RowSummaries, string>> | null;
  readonly caches: readonly LayerCache[];
  readonly windows: readonly WindowMasks[];
  /** Weights that the session takes beside the model, by name. */
  readonly externalWeights: readonly string[];
}

interface Masks {
  readonly causal: Tensor;
  readonly prefix: Tensor;
  readonly cache: Tensor;
}

export function generationGraph(config: ModelConfig, contextLength: number): GenerationGraph {
  const { keyValueHeads, headDim } = config;
  const g = new Graph();
  const weights = new Map(graphWeights(config).map(({ name, shape }) => [name, g.externalWeight(name, shape)]));
  const table = g.input("embeddingTable", [config.vocabularySize, config.width]);
  const embedded = g.lookUp(table, g.input("tokens", ["B", "L"], "int64"));
  const positions = g.input("positions", ["B", "L"], "int64");
  const last = g.input("last", ["R"], "int64");
  const everything: Masks = {
    causal: g.input("causal", ["QL", "L"]),
    prefix: g.input("prefixMask", ["P"]),
    cache: g.input("cacheMask", ["B", 1, "S"]),
  };
  const windowed = windowMasks(g, config);
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
    positions,
    tables: tablesOf(g, contextLength),
    spread: (x) => x,
    collect: (x) => x,
    attend: (layer, queries, keys, values) => {
      const { window } = config.attention[layer];
      const masks = (window === null ? undefined : windowed.get(window)) ?? everything;
      const own = (name: string, shape: readonly Dim[]) => g.input(`${name}.${layer}`, shape);
      const prefixKeys = own("prefixKeys", [keyValueHeads, "P", headDim]);
      const prefixValues = own("prefixValues", [keyValueHeads, "P", headDim]);
      const pastKeys = own("keys", [keyValueHeads, "B", "S", headDim]);
      const pastValues = own("values", [keyValueHeads, "B", "S", headDim]);
      // All sequences' queries of a head as one matrix against the prefix they share.
      const flat = g.reshapeTo(queries, sizes.flatQueries, [keyValueHeads, "BQL", headDim]);
      const toPrefix = g.reshapeTo(scores(g, config, flat, prefixKeys), sizes.shares, [keyValueHeads, "B", "QL", "P"]);
      const all = g.concat(
        [
          g.add(toPrefix, masks.prefix),
          g.add(scores(g, config, queries, pastKeys), masks.cache),
          g.add(scores(g, config, queries, keys), masks.causal),
        ],
        3,
      );
      const [onPrefix, onPast, onNew] = g.split(g.softmax(all), sizes.parts, ["P", "S", "L"]);
      const flatShares = g.reshapeTo(onPrefix, sizes.flatShares, [keyValueHeads, "BQL", "P"]);
      const contextShape = [keyValueHeads, "B", "QL", headDim];
      const fromPrefix = g.reshapeTo(g.matmul(flatShares, prefixValues), sizes.queries, contextShape);
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
  const hidden = g.reshape(decoderLayers(block, embedded), ["BL", config.width]);
  const logits = g.output(logitsOf(block, g.lookUp(hidden, last)));
  const summaries = isSummarized(config.vocabularySize)
    ? summarizeRows(g, logits, config.vocabularySize, g.input("inverseTemperature", []))
    : null;
  if (summaries !== null) for (const tensor of Object.values<Tensor>({ ...summaries })) g.output(tensor);
  return {
    model: g.encode(),
    embeddingTable: table.name,
    logits: logits.name,
    summaries: summaries && namesOf(summaries),
    caches,
    windows: [...windowed].map(([window, { causal, prefix, cache }]) => ({
      window,
      causal: causal.name,
      prefix: prefix.name,
      cache: cache.name,
    })),
    externalWeights: [...weights.keys()],
  };
}

function namesOf({ logits, ids, masses }: RowSummaries): Readonly<Record<keyof RowSummaries, string>> {
  return { logits: logits.name, ids: ids.name, masses: masses.name };
}

/** Inputs for the masks of each window that layers have. */
function windowMasks(g: Graph, { attention }: ModelConfig): Map<number, Masks> {
  const windows = new Set(attention.flatMap(({ window }) => (window === null ? [] : [window])));
  return new Map(
    [...windows].map((window) => [
      window,
      {
        causal: g.input(`causal.window${window}`, ["QL", "L"]),
        prefix: g.input(`prefixMask.window${window}`, ["B", "QL", "P"]),
        cache: g.input(`cacheMask.window${window}`, ["B", "QL", "S"]),
      },
    ]),
  );
}
