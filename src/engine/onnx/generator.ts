/**
 * Batched generation with a key/value cache: sequences come and go in slots while the batch keeps running, and the prefix that all
 * prompts share is computed once for each set of weights.
 */

import { uniform } from "../../algorithm/random.js";
import type { ModelConfig } from "../checkpoint/model-config.js";
import type { CheckpointTokenizer, TextStream } from "../checkpoint/tokenizer.js";
import type { Weights } from "../checkpoint/weights.js";
import type { Sample, SampleRequest, SamplingParams, StopReason } from "../engine.js";
import type { NumberedRequest, RequestSource } from "../request-source.js";
import { Decoder, type DecoderResult, type Prefix } from "./decoder.js";
import { KeyValueCache } from "./kv-cache.js";
import { PromptReader, type ReadPrompt } from "./prompt-reader.js";
import { greedyToken, NucleusSampler } from "./sampler.js";

export interface GeneratorOptions {
  readonly threads?: number;
  /** Most sequences that are generated at once. */
  readonly slots?: number;
}

/** Most bytes of keys, values and logits of prompts that may be asked for again. */
const REMEMBERED_BYTES = 2 ** 30;
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

export class Generator {
  readonly #decoder: Decoder;
  readonly #tokenizer: CheckpointTokenizer;
  readonly #slots: number;
  readonly #sampler: NucleusSampler;
  /** Of the last call; a call with the same prefix goes on with what it remembers. */
  #reader: PromptReader | undefined;

  private constructor(decoder: Decoder, tokenizer: CheckpointTokenizer, slots: number) {
    this.#decoder = decoder;
    this.#tokenizer = tokenizer;
    this.#slots = slots;
    this.#sampler = new NucleusSampler(decoder.config.vocabularySize);
  }

  /** Compiles the graph around the present weights; they must not change while this generator is used. */
  static async open(
    config: ModelConfig,
    weights: Weights,
    tokenizer: CheckpointTokenizer,
    { threads, slots = 64 }: GeneratorOptions = {},
  ): Promise<Generator> {
    return new Generator(await Decoder.open(config, weights, threads), tokenizer, slots);
  }

  async close(): Promise<void> {
    await this.#decoder.close();
  }

