/**
 * From tokens to text. Tokens of byte-level tokenizers are pieces of UTF-8, and a single one need not be text at all: a
 * character may span several. So text is decoded from the bytes of whole sequences, or step by step with the incomplete
 * end held back.
 */

import type { DecodeStep } from "./decoders.js";

/**
 * Decodes a growing generation, so that stop texts can be looked for at every token at a cost that does not grow with
 * its length.
 */
export interface TextStream {
  /** Text of all pushed tokens as far as later tokens cannot change it. */
  readonly text: string;
  /** Adds one token; returns what it added to `text` (empty while a character is incomplete). */
  push(token: number): string;
  /**
   * No token follows: an incomplete character becomes U+FFFD. Returns what that added; `text` is then `decode` of all
   * tokens.
   */
  end(): string;
}

/** Bytes of one token's text, empty for tokens that have none. */
export type PieceOf = (token: number) => Uint8Array;

/** For tokenizers whose text is the concatenation of their tokens' bytes: exact, in constant time per token. */
export class PieceStream implements TextStream {
  text = "";
  readonly #pieceOf: PieceOf;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(pieceOf: PieceOf) {
    this.#pieceOf = pieceOf;
  }

  push(token: number): string {
    return this.#grow(this.#decoder.decode(this.#pieceOf(token), { stream: true }));
  }

  end(): string {
    return this.#grow(this.#decoder.decode());
  }

  #grow(added: string): string {
    this.text += added;
    return added;
  }
}

/** For any other tokenizer: the steps of its decoder, one after the other. */
export class StepStream implements TextStream {
  text = "";
  readonly #textOf: (token: number) => string | null;
  readonly #steps: readonly DecodeStep[];

  /** @param textOf what stands for a token in the vocabulary; null for tokens without text */
  constructor(textOf: (token: number) => string | null, steps: readonly DecodeStep[]) {
    this.#textOf = textOf;
    this.#steps = steps;
  }

  push(token: number): string {
    const piece = this.#textOf(token);
    return piece === null ? "" : this.#grow(this.#through([piece], 0));
  }

  end(): string {
    const rest = this.#steps.flatMap((step, i) => this.#through(step.end(), i + 1));
    return this.#grow(rest);
  }

  /** What comes out of the steps from `first` on. */
  #through(pieces: readonly string[], first: number): readonly string[] {
    return this.#steps.slice(first).reduce((input, step) => input.flatMap((piece) => step.push(piece)), pieces);
  }

  #grow(pieces: readonly string[]): string {
    const added = pieces.join("");
    this.text += added;
    return added;
  }
}
