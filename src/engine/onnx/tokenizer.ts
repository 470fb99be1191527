/** The checkpoint's own tokenizer.json, behind the engine's `Tokenizer` interface. */
import type { Tokenizer } from "../engine.js";

export declare class CheckpointTokenizer implements Tokenizer {
  readonly startTokens: readonly number[];
  readonly endTokens: readonly number[];
  /** Reads tokenizer.json and tokenizer_config.json of `dir`; `modelEndTokens` are `LlamaConfig.endTokens`. */
  static read(dir: string, modelEndTokens: readonly number[]): Promise<CheckpointTokenizer>;
  encode(text: string): number[];
  decode(tokens: readonly number[]): string;
  /** A fresh incremental decoder. */
  stream(): TextStream;
}

/** Decodes a growing generation, so that stop texts can be looked for at every token at a cost that does not grow with length. */
export declare class TextStream {
  /** Text of all pushed tokens that later tokens cannot change any more. */
  readonly text: string;
  /** Adds one token; returns what it added to `text` (may be empty while a character is incomplete). */
  push(token: number): string;
  /** No token follows: flushes an incomplete character as U+FFFD; afterwards `text` equals `decode` of all tokens. */
  end(): string;
}

/** tokenizer.json and tokenizer_config.json of a tokenizer whose tokens are literal strings. */
export declare function wordTokenizer(
  tokens: readonly string[],
  special: { readonly end: string; readonly pad?: string; readonly unknown?: string },
): { tokenizerJson: Record<string, unknown>; tokenizerConfig: Record<string, unknown>; endToken: number };
