/**
 * The last number of a text that states no answer, where it stands for itself: not in an expression, a limit, a list or
 * LaTeX.
 */

import type { Rational } from "../rational.js";
import { SENTENCE_END } from "../statements.js";
import { type Quantity, readQuantity } from "./quantity.js";
import { readRemainder } from "./remainder.js";
import { Scanner } from "./scanner.js";
import { COMPOUND_UNITS, OPERATION_BEFORE } from "./words.js";

/** How far around the last digit its line is looked at. */
const REACH = 300;

interface Found extends Quantity {
  /** Extent in the line, with sign and currency. */
  readonly start: number;
  readonly end: number;
}

/** The quantity, or null where the text has none or the last one is a part of something else. */
export function lastQuantity(text: string): Quantity | null {
  let end = text.length;
  for (;;) {
    let digit = end - 1;
    while (digit >= 0 && !isDigit(text.charCodeAt(digit))) digit--;
    if (digit < 0) return null;
    const lineStart = Math.max(text.lastIndexOf("\n", digit) + 1, digit - REACH);
    const next = text.indexOf("\n", digit);
    const line = text.slice(lineStart, Math.min(next < 0 ? text.length : next, digit + REACH));
    const found = quantitiesIn(line, () => hasBullets(text));
    const last = found.at(-1);
    // A line whose digits all belong to names (`room B12`) says nothing.
    if (last !== undefined) return standsAlone(line, last, found.at(-2)) ? last : null;
    end = lineStart;
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

const DIGITS = /\.?\d/g;
/** What may belong to a quantity before its digits. */
const PREFIX_END =
  /(?:(?<![\p{L}\p{N}])(?:minus|negative)\s{1,3}|[-+$€£¥₹¢([{~≈"'“‘`]|(?<![\p{L}\p{N}])[*_]{1,3}(?=\S)|\\(?:fboxed|boxed|fbox)\s{0,3}(?=\{)|(?<=[-+$€£¥₹¢([{~≈])\s{1,3})$/iu;

/** All quantities of a line, in order. */
function quantitiesIn(line: string, bulleted: () => boolean): Found[] {
  const found: Found[] = [];
  let from = 0;
  DIGITS.lastIndex = 0;
  for (let match = DIGITS.exec(line); match !== null; match = DIGITS.exec(line)) {
    // `x5`, `m_2`: a name, not a number.
    if (/[\p{L}_\\]/u.test(line.charAt(match.index - 1)) && !isEmphasis(line, match.index - 1)) {
      const name = /[\p{L}\p{N}_]*/uy;
      name.lastIndex = match.index;
      DIGITS.lastIndex = match.index + Math.max(match[0].length, name.exec(line)?.[0].length ?? 0);
      continue;
    }
    const start = startOf(line, from, match.index, bulleted);
    const scanner = new Scanner(line, start);
    const quantity = readQuantity(scanner);
    if (quantity === null) continue;
    from = scanner.at;
    DIGITS.lastIndex = from;
    found.push({ ...quantity, start, end: from });
  }
  return found;
}

function isEmphasis(line: string, at: number): boolean {
  return line.charAt(at) === "_" && !/[\p{L}\p{N})\]}]/u.test(line.charAt(at - 1));
}

/** Where the quantity whose digits stand at `at` begins; not before `from`. */
function startOf(line: string, from: number, at: number, bulleted: () => boolean): number {
  let start = at;
  for (;;) {
    const before = line.slice(Math.max(from, start - 16), start);
    const prefix = PREFIX_END.exec(before)?.[0];
    if (prefix === undefined) return start;
    if (/^[-+]$/.test(prefix) && !isSign(line, start - 1, bulleted)) return start;
    start -= prefix.length;
  }
}

/** After these words, with a space between, `- 5` is a negative number; after others a dash may just divide. */
const SAYS = /(?:^|[^\p{L}])(?:is|be|are|was|equals?|gives?|makes?|get|to|of)$/iu;

/** Whether the dash or plus at `at` is the sign of what follows, not an operator or the mark of a list item. */
function isSign(line: string, at: number, bulleted: () => boolean): boolean {
  const left = line.slice(Math.max(0, at - 20), at);
  const before = left.trimEnd();
  const apart = /\s/.test(line.charAt(at + 1));
  if (before === "") return !(apart && bulleted());
  if (/[\p{N})\]}%²³!\\+*×÷/^<>-]$/u.test(before)) return false;
  if (!/\p{L}$/u.test(before)) return true;
  // `x-15` and `x -15` of a variable subtract; so may `total - 15`.
  return before.length < left.length && !/(?:^|[^\p{L}])\p{L}$/u.test(before) && (!apart || SAYS.test(before));
}

/** Whether the text has a list of items that begin with dashes. */
function hasBullets(text: string): boolean {
  const first = /(?:^|\n)[ \t]*-[ \t]/.exec(text);
  return first !== null && /\n[ \t]*-[ \t]/.test(text.slice(first.index + first[0].length));
}

function standsAlone(line: string, last: Found, previous: Found | undefined): boolean {
  if (last.value === null) return false;
  if (previous !== undefined && isJoined(line.slice(previous.end, last.start), previous, last.value)) return false;
  return opensCleanly(line.slice(0, last.start)) && endsCleanly(line, last, last.value);
}

/** What joins two answers: `5 or 6`, `5, 6`, `5/6`, `5 to 6`, `5 apples and 3`; also nothing, as in `1 2 3`. */
const JOINED = /^[\s*_)\]}$]*$|(?:[,;&/-]|\b(?:and|or|to|through))[\s*_$€£¥([{]*$/i;
/** `x = 1 or x = 2` */
const JOINED_EQUATIONS = /(?:[,;]|\b(?:or|and))\s{0,3}\p{L}\s?=\s?$/u;
/** What opens a clause, so that numbers before it are not answers. */
const CLAUSE =
  /\b(?:because|since|as|so|not|than|from|which|where|when|if|given|after|before|of|out|per|by|in|is|was|has|had|we|he|she|they|it|there)\b|=/i;
/** `1 hour 30 minutes`, `5 feet, 6 inches` */
const UNIT_BETWEEN = /^\s?(\p{L}+)\.?,?\s{1,3}(?:and\s{1,3})?$/iu;

function isJoined(between: string, previous: Found, value: Rational): boolean {
  const same =
    previous.value !== null &&
    previous.value.numerator === value.numerator &&
    previous.value.denominator === value.denominator;
  if (same) return false;
  if (JOINED_EQUATIONS.test(between)) return true;
  const unit = UNIT_BETWEEN.exec(between)?.[1].toLowerCase();
  return (unit !== undefined && COMPOUND_UNITS.has(unit)) || (JOINED.test(between) && !CLAUSE.test(between));
}

/** An operator, a relation, a root or a part of LaTeX: what follows belongs to it. `->` and `=>` do not count. */
const OPERATOR = /(?:(?<![-=])>|[-+×÷/^<≤≥≠±√∛∜∑∏∫∂∈∪∩∝|%\\}!_]|(?<=\S\s{0,3})\*)$/;
const BULLET = /^\s*[-+*•]$/;
const COMMAND = /\\\p{L}+\*?$/u;
const LAST_WORD = /(\p{L}+)$/u;
/** `25% of 80`, `half of 6`, `the square root of 16`, `divided by 3` */
const PART_OF =
  /(?:\d|%|\b(?:percent|half|third|quarter|thirds|quarters|root|square|cube|sum|product|factorial|multiple|multiples|log|double|triple))\s{1,3}of$|\b(?:divided|multiplied)\s{1,3}by$/i;

/** Whether what stands before a quantity lets it stand for itself. */
function opensCleanly(before: string): boolean {
  const left = before.trimEnd();
  if (BULLET.test(left)) return true;
  if (OPERATOR.test(left) || COMMAND.test(left) || PART_OF.test(left.slice(-40))) return false;
  const word = LAST_WORD.exec(left.slice(-40))?.[1];
  if (word === undefined) return true;
  // Written onto the quantity, a word is a function (`f(5)`); a letter of its own is a variable.
  if (left.length === before.length) return false;
  return word.length === 1 ? /^[aAI]$/.test(word) : !OPERATION_BEFORE.has(word.toLowerCase());
}

function endsCleanly(line: string, { end }: Found, value: Rational): boolean {
  const rest = line.slice(end);
  const stop = rest.search(SENTENCE_END);
  const scanner = new Scanner(stop < 0 ? line : line.slice(0, end + stop), end);
  return readRemainder(scanner, value, { words: true, prose: true }) !== "unclear";
}
