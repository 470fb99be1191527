/**
 * Batched generation with a key/value cache: sequences come and go in slots while the batch keeps running, and the prefix that all
 * prompts share is computed once for each set of weights.
 */

import { uniform } from "../../algorithm/random.js";
import type { Sample, SampleRequest, SamplingParams, StopReason } from "../engine.js";
import type { Weights } from "./checkpoint.js";
import { KeyValueCache } from "./kv-cache.js";
import { causalMask, EMBEDDING, type GenerationGraph, generationGraph, MASKED } from "./llama.js";
import type { LlamaConfig } from "./model-config.js";
import { greedyToken, NucleusSampler } from "./sampler.js";
import { type Feeds, floatData, floats, integers, Session } from "./session.js";
import type { CheckpointTokenizer, TextStream } from "./tokenizer.js";

export interface GeneratorOptions {
  readonly threads?: number;
  /** Most sequences that are generated at once. */
  readonly slots?: number;
}

/** Prompt positions taken in by one run of the graph, at most. */
const PREFILL_TOKENS = 2048;
/** Most bytes of keys and values that slots may hold. */
const CACHE_BYTES = 3 * 2 ** 30;
/** The cache grows by at least this many positions at a time. */
const CACHE_STEP = 16;

/** One sequence being generated. */
interface Running {
  readonly index: number;
  readonly request: SampleRequest;
  readonly tokens: number[];
  /** Length of the text after each of `tokens`. */
  readonly textLengths: number[];
  readonly stream: TextStream;
  generated: number;
}

/** Keys and values of the shared prefix, [layers] of [K, P, E], and its mask [P]. */
interface Prefix {
  readonly tokens: readonly number[];
  readonly length: number;
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
  readonly mask: Float32Array;
}

interface GraphResult {
  /** [B, V] */
  readonly logits: Float32Array;
  /** [layers] of [K, B, L, E] */
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
}

export class Generator {
  readonly #config: LlamaConfig;
  readonly #graph: GenerationGraph;
  readonly #session: Session;
  readonly #embedding: Float32Array;
  readonly #tokenizer: CheckpointTokenizer;
  readonly #slots: number;
  readonly #sampler: NucleusSampler;
  #prefix: Prefix | undefined;

  private constructor(
    config: LlamaConfig,
    graph: GenerationGraph,
    session: Session,
    embedding: Float32Array,
    tokenizer: CheckpointTokenizer,
    slots: number,
  ) {
    this.#config = config;
    this.#graph = graph;
    this.#session = session;
    this.#embedding = embedding;
    this.#tokenizer = tokenizer;
    this.#slots = slots;
    this.#sampler = new NucleusSampler(config.vocabularySize);
  }

  /** Compiles the graph around the present weights; they must not change while this generator is used. */
  static async open(
    config: LlamaConfig,
    weights: Weights,
    tokenizer: CheckpointTokenizer,
    { threads, slots = 64 }: GeneratorOptions = {},
  ): Promise<Generator> {
    const graph = generationGraph(config, config.contextLength);
    const externalWeights = new Map(graph.externalWeights.map((name) => [name, weights.get(name) as Float32Array]));
    const session = await Session.open(graph.model, { ...(threads === undefined ? {} : { threads }), externalWeights });
    return new Generator(config, graph, session, weights.get(EMBEDDING) as Float32Array, tokenizer, slots);
  }

  async close(): Promise<void> {
    await this.#session.close();
  }

