/**
 * Finds a tokenizer's added tokens in a text, by the rules of the tokenizers library that transformers uses: those that
 * are not normalized first, in the text as it is, then the others in what is left, after normalization. At each place
 * the longest one counts.
 */

import { isRecord } from "../files.js";

interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Counts only where no letter, digit or underscore touches it. */
  readonly singleWord: boolean;
  /** Takes the white space before it, after it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Looked for in normalized text. */
  readonly normalized: boolean;
}

/** A part of a text: an added token, or text between them. `atStart`: nothing of the text comes before it. */
export type Section = { readonly token: AddedToken } | { readonly text: string; readonly atStart: boolean };

interface Node {
  readonly next: Map<string, Node>;
  token: AddedToken | null;
}

const WORD_BEFORE = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const WORD_AFTER = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const SPACE_BEFORE = /\p{White_Space}*$/u;
const SPACE_AFTER = /^\p{White_Space}*/u;

export class AddedTokens {
  readonly #asWritten: Node;
  readonly #normalized: Node;
  readonly #normalize: (text: string) => string;

  /**
   * @param list `added_tokens` of tokenizer.json
   * @param normalize what the tokenizer does to text first
   */
  constructor(list: unknown, normalize: (text: string) => string) {
    if (!Array.isArray(list)) throw new Error("added_tokens is not a list");
    const tokens = list.map(parse);
    this.#normalize = normalize;
    this.#asWritten = trie(tokens.filter(({ normalized }) => !normalized).map((token) => [token.content, token]));
    this.#normalized = trie(
      tokens.filter(({ normalized }) => normalized).map((token) => [normalize(token.content), token]),
    );
  }

  /** The sections of a text in order; texts are normalized, and none is empty. */
  split(text: string): Section[] {
    return sectionsOf(text, this.#asWritten).flatMap((section) => {
      if ("token" in section) return [section];
      return sectionsOf(this.#normalize(section.text), this.#normalized).map((part) =>
        "token" in part ? part : { text: part.text, atStart: part.atStart && section.atStart },
      );
    });
  }
}

function parse(json: unknown): AddedToken {
  const fields: Record<string, unknown> = isRecord(json) ? json : {};
  const { id, content, special } = fields as { id?: unknown; content?: unknown; special?: unknown };
  if (typeof id !== "number" || typeof content !== "string") throw new Error("an added token without id or content");
  const flag = (name: string, otherwise = false) => (typeof fields[name] === "boolean" ? fields[name] : otherwise);
  return {
    id,
    content,
    singleWord: flag("single_word"),
    lstrip: flag("lstrip"),
    rstrip: flag("rstrip"),
    normalized: flag("normalized", special !== true),
  };
}

function trie(entries: readonly (readonly [text: string, token: AddedToken])[]): Node {
  const root: Node = { next: new Map(), token: null };
  for (const [text, token] of entries) {
    if (text === "") continue;
    let node = root;
    for (const character of text) {
      let next = node.next.get(character);
      if (next === undefined) {
        next = { next: new Map(), token: null };
        node.next.set(character, next);
      }
      node = next;
    }
    node.token = token;
  }
  return root;
}

/** The longest token of the trie that begins at `start`, and where it ends. */
function longestAt(text: string, start: number, root: Node): { token: AddedToken; end: number } | null {
  let found: { token: AddedToken; end: number } | null = null;
  let node: Node | undefined = root;
  for (let at = start; at < text.length; ) {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    node = node.next.get(character);
    if (node === undefined) break;
    at += character.length;
    if (node.token !== null) found = { token: node.token, end: at };
  }
  return found;
}

function sectionsOf(text: string, root: Node): Section[] {
  const sections: Section[] = [];
  /** End of the last token that counts. */
  let done = 0;
  const addText = (end: number) => {
    if (end > done) sections.push({ text: text.slice(done, end), atStart: done === 0 });
  };
  for (let at = 0; at < text.length; ) {
    const match = longestAt(text, at, root);
    if (match === null) {
      at += 1;
      continue;
    }
    const { token, end } = match;
    const begin = at;
    at = end;
    // A match that is part of a word is text, all of it: shorter tokens inside are not looked for.
    if (token.singleWord && (WORD_BEFORE.test(text.slice(0, begin)) || WORD_AFTER.test(text.slice(end)))) continue;
    const spaceBefore = token.lstrip ? (SPACE_BEFORE.exec(text.slice(0, begin))?.[0].length ?? 0) : 0;
    const spaceAfter = token.rstrip ? (SPACE_AFTER.exec(text.slice(end))?.[0].length ?? 0) : 0;
    addText(Math.max(done, begin - spaceBefore));
    sections.push({ token });
    done = end + spaceAfter;
    at = done;
  }
  addText(text.length);
  return sections;
}
