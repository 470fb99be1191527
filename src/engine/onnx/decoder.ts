/** The generation graph as a function: new tokens of a batch of sequences in, logits and their keys and values out. */

import type { ModelConfig } from "../checkpoint/model-config.js";
import { EMBEDDING } from "../checkpoint/tensors.js";
import {
  DeviceArray,
  type Feeds,
  floatData,
  floats,
  integerData,
  integers,
  type Session,
  type Value,
} from "./device.js";
import { type GenerationGraph, generationGraph } from "./generation-graph.js";
import { volume } from "./graph/graph.js";
import { KeyValueCache } from "./kv-cache.js";
import { causalMask, windowMask } from "./masks.js";
import { MASKED } from "./model.js";
import type { ModelWeights } from "./model-weights.js";
import { massError, type RowSummary } from "./row-summary.js";

/** Keys and values of positions that all sequences have before them, [layers] of [K, P, E], and their mask [P]. */
export interface Prefix {
  readonly tokens: readonly number[];
  /** Positions; 0 for the empty prefix, which the graph sees as one masked position of zeros. */
  readonly length: number;
  readonly keys: readonly DeviceArray[];
  readonly values: readonly DeviceArray[];
  readonly mask: Float32Array;
}

/** What a run computed; the arrays are overwritten by the next run. */
export interface DecoderResult {
  /** [B, V], and a row more when B is 1 */
  readonly logits: DeviceArray;
  /** [layers] of [K, B, L, E] */
  readonly keys: readonly DeviceArray[];
  readonly values: readonly DeviceArray[];
  /** The summary of a row of logits at the run's temperature; null where the vocabulary is small. */
  readonly summary: ((row: number) => RowSummary) | null;
}

/** New tokens of some sequences. */
export interface DecoderBatch {
  /** Not empty. */
  readonly sequences: readonly (readonly number[])[];
  /** Position of the first of them, by sequence. */
  readonly starts: readonly number[];
}

type SummaryNames = NonNullable<GenerationGraph["summaries"]>;

/** Prefix positions computed by one run, at most. */
const PREFIX_PART = 512;

export class Decoder {
  readonly config: ModelConfig;
  readonly #graph: GenerationGraph;
  readonly #session: Session;
  readonly #weights: ModelWeights;
  readonly #results = new Map<string, Float32Array>();

  private constructor(graph: GenerationGraph, session: Session, weights: ModelWeights) {
    this.config = weights.config;
    this.#graph = graph;
    this.#session = session;
    this.#weights = weights;
  }

  /** Compiles the graph around the present weights; they must not change while this decoder is used. */
  static async open(weights: ModelWeights): Promise<Decoder> {
    const { config, device } = weights;
    const graph = generationGraph(config, config.contextLength);
    const constants = new Map(graph.externalWeights.map((name) => [name, weights.array(name)]));
    return new Decoder(graph, await device.compile(graph.model, constants), weights);
  }

  async close(): Promise<void> {
    await this.#session.close();
  }

  async computePrefix(tokens: readonly number[]): Promise<Prefix> {
    const none = this.#emptyPrefix();
    if (tokens.length === 0) return none;
    const cache = this.newCache(1, tokens.length);
    for (let start = 0; start < tokens.length; start += PREFIX_PART) {
      const part = tokens.slice(start, start + PREFIX_PART);
      const result = await this.run({ sequences: [part], starts: [start] }, none, cache);
      cache.append(0, result.keys, result.values, { slot: 0, slots: 1, length: part.length }, part.length);
    }
    const { keyValueHeads, headDim } = this.config;
    const ofPrefix = (array: DeviceArray) => array.reshaped([keyValueHeads, tokens.length, headDim]);
    return {
      tokens,
      length: tokens.length,
      keys: cache.keys.map(ofPrefix),
      values: cache.values.map(ofPrefix),
      mask: new Float32Array(tokens.length),
    };
  }