  /** See `Engine.sample`; lengths have been checked against the context length. */
  async *sample(requests: readonly SampleRequest[], params: SamplingParams): AsyncGenerator<Sample> {
    if (requests.length === 0 || params.maxTokens === 0) return;
    // Logits come from a new position, so a prompt must have one: an empty prompt borrows the prefix's last token.
    const borrow = requests.some((request) => request.prompt.length === 0) ? 1 : 0;
    const shared = params.prefix.slice(0, params.prefix.length - borrow);
    const borrowed = params.prefix.slice(params.prefix.length - borrow);
    const prompts = requests.map((request) => [...borrowed, ...request.prompt]);
    const prefix = await this.#computePrefix(shared);

    const longest = Math.max(...prompts.map((prompt) => prompt.length));
    const slots = Math.min(requests.length, this.#affordableSlots(longest + params.maxTokens));
    let cache = new KeyValueCache(this.#config, slots, roundedUp(longest + Math.min(params.maxTokens, CACHE_STEP)));
    let running: (Running | null)[] = Array.from({ length: slots }, () => null);
    let next = 0;

    while (true) {
      const free = running.flatMap((sequence, slot) => (sequence === null ? [slot] : []));
      // Prompts are taken in some at a time: one run of the graph for each would cost more than the slots' short idleness.
      const enough = Math.max(1, running.length >> 3);
      if (next < requests.length && free.length >= Math.min(enough, requests.length - next)) {
        const group = this.#nextGroup(prompts, next, free.length);
        const result = await this.#takeIn(prompts.slice(next, next + group), prefix);
        const width = Math.max(...prompts.slice(next, next + group).map((prompt) => prompt.length));
        for (let i = 0; i < group; i++) {
          const slot = free[i] as number;
          cache.clear(slot);
          cache.append(
            slot,
            result.keys,
            result.values,
            { slot: i, slots: group, length: width },
            (prompts[next + i] as number[]).length,
          );
          const sequence = this.#start(requests[next + i] as SampleRequest, next + i);
          const finished = this.#advance(sequence, result.logits, i, params);
          running[slot] = finished === null ? sequence : null;
          if (finished !== null) yield finished;
        }
        next += group;
        continue;
      }
      const active = running.flatMap((sequence, slot) => (sequence !== null ? [slot] : []));
      if (active.length === 0) return;
      const needed = Math.max(...active.map((slot) => cache.lengths[slot])) + 1;
      const capacity = needed > cache.capacity ? roundedUp(Math.max(needed, cache.capacity * 1.25)) : cache.capacity;
      const shrink = next === requests.length && active.length <= running.length / 2;
      if (shrink || capacity > cache.capacity) {
        const kept = shrink ? active : running.map((_, slot) => slot);
        cache = cache.rearranged(this.#config, kept, capacity);
        running = kept.map((slot) => running[slot] ?? null);
      }
      const result = await this.#decode(cache, running, prefix);
      for (const [slot, sequence] of running.entries()) {
        if (sequence === null) continue;
        cache.append(slot, result.keys, result.values, { slot, slots: running.length, length: 1 }, 1);
        const finished = this.#advance(sequence, result.logits, slot, params);
        if (finished === null) continue;
        running[slot] = null;
        cache.clear(slot);
        yield finished;
      }
    }
  }

  #affordableSlots(positions: number): number {
    const { layers, keyValueHeads, headDim } = this.#config;
    const bytes = 8 * layers * keyValueHeads * headDim * positions;
    return Math.max(1, Math.min(this.#slots, Math.floor(CACHE_BYTES / bytes)));
  }

  /** How many of the waiting prompts to take in at once: as many as slots are free and one run may hold, at least one. */
  #nextGroup(prompts: readonly (readonly number[])[], from: number, free: number): number {
    let longest = 0;
    let count = 0;
    for (const prompt of prompts.slice(from, from + free)) {
      longest = Math.max(longest, prompt.length);
      if (count > 0 && longest * (count + 1) > PREFILL_TOKENS) break;
      count += 1;
    }
    return count;
  }

  #start(request: SampleRequest, index: number): Running {
    return { index, request, tokens: [], textLengths: [], stream: this.#tokenizer.stream(), generated: 0 };
  }

  /** Chooses the next token from row `row` of the logits; the finished sample when it ends the sequence. */
  #advance(sequence: Running, allLogits: Float32Array, row: number, params: SamplingParams): Sample | null {
    const { vocabularySize } = this.#config;
    const logits = allLogits.subarray(row * vocabularySize, (row + 1) * vocabularySize);
    const token =
      params.temperature === 0
        ? greedyToken(logits)
        : this.#sampler.draw(
            logits,
            params.temperature,
            params.topP,
            uniform(sequence.request.seed, sequence.generated),
          );
    sequence.generated += 1;
    if (this.#tokenizer.endTokens.includes(token)) return this.#finish(sequence, "end");
    const before = sequence.stream.text.length;
    sequence.stream.push(token);
    sequence.tokens.push(token);
    sequence.textLengths.push(sequence.stream.text.length);
    const stop = firstStop(sequence.stream.text, before, params.stop);
    if (stop !== -1) return this.#cut(sequence, stop);
    return sequence.generated === params.maxTokens ? this.#finish(sequence, "length") : null;
  }

  #finish({ index, tokens, stream, generated }: Running, stop: StopReason): Sample {
    stream.end();
    return { index, tokens, text: stream.text, stop, generatedTokens: generated };
  }

  /** Ends a sequence at character `end` of its text; when that lies inside a token, the token's kept part is encoded anew. */
  #cut({ index, tokens, textLengths, stream, generated }: Running, end: number): Sample {
    const text = stream.text.slice(0, end);
    const whole = textLengths.findLastIndex((length) => length <= end) + 1;
    const kept = tokens.slice(0, whole);
    const rest = text.slice(whole === 0 ? 0 : textLengths[whole - 1]);
    return {
      index,
      tokens: rest === "" ? kept : [...kept, ...this.#tokenizer.encode(rest)],
      text,
      stop: "stop",
      generatedTokens: generated,
    };
  }

  async #computePrefix(tokens: readonly number[]): Promise<Prefix> {
    const { layers, keyValueHeads, headDim } = this.#config;
    if (tokens.length === 0) {
      // The graph always has a prefix; a masked position of zeros stands for none.
      const zeros = Array.from({ length: layers }, () => new Float32Array(keyValueHeads * headDim));
      return { tokens, length: 0, keys: zeros, values: zeros, mask: Float32Array.of(MASKED) };
    }
    if (this.#prefix !== undefined && sameTokens(this.#prefix.tokens, tokens)) return this.#prefix;
    const none = await this.#computePrefix([]);
    const cache = new KeyValueCache(this.#config, 1, tokens.length);
    for (let start = 0; start < tokens.length; start += PREFILL_TOKENS) {
      const part = tokens.slice(start, start + PREFILL_TOKENS);
      const result = await this.#run([part], [start], none, cache);
      cache.append(0, result.keys, result.values, { slot: 0, slots: 1, length: part.length }, part.length);
    }
    this.#prefix = {
      tokens,
      length: tokens.length,
      keys: cache.keys,
      values: cache.values,
      mask: new Float32Array(tokens.length),
    };
    return this.#prefix;
  }

  /** Runs prompts through the graph, padded on the right to the longest. */
  async #takeIn(prompts: readonly (readonly number[])[], prefix: Prefix): Promise<GraphResult> {
    const empty = new KeyValueCache(this.#config, prompts.length, 1);
    return this.#run(
      prompts,
      prompts.map(() => prefix.length),
      prefix,
      empty,
    );
  }

