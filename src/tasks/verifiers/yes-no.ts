/** Yes or no. */

import { shown, UserError } from "../../errors.js";
import type { Verifier } from "../task.js";
import {
  answerVerifier,
  bareStatement,
  FUNCTION_WORDS,
  NEGATED,
  type Reader,
  type Reading,
  type Statement,
  UNCLEAR,
  UNREAD,
  unwrapped,
} from "./statements.js";

const SPOKEN: Readonly<Record<string, string>> = { yes: "yes", no: "no", true: "yes", false: "no" };
const WORD = /^(yes|no|true|false)(?![\p{L}\p{N}'’_-])/iu;
const WORD_ANYWHERE = /(?<![\p{L}\p{N}'’_-])(yes|no|true|false)(?![\p{L}\p{N}'’_-])/giu;
const NEXT_WORD = /^\s+(\p{L}+)/u;
/** After these, `no` and its like are said for themselves, as at the end of a clause. */
const AFTER_ANSWER = new Set([
  "otherwise",
  "else",
  "unless",
  "depending",
  "then",
  "again",
  "instead",
  "on",
  "at",
  "under",
]);

const REASON = /\b(?:because|since|as|given)\b/i;
/** What is rejected: `not yes`, `rather than yes`; a "but" after it says more. */
const REJECTED = /\b(?:not|rather than|instead of)\s[^,.;]*?(?=\bbut\b|[,.;]|$)/gi;
/** Where a reason ends and another answer is given. */
const ALTERNATIVE = /(?:[,;]\s{0,3}(?:or|but)|;|\b(?:otherwise|else),?)\s.*$/i;
const OR_NOT = /\bor\s{1,3}(?:maybe\s|perhaps\s|possibly\s)?(?:not|else)\b/i;

function read({ sentence, negated }: Statement): Reading {
  const text = unwrapped(sentence);
  if (negated || /^(?:not|neither|never)\b/i.test(text)) return NEGATED;
  const word = WORD.exec(text)?.[1].toLowerCase();
  if (word === undefined) return UNREAD;
  const value = SPOKEN[word];
  const rest = text.slice(word.length);
  if (statesOther(rest, value)) return UNCLEAR;
  if (!isSaidForItself(word, rest)) return UNREAD;
  return word === value ? { kind: "answer", value } : { kind: "answer", value, loose: true };
}

/** In "no effect" and "no longer" the word belongs to the next one, in "true love" likewise. */
function isSaidForItself(word: string, rest: string): boolean {
  const next = NEXT_WORD.exec(rest)?.[1].toLowerCase();
  return word === "yes" || next === undefined || FUNCTION_WORDS.has(next) || AFTER_ANSWER.has(next);
}

/** Whether what follows an answer gives the other one as well, wherever in the statement. */
function statesOther(rest: string, value: string): boolean {
  const reason = rest.search(REASON);
  const said = reason < 0 ? rest : `${rest.slice(0, reason)} ${ALTERNATIVE.exec(rest.slice(reason))?.[0] ?? ""}`;
  if (OR_NOT.test(said)) return true;
  const claimed = said.replace(REJECTED, " ");
  return Array.from(claimed.matchAll(WORD_ANYWHERE)).some(({ 1: word, index }) => {
    const lower = word.toLowerCase();
    return SPOKEN[lower] !== value && isSaidForItself(lower, claimed.slice(index + word.length));
  });
}

/** `Yes` or `No` said for itself: at the start of a sentence, not as part of one. */
const SAID = /(?:^|[.,!?\n:]|\bso|\btherefore|\bhence)[\s*_"'“(]{0,6}(yes|no)(?=[\s*_"'”)]{0,6}(?:[.,!;:\n]|-\s|$))/gi;
const NOTHING_ELSE = /^[\s*_"'“({$]{0,6}(true|false)[\s*_"'”)}$.!]{0,6}$/i;

function lastResort(text: string): string | null {
  const alone = NOTHING_ELSE.exec(text)?.[1];
  if (alone !== undefined) return SPOKEN[alone.toLowerCase()];
  const said = new Set(Array.from(text.matchAll(SAID), (match) => match[1].toLowerCase()));
  const [only] = said;
  if (said.size !== 1) return null;
  // "Yes if it rains, otherwise no": the sentence that says it must not say the other.
  const sentence = text
    .trim()
    .replace(/^[*_"'“(]{1,6}/, "")
    .split("\n", 1)[0]
    .slice(0, 300);
  return read(bareStatement(sentence)).kind === "unclear" ? null : only;
}

const reader: Reader = { read, lastResort };

function canonical(answer: string): string {
  const value = SPOKEN[answer.trim().toLowerCase()];
  if (value === undefined) throw new UserError(`expected yes or no as the answer, got ${shown(answer)}`);
  return value;
}

/** `yes` and `no`; gold answers may also be written true and false. */
export function yesNoVerifier(): Verifier {
  return answerVerifier({ canonical, reader: () => reader });
}
