/** Numbers, compared as exact rationals. */

import { shown, UserError } from "../../errors.js";
import type { Verifier } from "../task.js";
import { lastQuantity } from "./number/last-number.js";
import { type Quantity, readQuantity } from "./number/quantity.js";
import { readRemainder } from "./number/remainder.js";
import { Scanner } from "./number/scanner.js";
import { plainText } from "./plain-text.js";
import { formatRational } from "./rational.js";
import { answerVerifier, NEGATED, type Reading, type Statement, UNCLEAR, UNREAD, unwrapped } from "./statements.js";

export interface NumberVerifierOptions {
  /** A statement may go on with words: `5 apples`, `18 dollars`, `5kg`. Currency signs may always stand. */
  readonly units?: boolean;
  /** `25%` and `25 percent` state 25. Otherwise they state nothing that is asked for. */
  readonly percent?: boolean;
}

/** What begins like a value though no number begins it: `\sqrt{2}`, `π/2`, `x + 1`, `≥ 5`, `f(5)`. */
const LIKE_A_VALUE = /^(?:[\\√∛π∞±<>≤≥|\d]|[-+]\s?[\p{L}\d(\\]|\p{L}\s?(?:[-+*×/^(_²³]|$))/u;
/** At the end of what stands before a box. */
const OPERATOR_AT_END = /(?:[-+×÷/^±√]|\b(?:minus|negative|plus|times|over))[\s$({]{0,4}$/i;
const SIGN_AT_END =
  /(?:^|[^\p{L}\p{N})\]}%\s+*-]|\b(?:is|be|are|was|equals?|to)\s)[\s*]{0,3}(?:-|\b(?:minus|negative))[\s$({]{0,4}$/iu;
const RELATION = /[<>≤≥≠≈±]|\bor\b|;/;
const JOINER = /[,;]|\b(?:and|or)\b/;

export function numberVerifier(options: NumberVerifierOptions = {}): Verifier {
  const { units = false, percent = false } = options;
  const isAllowed = (quantity: Quantity) => percent || !quantity.percent;

  /** A whole statement: one quantity, and a remainder that leaves it as it is. */
  function statedValue(sentence: string): Reading {
    const scanner = new Scanner(sentence);
    const quantity = readQuantity(scanner);
    if (quantity === null) return LIKE_A_VALUE.test(unwrapped(sentence)) ? UNCLEAR : UNREAD;
    if (quantity.value === null || !isAllowed(quantity)) return UNCLEAR;
    const remainder = readRemainder(scanner, quantity.value, { words: units });
    if (remainder === "unclear") return UNCLEAR;
    const value = formatRational(quantity.value);
    return remainder === "repeated" ? { kind: "answer", value, loose: true } : { kind: "answer", value };
  }

  /** `x = 5`, `20 - 15 = 5`: the right side, which is not the asked form. Several equations state nothing. */
  function equationValue(sentence: string): Reading {
    const sides = sentence.split("=");
    const right = statedValue(sides.at(-1) ?? "");
    const between = sides.slice(1, -1);
    if (right.kind !== "answer" || between.some((side) => JOINER.test(side))) return UNCLEAR;
    const left = sides.slice(0, -1).join("=");
    // "5, x = 2" states two values.
    const alsoStated = JOINER.test(left) && readQuantity(new Scanner(left)) !== null;
    return alsoStated || RELATION.test(left) ? UNCLEAR : { ...right, loose: true };
  }

  function read(statement: Statement): Reading {
    if (statement.negated) return NEGATED;
    // `-\boxed{5}` is −5, and the box of `20 - \boxed{5}` an operand.
    if (OPERATOR_AT_END.test(statement.before)) {
      return SIGN_AT_END.test(statement.before) ? statedValue(`-${statement.sentence}`) : UNCLEAR;
    }
    return statementValue(statement);
  }

  function statementValue({ sentence, scope, heading }: Statement): Reading {
    const plain = statedValue(sentence);
    if (plain.kind === "answer") return plain;
    // A heading opens a whole solution, which may become clear further on.
    const opensMore = heading && (sentence.includes("=") || scope.trimEnd().length > sentence.trimEnd().length + 2);
    if (opensMore) return UNREAD;
    return sentence.includes("=") ? equationValue(sentence) : plain;
  }

  function lastResort(text: string): string | null {
    const quantity = lastQuantity(text);
    return quantity === null || quantity.value === null || !isAllowed(quantity) ? null : formatRational(quantity.value);
  }

  function canonical(answer: string): string {
    const reading = statedValue(plainText(answer).trim());
    if (reading.kind === "answer" && reading.loose !== true) return reading.value;
    throw new UserError(`expected a number as the answer, such as 12, -3, 1,250.5 or 3/4, got ${shown(answer)}`);
  }

  return answerVerifier({ canonical, reader: () => ({ read, lastResort }) });
}
