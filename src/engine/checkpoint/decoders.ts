/**
 * The decoder of a tokenizer.json: from the texts of tokens to text, piece by piece, so that a growing generation and a
 * finished one go the same way. Each step takes pieces and gives pieces as soon as no later token can change them; the
 * rules are those of the tokenizers library that transformers uses.
 */

import { shown } from "../../errors.js";
import { isRecord } from "../files.js";
import { byteLevelPiece } from "./byte-level.js";

/** One step for one generation. */
export interface DecodeStep {
  push(piece: string): readonly string[];
  /** No piece follows: what was held back. */
  end(): readonly string[];
}

/** Makes the steps for one generation. */
export type DecoderSteps = () => readonly DecodeStep[];

/** A step as tokenizer.json describes it. */
interface StepJson {
  readonly type?: unknown;
  readonly decoders?: unknown;
  readonly pattern?: unknown;
  readonly content?: unknown;
  readonly start?: unknown;
  readonly stop?: unknown;
  readonly replacement?: unknown;
  readonly prepend_scheme?: unknown;
  /** The older spelling: false for "never". */
  readonly add_prefix_space?: unknown;
}

/** Reads `decoder` of tokenizer.json. Throws Error for one that this engine does not compute. */
export function parseDecoder(json: unknown): DecoderSteps {
  const parts = flat(json);
  // After Fuse all text is one piece, whatever the pieces are in which it arrives.
  const fuse = parts.findIndex(({ type }) => type === "Fuse");
  const makers = parts.map((part, i) => maker(part, fuse !== -1 && i > fuse));
  const steps = parts.length === 0 ? [spaced] : makers;
  return () => steps.map((make) => make());
}

function flat(json: unknown): StepJson[] {
  if (json == null) return [];
  if (!isRecord(json)) throw new Error(`a decoder that is ${shown(json)}`);
  const { type, decoders } = json as StepJson;
  if (type !== "Sequence") return [json];
  if (!Array.isArray(decoders)) throw new Error("a sequence of decoders that is no list");
  return decoders.flatMap(flat);
}

function maker(json: StepJson, fused: boolean): () => DecodeStep {
  switch (json.type) {
    case "ByteLevel":
      return byteLevel;
    case "ByteFallback":
      return byteFallback;
    case "Fuse":
      return () => mapped((piece) => piece);
    case "Replace":
      return replace(json, fused);
    case "Strip":
      return strip(json, fused);
    case "Metaspace":
      return metaspace(json, fused);
    default:
      throw new Error(
        `a decoder ${shown(json.type)}; known are ByteLevel, ByteFallback, Fuse, Metaspace, Replace, Strip and ` +
          "sequences of them",
      );
  }
}

function mapped(change: (piece: string) => string): DecodeStep {
  return { push: (piece) => [change(piece)], end: () => [] };
}

/** Without a decoder, tokens are words. */
function spaced(): DecodeStep {
  let first = true;
  return mapped((piece) => {
    const text = first ? piece : ` ${piece}`;
    first = false;
    return text;
  });
}

/** Characters that stand for bytes, UTF-8 across all pieces; what is no UTF-8 becomes U+FFFD. */
function byteLevel(): DecodeStep {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return {
    push: (piece) => [decoder.decode(byteLevelPiece(piece), { stream: true })],
    end: () => [decoder.decode()],
  };
}

const BYTE_TOKEN = /^<0x([0-9a-fA-F]{2})>$/;

/**
 * Tokens `<0xNN>` are bytes. A run of them is UTF-8 as a whole, or else each of its bytes becomes U+FFFD: so it is held
 * to its end.
 */
function byteFallback(): DecodeStep {
  let run: number[] = [];
  const end = () => {
    const bytes = Uint8Array.from(run);
    run = [];
    return bytes.length === 0 ? [] : [utf8OrMarks(bytes)];
  };
  return {
    push: (piece) => {
      const byte = BYTE_TOKEN.exec(piece)?.[1];
      if (byte === undefined) return [...end(), piece];
      run.push(Number.parseInt(byte, 16));
      return [];
    },
    end,
  };
}

function utf8OrMarks(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return "\ufffd".repeat(bytes.length);
  }
}

function replace({ pattern, content }: StepJson, fused: boolean): () => DecodeStep {
  const { String: literal, Regex: source } = (isRecord(pattern) ? pattern : {}) as {
    String?: unknown;
    Regex?: unknown;
  };
  if (typeof content !== "string") throw new Error("a decoder Replace without content");
  if (typeof literal === "string" && (!fused || [...literal].length === 1)) {
    return () => mapped((piece) => piece.replaceAll(literal, () => content));
  }
  if (typeof source !== "string" || fused) throw new Error(`a decoder Replace of ${shown(pattern)}`);
  const expression = new RegExp(source, "gu");
  return () => mapped((piece) => piece.replaceAll(expression, () => content));
}

/** Takes up to `start` characters `content` from the beginning of each piece; of the whole text after Fuse. */
function strip({ content, start, stop }: StepJson, fused: boolean): () => DecodeStep {
  if (typeof content !== "string" || typeof start !== "number")
    throw new Error("a decoder Strip without content or start");
  if (stop !== 0) throw new Error("a decoder Strip that cuts from the end");
  return () => {
    let left = start;
    return mapped((piece) => {
      if (!fused) left = start;
      let cut = 0;
      while (left > 0 && piece.startsWith(content, cut)) {
        cut += content.length;
        left -= 1;
      }
      if (cut < piece.length) left = 0;
      return piece.slice(cut);
    });
  };
}

/**
 * `replacement` stands for a space, but in the first piece, where a tokenizer that prepends one has put it, for
 * nothing.
 */
function metaspace({ replacement, prepend_scheme, add_prefix_space }: StepJson, fused: boolean): () => DecodeStep {
  if (typeof replacement !== "string") throw new Error("a decoder Metaspace without replacement");
  return () => {
    let first = prepend_scheme !== "never" && add_prefix_space !== false;
    return mapped((piece) => {
      const text = piece.replaceAll(replacement, first ? "" : " ");
      if (!fused) first = false;
      return text;
    });
  };
}
