/** Yes or no. */

import { shown, UserError } from "../../errors.js";
import type { Verifier } from "../task.js";
import {
  FUNCTION_WORDS,
  NEGATED,
  type Reader,
  type Reading,
  SEVERAL,
  UNREAD,
  unwrapped,
  verdictOfStatements,
} from "./statements.js";

const SPOKEN: Readonly<Record<string, string>> = { yes: "yes", no: "no", true: "yes", false: "no" };
const WORD = /^(yes|no|true|false)(?![\p{L}\p{N}'’_-])/iu;
const JOINED = /^[\s*_"'”)]*(?:\/|,?\s{0,3}\b(?:or|and)\b)[\s*_"'“(]*(yes|no|true|false)\b/i;
const NEXT_WORD = /^\s+([\p{L}]+)/u;

function stated(sentence: string): Reading {
  const text = unwrapped(sentence);
  if (/^(?:not|neither|never)\b/i.test(text)) return NEGATED;
  const word = WORD.exec(text)?.[1]?.toLowerCase();
  const value = word === undefined ? undefined : SPOKEN[word];
  if (word === undefined || value === undefined) return UNREAD;
  const rest = text.slice(word.length);
  const other = JOINED.exec(rest)?.[1]?.toLowerCase();
  if (other !== undefined && SPOKEN[other] !== value) return SEVERAL;
  // "no effect", "no longer": here `no` belongs to the next word. "true love" likewise.
  const next = NEXT_WORD.exec(rest)?.[1]?.toLowerCase();
  if (word !== "yes" && next !== undefined && !FUNCTION_WORDS.has(next)) return UNREAD;
  return word === value ? { kind: "answer", value } : { kind: "answer", value, loose: true };
}

/** `Yes` or `No` said for itself: at the start of a sentence, not as part of one. */
const SAID = /(?:^|[.,!?\n:]|\bso|\btherefore|\bhence)[\s*_"'“(]{0,6}(yes|no)(?=[\s*_"'”)]{0,6}(?:[.,!;:\n]|-\s|$))/gi;

const reader: Reader = {
  read: (statement) => stated(statement.sentence),
  lastResort(text) {
    const said = new Set(Array.from(text.matchAll(SAID), (match) => match[1]?.toLowerCase()));
    const [only] = said;
    return said.size === 1 && only !== undefined ? only : null;
  },
};

function canonical(answer: string): string {
  const value = SPOKEN[answer.trim().toLowerCase()];
  if (value === undefined) throw new UserError(`expected yes or no as the answer, got ${shown(answer)}`);
  return value;
}

/** `yes` and `no`; gold answers may also be written true and false. */
export function yesNoVerifier(): Verifier {
  return {
    canonical,
    verify: (output, observation) => verdictOfStatements(output, canonical(observation.answer), reader),
  };
}
