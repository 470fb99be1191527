/** The generation graph as a function: new tokens of a batch of sequences in, logits and their keys and values out. */

import type { ModelConfig } from "../checkpoint/model-config.js";
import { EMBEDDING } from "../checkpoint/tensors.js";
import type { Weights } from "../checkpoint/weights.js";
import { type GenerationGraph, generationGraph } from "./generation-graph.js";
import { volume } from "./graph/graph.js";
import { KeyValueCache } from "./kv-cache.js";
import { causalMask, windowMask } from "./masks.js";
import { MASKED } from "./model.js";
import { type Feeds, floats, integers, Session } from "./session.js";

/** Keys and values of positions that all sequences have before them, [layers] of [K, P, E], and their mask [P]. */
export interface Prefix {
  readonly tokens: readonly number[];
  /** Positions; 0 for the empty prefix, which the graph sees as one masked position of zeros. */
  readonly length: number;
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
  readonly mask: Float32Array;
}

/** What a run computed; the arrays are overwritten by the next run. */
export interface DecoderResult {
  /** [B, V], and a row more when B is 1 */
  readonly logits: Float32Array;
  /** [layers] of [K, B, L, E] */
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
}

/** Prefix positions computed by one run, at most. */
const PREFIX_PART = 512;

export class Decoder {
  readonly config: ModelConfig;
  readonly #graph: GenerationGraph;
  readonly #session: Session;
  readonly #embedding: Float32Array;
  readonly #resultBuffers = new Map<string, Float32Array>();

  private constructor(config: ModelConfig, graph: GenerationGraph, session: Session, embedding: Float32Array) {
    this.config = config;
    this.#graph = graph;
    this.#session = session;
    this.#embedding = embedding;
  }

  /** Compiles the graph around the present weights; they must not change while this decoder is used. */
  static async open(config: ModelConfig, weights: Weights, threads: number | undefined): Promise<Decoder> {
    const graph = generationGraph(config, config.contextLength);
    const externalWeights = new Map(graph.externalWeights.map((name) => [name, weights.get(name) as Float32Array]));
    const session = await Session.open(graph.model, { threads, externalWeights });
    return new Decoder(config, graph, session, weights.get(EMBEDDING) as Float32Array);
  }

  async close(): Promise<void> {
    await this.#session.close();
  }

  async computePrefix(tokens: readonly number[]): Promise<Prefix> {
    const none = this.#emptyPrefix();
    if (tokens.length === 0) return none;
    const cache = new KeyValueCache(this.config, 1, tokens.length);
    for (let start = 0; start < tokens.length; start += PREFIX_PART) {
      const part = tokens.slice(start, start + PREFIX_PART);
      const result = await this.run([part], [start], none, cache);
      cache.append(0, result.keys, result.values, { slot: 0, slots: 1, length: part.length }, part.length);
    }
    return {
      tokens,
      length: tokens.length,
      keys: cache.keys,
      values: cache.values,
      mask: new Float32Array(tokens.length),
    };
  }

  #emptyPrefix(): Prefix {
    const { layers, keyValueHeads, headDim } = this.config;
    const zeros = Array.from({ length: layers }, () => new Float32Array(keyValueHeads * headDim));
    return { tokens: [], length: 0, keys: zeros, values: zeros, mask: Float32Array.of(MASKED) };
  }

  /**
   * @param sequences new tokens of each slot, not empty
   * @param starts position of the first of them, by slot
   */
  async run(
    sequences: readonly (readonly number[])[],
    starts: readonly number[],
    prefix: Prefix,
    cache: KeyValueCache,
  ): Promise<DecoderResult> {
    const { width, heads, keyValueHeads, headDim, vocabularySize } = this.config;
    const batch = sequences.length;
    const length = Math.max(...sequences.map((tokens) => tokens.length));
    const x = new Float32Array(batch * length * width);
    const positions = new BigInt64Array(batch * length);
    // At least two rows of logits: the runtime multiplies a single row in another order, and a sequence's numbers must not depend on whether
    // it is alone.
    const last = new BigInt64Array(Math.max(2, batch));
    for (const [b, tokens] of sequences.entries()) {
      for (const [i, token] of tokens.entries()) {
        const row = b * length + i;
        x.set(this.#embedding.subarray(token * width, (token + 1) * width), row * width);
        positions[row] = BigInt((starts[b] as number) + i);
      }
      last[b] = BigInt(b * length + tokens.length - 1);
    }
    const group = heads / keyValueHeads;
    const [groupRows, prefixLength] = [group * length, prefix.mask.length];
    const sizes = (...values: number[]) => integers(BigInt64Array.from(values, BigInt), [values.length]);
    const feeds: Feeds = {
      x: floats(x, [batch, length, width]),
      positions: integers(positions, [batch, length]),
      last: integers(last, [last.length]),
      causal: floats(causalMask(group, length), [groupRows, length]),
      prefixMask: floats(prefix.mask, [prefixLength]),
      cacheMask: floats(cache.mask, [batch, 1, cache.capacity]),
      flatQueries: sizes(keyValueHeads, batch * groupRows, headDim),
      flatShares: sizes(keyValueHeads, batch * groupRows, prefixLength),
      queries: sizes(keyValueHeads, batch, groupRows, headDim),
      shares: sizes(keyValueHeads, batch, groupRows, prefixLength),
      parts: sizes(prefixLength, cache.capacity, length),
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
    const logitsShape = [last.length, vocabularySize];
    const logits = this.#resultBuffer(this.#graph.logits, logitsShape);
    const fetches = { [this.#graph.logits]: floats(logits, logitsShape) };
    const prefixShape = [keyValueHeads, prefixLength, headDim];
    const cacheShape = [keyValueHeads, batch, cache.capacity, headDim];
    const newShape = [keyValueHeads, batch, length, headDim];
    const [keys, values]: [Float32Array[], Float32Array[]] = [[], []];
    for (const [layer, names] of this.#graph.caches.entries()) {
      feeds[names.prefixKeys] = floats(prefix.keys[layer] as Float32Array, prefixShape);
      feeds[names.prefixValues] = floats(prefix.values[layer] as Float32Array, prefixShape);
      feeds[names.keys] = floats(cache.keys[layer] as Float32Array, cacheShape);
      feeds[names.values] = floats(cache.values[layer] as Float32Array, cacheShape);
      keys.push(this.#resultBuffer(names.newKeys, newShape));
      values.push(this.#resultBuffer(names.newValues, newShape));
      fetches[names.newKeys] = floats(keys[layer] as Float32Array, newShape);
      fetches[names.newValues] = floats(values[layer] as Float32Array, newShape);
    }
    await this.#session.run(feeds, fetches);
    return { logits, keys, values };
  }

  /** Memory for one result, used again by every run: fresh arrays for each would keep the garbage collector busy. */
  #resultBuffer(name: string, shape: readonly number[]): Float32Array {
    const size = volume(shape);
    let buffer = this.#resultBuffers.get(name);
    if (buffer === undefined || buffer.length < size) {
      buffer = new Float32Array(size);
      this.#resultBuffers.set(name, buffer);
    }
    return buffer.subarray(0, size);
  }
}