  /** One more position for every slot; free slots run along on token 0. */
  async #decode(cache: KeyValueCache, running: readonly (Running | null)[], prefix: Prefix): Promise<GraphResult> {
    return this.#run(
      running.map((sequence) => [sequence?.tokens.at(-1) ?? 0]),
      running.map((_, slot) => prefix.length + cache.lengths[slot]),
      prefix,
      cache,
    );
  }

  /**
   * @param sequences new tokens of each slot, not empty
   * @param starts position of the first of them, by slot
   */
  async #run(
    sequences: readonly (readonly number[])[],
    starts: readonly number[],
    prefix: Prefix,
    cache: KeyValueCache,
  ): Promise<GraphResult> {
    const { width, heads, keyValueHeads, headDim, vocabularySize } = this.#config;
    const batch = sequences.length;
    const length = Math.max(...sequences.map((tokens) => tokens.length));
    const x = new Float32Array(batch * length * width);
    const positions = new BigInt64Array(batch * length);
    const last = new BigInt64Array(batch);
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
      last: integers(last, [batch]),
      causal: floats(causalMask(group, length), [groupRows, length]),
      prefixMask: floats(prefix.mask, [prefixLength]),
      cacheMask: floats(cache.mask, [batch, 1, cache.capacity]),
      flatQueries: sizes(keyValueHeads, batch * groupRows, headDim),
      flatShares: sizes(keyValueHeads, batch * groupRows, prefixLength),
      queries: sizes(keyValueHeads, batch, groupRows, headDim),
      shares: sizes(keyValueHeads, batch, groupRows, prefixLength),
      parts: sizes(prefixLength, cache.capacity, length),
    };
    const fetches: Record<string, ReturnType<typeof floats>> = {
      [this.#graph.logits]: floats(new Float32Array(batch * vocabularySize), [batch, vocabularySize]),
    };
    const made: GraphResult & { keys: Float32Array[]; values: Float32Array[] } = {
      logits: floatData(fetches[this.#graph.logits]),
      keys: [],
      values: [],
    };
    const newSize = keyValueHeads * batch * length * headDim;
    for (const [layer, names] of this.#graph.caches.entries()) {
      const prefixShape = [keyValueHeads, prefixLength, headDim];
      const cacheShape = [keyValueHeads, batch, cache.capacity, headDim];
      feeds[names.prefixKeys] = floats(prefix.keys[layer] as Float32Array, prefixShape);
      feeds[names.prefixValues] = floats(prefix.values[layer] as Float32Array, prefixShape);
      feeds[names.keys] = floats(cache.keys[layer] as Float32Array, cacheShape);
      feeds[names.values] = floats(cache.values[layer] as Float32Array, cacheShape);
      const newShape = [keyValueHeads, batch, length, headDim];
      const [keys, values] = [new Float32Array(newSize), new Float32Array(newSize)];
      fetches[names.newKeys] = floats(keys, newShape);
      fetches[names.newValues] = floats(values, newShape);
      made.keys.push(keys);
      made.values.push(values);
    }
    await this.#session.run(feeds, fetches);
    return made;
  }
}

/** Start of the first stop text in `text` that ends after `from`; -1 when there is none. */
function firstStop(text: string, from: number, stops: readonly string[]): number {
  const found = stops.flatMap((stop) => {
    const at = text.indexOf(stop, Math.max(0, from - stop.length + 1));
    return at === -1 ? [] : [at];
  });
  return found.length === 0 ? -1 : Math.min(...found);
}

function sameTokens(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((token, i) => token === b[i]);
}

function roundedUp(positions: number): number {
  return Math.ceil(positions / CACHE_STEP) * CACHE_STEP;
}
