/** Text that must be equal, but for letter case, white space, quotes around it and a full stop behind it. */

import { shown, UserError } from "../../errors.js";
import type { Verdict, Verifier } from "../task.js";
import { ownAnswer, plainText, type Statement, statementsOf } from "./statements.js";

const OPENING = /^(?:[\s*_`"'“‘$]|\\f?boxed\s{0,3}\{)+/;
const CLOSING = /[\s*_`"'”’$}.!]+$/;
/** Statements are read about this far; a longer gold answer could never verify. */
const LONGEST = 250;

function trimmed(text: string): string {
  const start = OPENING.exec(text)?.[0].length ?? 0;
  let end = text.length;
  while (end > start && CLOSING.test(text[end - 1] ?? "")) end--;
  return text.slice(start, end).replace(/\s+/g, " ");
}

/** Two answers are equal when their keys are. */
function key(text: string): string {
  return trimmed(plainText(text)).toLowerCase();
}

/** Whether a statement gives the gold answer. That may hold full stops of its own: the line counts as well as its first sentence. */
function states(statement: Statement, wanted: string): boolean {
  return [statement.line, statement.sentence].some((candidate) => key(candidate) === wanted);
}

function verify(output: string, gold: string): Verdict {
  const wanted = key(gold);
  const text = plainText(ownAnswer(output));
  const stated = statementsOf(text).filter((statement) => !statement.negated && trimmed(statement.line) !== "");
  const last = stated.at(-1);
  if (last === undefined) {
    const lastLine = text.trimEnd().split("\n").at(-1) ?? "";
    const correct = key(text) === wanted || key(lastLine) === wanted;
    return { strict: "none", lenient: correct ? "correct" : "none", extracted: correct ? gold : null };
  }
  const correct = states(last, wanted);
  const found = correct ? "correct" : "wrong";
  const asked = stated.findLast((statement) => statement.asked);
  const kept =
    asked !== undefined && states(asked, wanted) === correct && (correct || key(asked.sentence) === key(last.sentence));
  return { strict: kept ? found : "none", lenient: found, extracted: correct ? gold : trimmed(last.sentence) };
}

function canonical(answer: string): string {
  const text = answer.trim().replace(/\s+/g, " ");
  if (key(text) === "") throw new UserError("expected a text as the answer, got an empty one");
  if (text.length > LONGEST) {
    throw new UserError(`expected an answer of at most ${LONGEST} characters, got ${text.length}: ${shown(text)}`);
  }
  return text;
}

export function exactVerifier(): Verifier {
  return { canonical, verify: (output, observation) => verify(output, canonical(observation.answer)) };
}