  newCache(slots: number, capacity: number): KeyValueCache {
    return new KeyValueCache(this.config, this.#weights.device, slots, capacity);
  }

  #emptyPrefix(): Prefix {
    const { layers, keyValueHeads, headDim } = this.config;
    const zeros = Array.from({ length: layers }, () => this.#weights.device.zeros([keyValueHeads, 1, headDim]));
    return { tokens: [], length: 0, keys: zeros, values: zeros, mask: Float32Array.of(MASKED) };
  }

  /** Runs new tokens of some sequences through the graph; what it returns is overwritten by the next run. */
  async run(batch: DecoderBatch, prefix: Prefix, cache: KeyValueCache, temperature = 1): Promise<DecoderResult> {
    const length = Math.max(...batch.sequences.map((tokens) => tokens.length));
    const outputs = this.#outputs(batch.sequences.length, length);
    const feeds = {
      [this.#graph.embeddingTable]: this.#weights.array(EMBEDDING).value,
      ...tokenFeeds(batch, length),
      ...this.#sizeFeeds(batch, length, prefix, cache),
      ...this.#maskFeeds(batch, length, prefix, cache),
      ...this.#cacheFeeds(prefix, cache),
      ...(outputs.summaries && { inverseTemperature: floats(Float32Array.of(1 / temperature), []) }),
    };
    const results = await this.#session.run(feeds, outputs.into);
    const { logits, keys, values, summaries } = outputs;
    return { logits, keys, values, summary: summaries && this.#summaryOf(results, summaries, temperature) };
  }

  /** Sizes that the graph cannot infer. */
  #sizeFeeds({ sequences }: DecoderBatch, length: number, prefix: Prefix, cache: KeyValueCache): Feeds {
    const { heads, keyValueHeads, headDim } = this.config;
    const [batch, groupRows, prefixLength] = [sequences.length, (heads / keyValueHeads) * length, prefix.mask.length];
    const sizes = (...values: number[]) => integers(BigInt64Array.from(values, BigInt), [values.length]);
    return {
      flatQueries: sizes(keyValueHeads, batch * groupRows, headDim),
      flatShares: sizes(keyValueHeads, batch * groupRows, prefixLength),
      queries: sizes(keyValueHeads, batch, groupRows, headDim),
      shares: sizes(keyValueHeads, batch, groupRows, prefixLength),
      parts: sizes(prefixLength, cache.capacity, length),
    };
  }

  #maskFeeds({ sequences, starts }: DecoderBatch, length: number, prefix: Prefix, cache: KeyValueCache): Feeds {
    const group = this.config.heads / this.config.keyValueHeads;
    const [batch, groupRows, prefixLength] = [sequences.length, group * length, prefix.mask.length];
    const feeds: Record<string, Feeds[string]> = {
      causal: floats(causalMask(group, length), [groupRows, length]),
      prefixMask: floats(prefix.mask, [prefixLength]),
      cacheMask: floats(cache.mask, [batch, 1, cache.capacity]),
    };
    for (const { window, ...names } of this.#graph.windows) {
      const rows = { group, length, firstKey: 0 };
      const ofPrefix = windowMask(prefix.mask, starts, { ...rows, keys: prefixLength }, window);
      const cacheKeys = { ...rows, keys: cache.capacity, firstKey: prefix.length };
      const ofCache = windowMask(cache.mask, starts, cacheKeys, window);
      feeds[names.causal] = floats(causalMask(group, length, window), [groupRows, length]);
      feeds[names.prefix] = floats(ofPrefix, [batch, groupRows, prefixLength]);
      feeds[names.cache] = floats(ofCache, [batch, groupRows, cache.capacity]);
    }
    return feeds;
  }

  #cacheFeeds(prefix: Prefix, cache: KeyValueCache): Feeds {
    return Object.fromEntries(
      this.#graph.caches.flatMap((names, layer) => [
        [names.prefixKeys, prefix.keys[layer].value],
        [names.prefixValues, prefix.values[layer].value],
        [names.keys, cache.keys[layer].value],
        [names.values, cache.values[layer].value],
      ]),
    );
  }

  /** Where a run writes its results. */
  #outputs(batch: number, length: number) {
    const { keyValueHeads, headDim, vocabularySize } = this.config;
    const { caches, summaries } = this.#graph;
    const shape = [keyValueHeads, batch, length, headDim];
    const logits = this.#result(this.#graph.logits, [rowsOf(batch), vocabularySize]);
    const keys = caches.map(({ newKeys }) => this.#result(newKeys, shape));
    const values = caches.map(({ newValues }) => this.#result(newValues, shape));
    const into: Record<string, Value | null> = { [this.#graph.logits]: logits.value };
    for (const [layer, { newKeys, newValues }] of caches.entries()) {
      into[newKeys] = keys[layer].value;
      into[newValues] = values[layer].value;
    }
    for (const name of Object.values(summaries ?? {})) into[name] = null;
    return { logits, keys, values, summaries, into };
  }

  #summaryOf(results: Feeds, names: SummaryNames, temperature: number): (row: number) => RowSummary {
    const [logits, masses] = [floatData(results[names.logits]), floatData(results[names.masses])];
    const ids = integerData(results[names.ids]);
    const error = massError(this.config.vocabularySize);
    const count = logits.length / masses.length;
    return (row) => ({
      logits: logits.slice(row * count, (row + 1) * count),
      ids: ids.slice(row * count, (row + 1) * count),
      mass: masses[row],
      massError: error,
      temperature,
    });
  }

  /** Memory for one output, reused by every run: new arrays for each would keep the garbage collector busy. */
  #result(name: string, shape: readonly number[]): DeviceArray {
    const size = volume(shape);
    let memory = this.#results.get(name);
    if (memory === undefined || memory.length < size) {
      memory = new Float32Array(size);
      this.#results.set(name, memory);
    }
    return new DeviceArray(shape, memory.subarray(0, size));
  }
}

/**
 * At least two rows: the runtime multiplies a single row in another order, and a sequence's numbers must not depend on
 * its company.
 */
function rowsOf(batch: number): number {
  return Math.max(2, batch);
}

function tokenFeeds({ sequences, starts }: DecoderBatch, length: number): Feeds {
  const batch = sequences.length;
  const tokens = new BigInt64Array(batch * length);
  const positions = new BigInt64Array(batch * length);
  const last = new BigInt64Array(rowsOf(batch));
  for (const [b, sequence] of sequences.entries()) {
    for (const [i, token] of sequence.entries()) {
      tokens[b * length + i] = BigInt(token);
      positions[b * length + i] = BigInt(starts[b] + i);
    }
    last[b] = BigInt(b * length + sequence.length - 1);
  }
  return {
    tokens: integers(tokens, [batch, length]),
    positions: integers(positions, [batch, length]),
    last: integers(last, [last.length]),
  };
}
