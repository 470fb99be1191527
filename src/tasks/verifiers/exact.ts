/**
 * Text that must be equal, but for letter case, white space, quotes around it and a full stop after it. Compared in
 * Unicode's canonical form.
 */

import { shown, UserError } from "../../errors.js";
import type { Verifier } from "../task.js";
import { plainText } from "./plain-text.js";
import { answerVerifier, NEGATED, type Reader, type Statement, UNREAD } from "./statements.js";

const OPENING = /^(?:[\s*_`"'“‘${]|\\(?:fboxed|boxed|fbox)\s{0,3}\{)+/;
const CLOSING = /[\s*_`"'”’$}.!]/;
/** Statements are read about this far; a longer gold answer could never verify. */
const MAX_LENGTH = 250;

function trimmed(text: string): string {
  const start = OPENING.exec(text)?.[0].length ?? 0;
  let end = text.length;
  while (end > start && CLOSING.test(text.charAt(end - 1))) end--;
  return text.slice(start, end).replace(/\s+/g, " ");
}

/** Two answers are equal when their keys are. */
function key(text: string): string {
  return trimmed(plainText(text)).normalize("NFC").toLowerCase();
}

/** The sentence up to a semicolon, which may begin an explanation. */
function firstPart(sentence: string): string {
  return sentence.split(/;(?=\s|$)/, 1)[0];
}

/** Reads an answer as `gold` where it is equal to it, so that the two compare as the same text. */
function readerFor(gold: string): Reader {
  const wanted = key(gold);
  /** The gold answer may hold full stops of its own: the line counts as well as its first sentence. */
  const states = ({ line, sentence }: Statement) =>
    [line, sentence, firstPart(sentence)].some((candidate) => key(candidate) === wanted);
  return {
    read(statement) {
      const denied = statement.negated && !/^(?:not|neither)\b/i.test(statement.sentence);
      if (!denied && states(statement)) return { kind: "answer", value: gold };
      if (statement.negated) return NEGATED;
      const said = trimmed(statement.line) === "" ? "" : trimmed(firstPart(statement.sentence));
      return trimmed(statement.line) === "" ? UNREAD : { kind: "answer", value: said };
    },
    lastResort(text) {
      const lastLine = text.trimEnd().split("\n").at(-1) ?? "";
      return key(text) === wanted || key(lastLine) === wanted ? gold : null;
    },
  };
}

function canonical(answer: string): string {
  const text = answer.trim().replace(/\s+/g, " ");
  if (key(text) === "") throw new UserError("expected a text as the answer, got an empty one");
  if (text.length > MAX_LENGTH) {
    throw new UserError(`expected an answer of at most ${MAX_LENGTH} characters, got ${text.length}: ${shown(text)}`);
  }
  return text;
}

export function exactVerifier(): Verifier {
  return answerVerifier({ canonical, reader: (_, gold) => readerFor(gold) });
}
