/** What JSON.parse lets pass: keys given twice (the last one wins, silently) and nesting without bound. */
import { shown, UserError } from "../../errors.js";

/**
 * Walks JSON text once and throws UserError when an object has a key twice or nesting exceeds `maxDepth`. It does not
 * check that the text is JSON: JSON.parse does, afterwards.
 */
export function checkJsonShape(bytes: Uint8Array, where: string, limits: { readonly maxDepth: number }): void {
  /** Keys seen in each open object; null for a list. */
  const open: (Set<string> | null)[] = [];
  /** The last string, when nothing but white space followed it: a key, if a colon comes next. */
  let last: string | null = null;
  for (let i = 0; i < bytes.length; i++) {
    switch (bytes[i]) {
      case 0x22: {
        const begin = i++;
        while (i < bytes.length && bytes[i] !== 0x22) i += bytes[i] === 0x5c ? 2 : 1;
        last = unescaped(bytes.subarray(begin, i + 1));
        break;
      }
      case 0x3a: {
        const keys = open.at(-1);
        if (last !== null && keys) {
          if (keys.has(last)) throw new UserError(`expected every name once in ${where}, got ${shown(last)} twice`);
          keys.add(last);
        }
        last = null;
        break;
      }
      case 0x7b:
      case 0x5b:
        open.push(bytes[i] === 0x7b ? new Set() : null);
        if (open.length > limits.maxDepth) {
          throw new UserError(`expected at most ${limits.maxDepth} levels of nesting in ${where}, got more`);
        }
        break;
      case 0x7d:
      case 0x5d:
        open.pop();
        break;
    }
  }
}

const utf8 = new TextDecoder();

/** The value of a string literal, so that "\u0061" and "a" are one key; the raw text where it is no valid literal. */
function unescaped(literal: Uint8Array): string {
  const text = utf8.decode(literal);
  if (!text.includes("\\")) return text.slice(1, -1);
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}
