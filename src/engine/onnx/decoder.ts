/** The generation graph as a function: new tokens of a batch of sequences in, logits and their keys and values out. */

import type { ModelConfig } from "../checkpoint/model-config.js";
import { EMBEDDING } from "../checkpoint/tensors.js";
import { DeviceArray, type Feeds, floats, integers, type Session } from "./device.js";
import { type GenerationGraph, generationGraph } from "./generation-graph.js";
import { volume } from "./graph/graph.js";
import { KeyValueCache } from "./kv-cache.js";
import { causalMask, windowMask } from "./masks.js";
import { MASKED } from "./model.js";
import type { ModelWeights } from "./model-weights.js";

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
}

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
      const result = await this.run([part], [start], none, cache);
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
    const { heads, keyValueHeads, headDim, vocabularySize } = this.config;
    const batch = sequences.length;
    const length = Math.max(...sequences.map((tokens) => tokens.length));
    const tokens = new BigInt64Array(batch * length);
    const positions = new BigInt64Array(batch * length);
    // At least two rows of logits: the runtime multiplies a single row in another order, and a sequence's numbers must not depend
    // on whether it is alone.
    const last = new BigInt64Array(Math.max(2, batch));
    for (const [b, sequence] of sequences.entries()) {
      for (const [i, token] of sequence.entries()) {
        const row = b * length + i;
        tokens[row] = BigInt(token);
        positions[row] = BigInt(starts[b] + i);
      }
      last[b] = BigInt(b * length + sequence.length - 1);
    }
    const group = heads / keyValueHeads;
    const [groupRows, prefixLength] = [group * length, prefix.mask.length];
    const sizes = (...values: number[]) => integers(BigInt64Array.from(values, BigInt), [values.length]);
    const feeds: Record<string, Feeds[string]> = {
      [this.#graph.embeddingTable]: this.#weights.array(EMBEDDING).value,
      tokens: integers(tokens, [batch, length]),
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
    const logits = this.#result(this.#graph.logits, [last.length, vocabularySize]);
    const into = { [this.#graph.logits]: logits.value };
    const newShape = [keyValueHeads, batch, length, headDim];
    const [keys, values]: [DeviceArray[], DeviceArray[]] = [[], []];
    for (const [layer, names] of this.#graph.caches.entries()) {
      feeds[names.prefixKeys] = prefix.keys[layer].value;
      feeds[names.prefixValues] = prefix.values[layer].value;
      feeds[names.keys] = cache.keys[layer].value;
      feeds[names.values] = cache.values[layer].value;
      keys.push(this.#result(names.newKeys, newShape));
      values.push(this.#result(names.newValues, newShape));
      into[names.newKeys] = keys[layer].value;
      into[names.newValues] = values[layer].value;
    }
    await this.#session.run(feeds, into);
    return { logits, keys, values };
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
