/**
 * From tokens to text. Tokens of byte-level tokenizers are pieces of UTF-8, and a single one need not be text at all: a character
 * may span several. So text is decoded from the bytes of whole sequences, or step by step with the incomplete end held back.
 */

/** Decodes a growing generation, so that stop texts can be looked for at every token at a cost that does not grow with its length. */
export interface TextStream {
  /** Text of all pushed tokens as far as later tokens cannot change it. */
  readonly text: string;
  /** Adds one token; returns what it added to `text` (empty while a character is incomplete). */
  push(token: number): string;
  /** No token follows: an incomplete character becomes U+FFFD. Returns what that added; `text` is then `decode` of all tokens. */
  end(): string;
}

/** Bytes of one token's text, empty for tokens that have none. */
export type PieceOf = (token: number) => Uint8Array;

const decoder = () => new TextDecoder("utf-8", { ignoreBOM: true });

/** Decodes whole sequences from pieces; invalid UTF-8 becomes U+FFFD. */
export function decodePieces(tokens: readonly number[], pieceOf: PieceOf): string {
  return decoder().decode(Buffer.concat(tokens.map(pieceOf)));
}

/** For tokenizers whose text is the concatenation of their tokens' bytes: exact, in constant time per token. */
export class PieceStream implements TextStream {
  text = "";
  readonly #pieceOf: PieceOf;
  readonly #decoder = decoder();

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

/**
 * For any other tokenizer: decodes the tokens since the last but one piece of finished text, and takes what they add to that piece.
 * The piece before gives decoders that treat the start of a text differently (a dropped leading space, say) their context.
 */
export class WindowStream implements TextStream {
  text = "";
  readonly #decode: (tokens: readonly number[]) => string;
  /** Tokens of the last finished piece, whose text is already in `text`. */
  #context: number[] = [];
  #pending: number[] = [];

  constructor(decode: (tokens: readonly number[]) => string) {
    this.#decode = decode;
  }

  push(token: number): string {
    this.#pending.push(token);
    const added = this.#added();
    return added === "" || added.endsWith("\ufffd") ? "" : this.#take(added);
  }

  end(): string {
    return this.#take(this.#added());
  }

  #added(): string {
    return this.#decode([...this.#context, ...this.#pending]).slice(this.#decode(this.#context).length);
  }

  #take(added: string): string {
    this.text += added;
    this.#context = this.#pending;
    this.#pending = [];
    return added;
  }
}

/** Bytes by the printable character that stands for each in a byte-level vocabulary (Radford et al. 2019, GPT-2's `bytes_to_unicode`). */
const BYTE_OF_CHARACTER: ReadonlyMap<string, number> = (() => {
  const result = new Map<string, number>();
  let unprintable = 0;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    result.set(String.fromCodePoint(printable ? byte : 256 + unprintable++), byte);
  }
  return result;
})();

/** Bytes of a byte-level token; a token with any other character stands for itself. */
export function byteLevelPiece(token: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = BYTE_OF_CHARACTER.get(character);
    if (byte === undefined) return Buffer.from(token);
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