  /** See `Engine.sample`; requests have been checked against the context length. */
  async *sample(source: RequestSource, params: SamplingParams, signal?: AbortSignal): AsyncGenerator<Sample> {
    if (source.remaining === 0) return;
    const lengths = source.list?.map(({ prompt }) => prompt.length);
    // Logits come from a new position, so a prompt must have one: an empty prompt borrows the prefix's last token.
    const borrow = lengths === undefined ? Math.min(1, params.prefix.length) : lengths.includes(0) ? 1 : 0;
    const shared = params.prefix.slice(0, params.prefix.length - borrow);
    const borrowed = params.prefix.slice(params.prefix.length - borrow);
    const reader = await this.#readerOf(shared);
    const { vocabularySize, contextLength } = this.#decoder.config;

    const most = contextLength - params.prefix.length - params.maxTokens;
    const longest = borrow + (lengths === undefined ? (params.longestPrompt ?? most) : Math.max(...lengths));
    const slots = Math.min(source.remaining, this.#affordableSlots(longest + params.maxTokens));
    // Where the longest prompt is not known, the cache grows with those that arrive.
    const known = lengths === undefined && params.longestPrompt === undefined ? 0 : longest;
    let cache = new KeyValueCache(
      this.#decoder.config,
      slots,
      roundedUp(known + Math.min(params.maxTokens, CACHE_STEP)),
    );
    let running: (Running | null)[] = Array.from({ length: slots }, () => null);

    while (true) {
      signal?.throwIfAborted();
      const free = running.flatMap((sequence, slot) => (sequence === null ? [slot] : []));
      // Prompts are taken in some at a time: one run of the graph for each would cost more than the slots' short idleness.
      const enough = Math.max(1, running.length >> 3);
      const due = source.remaining > 0 && free.length >= Math.min(enough, source.remaining);
      const taken = due ? await source.take(free.length, free.length === running.length) : [];
      if (taken.length > 0) {
        const prompts = taken.map((request) => [...borrowed, ...request.prompt]);
        for (const [i, prompt] of (await reader.read(prompts)).entries()) {
          const slot = free[i] as number;
          cache.clear(slot);
          if (prompt.length > cache.capacity) {
            cache = cache.rearranged(this.#decoder.config, [...running.keys()], roundedUp(prompt.length + CACHE_STEP));
          }
          cache.append(slot, prompt.keys, prompt.values, { slot: 0, slots: 1, length: prompt.length }, prompt.length);
          const sequence = this.#start(taken[i]);
          const finished = this.#advance(sequence, prompt.logits, params);
          running[slot] = finished === null ? sequence : null;
          if (finished !== null) yield finished;
        }
        continue;
      }
      const active = running.flatMap((sequence, slot) => (sequence !== null ? [slot] : []));
      if (active.length === 0) return;
      const needed = Math.max(...active.map((slot) => cache.lengths[slot])) + 1;
      const capacity = needed > cache.capacity ? roundedUp(Math.max(needed, cache.capacity * 1.25)) : cache.capacity;
      const shrink = source.remaining === 0 && active.length <= running.length / 2;
      if (shrink || capacity > cache.capacity) {
        const kept = shrink ? active : running.map((_, slot) => slot);
        cache = cache.rearranged(this.#decoder.config, kept, capacity);
        running = kept.map((slot) => running[slot] ?? null);
      }
      const result = await this.#decode(cache, running, reader.prefix);
      for (const [slot, sequence] of running.entries()) {
        if (sequence === null) continue;
        cache.append(slot, result.keys, result.values, { slot, slots: running.length, length: 1 }, 1);
        const finished = this.#advance(
          sequence,
          result.logits.subarray(slot * vocabularySize, (slot + 1) * vocabularySize),
          params,
        );
        if (finished === null) continue;
        running[slot] = null;
        cache.clear(slot);
        yield finished;
      }
    }
  }

  /** Log-probabilities of the `count` likeliest tokens after a prompt of at least one token, likeliest first. */
  async likeliest(prompt: readonly number[], count: number): Promise<number[]> {
    const reader = new PromptReader(this.#decoder, await this.#decoder.computePrefix([]), 0);
    const [{ logits }] = (await reader.read([prompt])) as [ReadPrompt];
    const sorted = logits.toSorted().reverse();
    const largest = sorted[0] as number;
    const logSum = largest + Math.log(sorted.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
    return Array.from(sorted.subarray(0, count), (logit) => logit - logSum);
  }

  #affordableSlots(positions: number): number {
    const { layers, keyValueHeads, headDim } = this.#decoder.config;
    const bytes = 8 * layers * keyValueHeads * headDim * positions;
    return Math.max(1, Math.min(this.#slots, Math.floor(CACHE_BYTES / bytes)));
  }

  #start(request: NumberedRequest): Running {
    return {
      index: request.index,
      request,
      tokens: [],
      textLengths: [],
      stream: this.#tokenizer.stream(),
      generated: 0,
    };
  }

  /** Chooses the next token from logits [V]; the finished sample when it ends the sequence. */
  #advance(sequence: Running, logits: Float32Array, params: SamplingParams): Sample | null {
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

  async #readerOf(prefix: readonly number[]): Promise<PromptReader> {
    if (this.#reader === undefined || !sameTokens(this.#reader.prefix.tokens, prefix)) {
      this.#reader = undefined; // frees what it remembers before the next one begins
      this.#reader = new PromptReader(this.#decoder, await this.#decoder.computePrefix(prefix), REMEMBERED_BYTES);
    }
    return this.#reader;
  }

  /** One more position for every slot; free slots run along on token 0. */
  #decode(cache: KeyValueCache, running: readonly (Running | null)[], prefix: Prefix): Promise<DecoderResult> {
    return this.#decoder.run(
      running.map((sequence) => [sequence?.tokens.at(-1) ?? 0]),
      running.map((_, slot) => prefix.length + cache.lengths[slot]),
      prefix,
      cache,
    );
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
