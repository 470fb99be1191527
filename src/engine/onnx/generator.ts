/**
 * Batched generation with a key/value cache: sequences come and go in slots while the batch keeps running, and the
 * prefix that all prompts share is computed once for each set of weights.
 */

import { uniform } from "../../algorithm/random.js";
import type { CheckpointTokenizer } from "../checkpoint/tokenizer.js";
import type { Sample, SamplingParams } from "../engine.js";
import type { NumberedRequest, RequestSource } from "../request-source.js";
import { Decoder } from "./decoder.js";
import type { ModelWeights } from "./model-weights.js";
import { PromptReader } from "./prompt-reader.js";
import type { RowSummary } from "./row-summary.js";
import { Sequence } from "./sequence.js";
import { Slots } from "./slots.js";
import { TokenChooser } from "./token-chooser.js";

/** Bytes of the remembered prompts' keys, values and logits, at most. */
const REMEMBERED_BYTES = 2 ** 30;
/** Bytes of the slots' keys and values, at most, if every sequence gets as long as it may. */
const CACHE_BYTES = 3 * 2 ** 30;
/** New positions of each sequence that the cache has room for at first. */
const FIRST_POSITIONS = 16;

export class Generator {
  readonly #decoder: Decoder;
  readonly #tokenizer: CheckpointTokenizer;
  readonly #slots: number;
  readonly #chooser: TokenChooser;
  /** Of the last call; a call with the same prefix uses what it remembers. */
  #reader: PromptReader | undefined;

  private constructor(decoder: Decoder, tokenizer: CheckpointTokenizer, slots: number) {
    this.#decoder = decoder;
    this.#tokenizer = tokenizer;
    this.#slots = slots;
    this.#chooser = new TokenChooser(decoder.config.vocabularySize);
  }

  /**
   * Compiles the graph around the present weights; they must not change while this generator is used.
   *
   * @param slots sequences that are generated at once, where memory allows it
   */
  static async open(weights: ModelWeights, tokenizer: CheckpointTokenizer, slots: number): Promise<Generator> {
    return new Generator(await Decoder.open(weights), tokenizer, slots);
  }

  async close(): Promise<void> {
    await this.#decoder.close();
  }

  /** See `Engine.sample`; requests have been checked against the context length. */
  async *sample(source: RequestSource, params: SamplingParams, signal?: AbortSignal): AsyncGenerator<Sample> {
    if (source.remaining === 0) return;
    // Logits come from a new position, so a prompt must have one: an empty prompt borrows the prefix's last token.
    const kept = params.prefix.length - borrowedTokens(source, params);
    const borrowed = params.prefix.slice(kept);
    const reader = await this.#readerOf(params.prefix.slice(0, kept));
    const slots = this.#openSlots(source, params, reader, borrowed.length);
    while (true) {
      signal?.throwIfAborted();
      // 1. Free slots take requests that are at hand, and the first token follows from the prompt.
      const begun = await takeRequests(source, slots);
      if (begun.length > 0) {
        yield* await this.#begin(begun, slots, reader, borrowed, params);
        continue;
      }
      // 2. No sequence is left, and no request: the call is answered.
      if (slots.empty) return;
      // 3. One more position for every sequence.
      slots.makeRoom(source.remaining === 0);
      const { logits, summary } = await slots.decode(params.temperature || 1);
      // 4. Each chooses its next token; finished ones leave.
      const rows = await logits.read();
      const { vocabularySize } = this.#decoder.config;
      yield* slots.advance((sequence, slot) =>
        this.#advance(
          sequence,
          rows.subarray(slot * vocabularySize, (slot + 1) * vocabularySize),
          summary === null ? null : summary(slot),
          params,
        ),
      );
    }
  }

  /** Log-probabilities of the `count` likeliest tokens after a prompt of at least one token, likeliest first. */
  async likeliest(prompt: readonly number[], count: number): Promise<number[]> {
    const reader = new PromptReader(this.#decoder, await this.#decoder.computePrefix([]), 0);
    const [{ logits }] = await reader.read([prompt]);
    const sorted = logits.toSorted().reverse();
    const largest = sorted[0];
    const logSum = largest + Math.log(sorted.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
    return Array.from(sorted.subarray(0, count), (logit) => logit - logSum);
  }

  async #readerOf(prefix: readonly number[]): Promise<PromptReader> {
    if (this.#reader === undefined || !sameTokens(this.#reader.prefix.tokens, prefix)) {
      this.#reader = undefined; // frees what it remembers before the next one begins
      this.#reader = new PromptReader(this.#decoder, await this.#decoder.computePrefix(prefix), REMEMBERED_BYTES);
    }
    return this.#reader;
  }

  /** As many slots as requests, limit and memory allow. */
  #openSlots(source: RequestSource, params: SamplingParams, { prefix }: PromptReader, borrowed: number): Slots {
    const { contextLength, layers, keyValueHeads, headDim } = this.#decoder.config;
    const lengths = source.list?.map(({ prompt }) => prompt.length);
    const known = lengths === undefined ? params.longestPrompt : Math.max(...lengths);
    const longest = borrowed + (known ?? contextLength - params.prefix.length - params.maxTokens);
    const bytes = 8 * layers * keyValueHeads * headDim * (longest + params.maxTokens);
    const count = Math.min(source.remaining, Math.max(1, Math.min(this.#slots, Math.floor(CACHE_BYTES / bytes))));
    // Where the longest prompt is not known, the cache grows with those that arrive.
    const prompts = known === undefined ? 0 : longest;
    return new Slots(this.#decoder, prefix, count, prompts + Math.min(params.maxTokens, FIRST_POSITIONS));
  }

  /** Begins sequences in free slots; returns those that end with their first token. */
  async #begin(
    requests: readonly NumberedRequest[],
    slots: Slots,
    reader: PromptReader,
    borrowed: readonly number[],
    params: SamplingParams,
  ): Promise<Sample[]> {
    const prompts = await reader.read(
      requests.map(({ prompt }) => [...borrowed, ...prompt]),
      params.temperature || 1,
    );
    const { free } = slots;
    return requests.flatMap((request, i) => {
      const sequence = new Sequence(request, this.#tokenizer);
      const finished = this.#advance(sequence, prompts[i].logits, prompts[i].summary, params);
      if (finished !== null) return [finished];
      slots.begin(free[i], sequence, prompts[i]);
      return [];
    });
  }

  /** Chooses the next token from logits [V]; returns the finished sample if the sequence ends with it. */
  #advance(
    sequence: Sequence,
    logits: Float32Array,
    summary: RowSummary | null,
    params: SamplingParams,
  ): Sample | null {
    const random = uniform(sequence.request.seed, sequence.generated);
    return sequence.push(this.#chooser.choose(logits, summary, params, random), params);
  }
}

/**
 * Requests for free slots: some at a time, because a run of the graph for each costs more than slots that are idle for
 * a while.
 */
async function takeRequests(source: RequestSource, slots: Slots): Promise<NumberedRequest[]> {
  const free = slots.free.length;
  const enough = Math.max(1, slots.count >> 3);
  const due = source.remaining > 0 && free >= Math.min(enough, source.remaining);
  return due ? source.take(free, slots.empty) : [];
}

/** Tokens of the prefix that every prompt takes over, because some prompt is or may be empty. */
function borrowedTokens({ list }: RequestSource, { prefix }: SamplingParams): number {
  if (list === null) return Math.min(1, prefix.length);
  return list.some(({ prompt }) => prompt.length === 0) ? 1 : 0;
}

function sameTokens(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((token, i) => token === b[i]);
}
