/** Text that must be equal, but for letter case, white space, quotes around it and a full stop behind it. */

import { UserError } from "../../errors.js";
import type { Verdict, Verifier } from "../task.js";
import { ownAnswer, plainText, statementsOf } from "./statements.js";

const OPENING = /^(?:[\s*_`"'“‘$]|\\f?boxed\s{0,3}\{)+/;
const CLOSING = /[\s*_`"'”’$}.!]+$/;
/** No answer is this long; what is longer is compared no further. */
const LONGEST = 10_000;

function trimmed(text: string): string {
  const start = OPENING.exec(text)?.[0].length ?? 0;
  let end = text.length;
  while (end > start && CLOSING.test(text[end - 1] ?? "")) end--;
  return text.slice(start, end).replace(/\s+/g, " ");
}

/** Two answers are equal when their keys are. */
function key(text: string): string {
  return trimmed(plainText(text.slice(0, LONGEST))).toLowerCase();
}

function judge(output: string, gold: string): Verdict {
  const wanted = key(gold);
  const text = ownAnswer(output);
  const statements = statementsOf(text).filter((statement) => !statement.negated && trimmed(statement.line) !== "");
  const last = statements.at(-1);
  if (last === undefined) {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    const whole = [text, lines.at(-1) ?? ""].find((candidate) => key(candidate) === wanted);
    return whole === undefined
      ? { strict: "none", lenient: "none", extracted: null }
      : { strict: "none", lenient: "correct", extracted: gold };
  }
  // An answer may hold full stops of its own, so the whole line counts as well as its first sentence.
  const correct = [last.line, last.sentence].some((candidate) => key(candidate) === wanted);
  const judged = correct ? "correct" : "wrong";
  return { strict: last.asked ? judged : "none", lenient: judged, extracted: correct ? gold : trimmed(last.sentence) };
}

function canonical(answer: string): string {
  const text = answer.trim().replace(/\s+/g, " ");
  if (key(text) === "") throw new UserError("expected a text as the answer, got an empty one");
  return text;
}

export function exactVerifier(): Verifier {
  return { canonical, judge: (output, observation) => judge(output, canonical(observation.answer)) };
}
