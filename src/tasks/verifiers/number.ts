/** Numbers, compared as exact rationals. */

import { shown, UserError } from "../../errors.js";
import type { Verifier } from "../task.js";
import { type NumberToken, numbersIn } from "./number-scanner.js";
import { formatRational } from "./rational.js";
import { plainText, type Reader, type Reading, SEVERAL, UNREAD, unwrapped, verdictOfStatements } from "./statements.js";

export interface NumberVerifierOptions {
  /** A statement may go on with words: `5 apples`, `18 dollars`, `5kg`. Currency signs may always stand. */
  readonly units?: boolean;
  /** `25%` and `25 percent` state 25. Otherwise they state nothing that is asked for. */
  readonly percent?: boolean;
}

/** Closing quotes, brackets, emphasis, currency and punctuation. */
const CLOSING_ONLY = /^[\s*_`"'“”’)\]}.,:;!$€£¥\\]*$/;
/** What joins two answers: `5 or 6`, `5, 6`, `5/6`, `5 to 6`, `5 apples and 3`; also nothing, as in `1 2 3`. */
const JOINED = /^[\s*_)\]}]*$|(?:[,&/-]|\b(?:and|or|to|through))[\s*_$€£¥([{]*$/i;
/** What opens a clause, so that numbers behind it are not answers. */
const CLAUSE =
  /\b(?:because|since|as|so|not|than|from|which|where|when|if|given|after|before|of|out|per|by|in|is|was|has|had|we|he|she|they|it|there)\b|=/i;

export function numberVerifier(options: NumberVerifierOptions = {}): Verifier {
  const { units = false, percent = false } = options;
  const accepted = (token: NumberToken): string | null =>
    token.value === null || token.operand || (token.percent && !percent) ? null : formatRational(token.value);

  function stated(sentence: string): Reading {
    const text = unwrapped(sentence);
    // "$-5", "-5" and "negative 5" belong to the number; unwrapping may have taken a dollar sign, which changes nothing.
    const tokens = numbersIn(text);
    const [head, second] = tokens;
    if (head === undefined || head.start !== 0) return UNREAD;
    const value = accepted(head);
    if (value === null) return UNREAD;
    const rest = text.slice(head.end);
    if (/^\s*=/.test(rest)) return UNREAD;
    if (second !== undefined) {
      const between = text.slice(head.end, second.start);
      if (JOINED.test(between) && !CLAUSE.test(between)) {
        // "6 plums / 3 bowls = 2": a calculation in words, whose result stands behind it.
        if (text.includes("=", second.end)) return UNREAD;
        const other = accepted(second);
        return other === value ? { kind: "answer", value, loose: true } : SEVERAL;
      }
    }
    if (!units && (head.unit || !CLOSING_ONLY.test(rest))) return UNREAD;
    return { kind: "answer", value };
  }

  const reader: Reader = {
    read: (statement) => stated(statement.sentence),
    lastResort(text) {
      const tokens = numbersIn(text);
      const last = tokens.at(-1);
      const value = last === undefined ? null : accepted(last);
      const previous = tokens.at(-2);
      if (last === undefined || value === null || previous === undefined) return value;
      const between = text.slice(Math.max(previous.end, last.start - 200), last.start);
      const joined = JOINED.test(between) && !between.includes("\n") && !CLAUSE.test(between);
      return joined && accepted(previous) !== value ? null : value;
    },
  };

  function canonical(answer: string): string {
    const reading = stated(plainText(answer).trim());
    if (reading.kind !== "answer" || reading.loose === true) {
      throw new UserError(`expected a number as the answer, such as 12, -3, 1,250.5 or 3/4, got ${shown(answer)}`);
    }
    return reading.value;
  }

  return {
    canonical,
    verify: (output, observation) => verdictOfStatements(output, canonical(observation.answer), reader),
  };
}
