/** One sequence that is being generated: its tokens, its text, and when it ends. */

import type { CheckpointTokenizer, TextStream } from "../checkpoint/tokenizer.js";
import type { Sample, SamplingParams, StopReason } from "../engine.js";
import type { NumberedRequest } from "../request-source.js";
import { firstStop } from "../stop-texts.js";

export class Sequence {
  readonly request: NumberedRequest;
  readonly #tokenizer: CheckpointTokenizer;
  readonly #stream: TextStream;
  readonly #tokens: number[] = [];
  /** Length of the text after each of the tokens. */
  readonly #textLengths: number[] = [];
  #generated = 0;

  constructor(request: NumberedRequest, tokenizer: CheckpointTokenizer) {
    this.request = request;
    this.#tokenizer = tokenizer;
    this.#stream = tokenizer.stream();
  }

  /** Tokens that the model has produced, an end-of-text token included. */
  get generated(): number {
    return this.#generated;
  }

  get lastToken(): number {
    return this.#tokens[this.#tokens.length - 1];
  }

  /** Adds the next token; returns the finished sample if the sequence ends with it. */
  push(token: number, { stop, maxTokens }: SamplingParams): Sample | null {
    this.#generated += 1;
    if (this.#tokenizer.endTokens.includes(token)) return this.#finish("end");
    const before = this.#stream.text.length;
    this.#stream.push(token);
    this.#tokens.push(token);
    this.#textLengths.push(this.#stream.text.length);
    const found = firstStop(this.#stream.text, stop, before);
    if (found !== undefined) return this.#cut(found.start);
    return this.#generated === maxTokens ? this.#finish("length") : null;
  }

  #finish(stop: StopReason): Sample {
    this.#stream.end();
    return this.#sample(this.#tokens, this.#stream.text, stop);
  }

  /**
   * Ends the sequence at character `end` of its text. If that lies inside a token, the part that is kept is encoded
   * anew.
   */
  #cut(end: number): Sample {
    const text = this.#stream.text.slice(0, end);
    const whole = this.#textLengths.findLastIndex((length) => length <= end) + 1;
    const kept = this.#tokens.slice(0, whole);
    const rest = text.slice(whole === 0 ? 0 : this.#textLengths[whole - 1]);
    return this.#sample(rest === "" ? kept : [...kept, ...this.#tokenizer.encode(rest)], text, "stop");
  }

  #sample(tokens: readonly number[], text: string, stop: StopReason): Sample {
    return { index: this.request.index, tokens, text, stop, generatedTokens: this.#generated };
  }
}
