/**
 * What follows a quantity in its statement. Every character must be understood: unit words, punctuation, a reason, a
 * value that is rejected (`5, not 6`), an aside (`5 (2 + 3)`). What states a further value or goes on with the
 * calculation leaves no plain value.
 */

import { add, divide, parseDecimal, type Rational } from "../rational.js";
import { readQuantity } from "./quantity.js";
import { Scanner } from "./scanner.js";
import { COMPOUND_UNITS, REFUSED, SHORT_UNITS, UNIT_LETTERS } from "./words.js";

/** `repeated`: understood, and says the same value again. */
export type Remainder = "plain" | "repeated" | "unclear";

export interface RemainderOptions {
  /** Words may follow: `5 apples`. Without, only punctuation and what closes brackets, quotes and emphasis. */
  readonly words: boolean;
  /**
   * The text around is not a statement: only the first word is held against the list of refused ones, and names may
   * follow.
   */
  readonly prose?: boolean;
}

/**
 * Closing quotes, brackets and currency, and punctuation. A full stop before a capital ends the statement (`5.The`).
 */
const CLOSING = /[\s`"'“”’)\]}{,:;?$€£¥₹¢…]|\.(?!\p{Lu}|\d)/uy;
const NEXT_SENTENCE = /\.(?=\p{Lu})/uy;
/**
 * Closing or opening emphasis; with space or letters on both sides an asterisk multiplies, and an underscore begins an
 * index.
 */
const EMPHASIS = /(?<=[^\s*_])[*_]{1,3}(?=[\s.,:;?!)"'”}\]$]|$)|(?<=\s)[*_]{1,3}(?=[\p{L}"'])/uy;
const ELLIPSIS = /\s?(?:\.\.|…)/y;
const REASON =
  /(?:because|since|(?<!well\s)as(?!\s{1,3}(?:well|much|many)\b)|given|due to|owing to|considering)(?![\p{L}\p{N}])/iuy;
/** Within a reason, these state a further answer after all. */
const ALTERNATIVE =
  /\b(?:otherwise|else|alternatively)\b|;\s{0,3}[-$€£¥]{0,3}\d|,\s{0,3}(?:or|but)\s{1,3}[-$€£¥]{0,3}\d[\d.,]*\W{0,3}$/i;
const REJECTION = /(?:(?:and|but)\s{1,3})?(?:not|rather than|instead of)\s{1,3}/iy;
const DENIAL = /^(?:is|are|was|were|does|do|can|could|would)n['’]t$/;
/** `5 p.m.` */
const HALF_OF_DAY = /[ap]\.m(?!\p{L})/iuy;
const LONG_DASH = /[–—]{1,2}/y;
/** `5-kg` */
const UNIT_HYPHEN = /-(?=\p{L}{2})/uy;
const DASH_BEFORE_REASON = /(?<=\s)-{1,2}\s(?=\s?(?:because|since|as|given)\b)/iy;
const DASH_BETWEEN_WORDS = /(?<=\s)-(?=\s\p{L}{2})/uy;
const NUMBER = /[-+$€£¥]{0,3}\s?\.?\d/y;
const WORD = /\p{L}[\p{L}\p{M}]*(?:['’&-]\p{L}[\p{L}\p{M}]*)*/uy;
/** `5 times the sum`, `5 times larger`; otherwise "times" counts. */
const TIMES_WHAT = /\s{1,3}(?:the|as|more|less|fewer|that|this|his|her|its|their|my|\p{L}{3,8}er)(?!\p{L})/iuy;
/** `$18 a day` */
const RATE_ARTICLE = /\s\p{L}{2}/uy;
const PLURAL = /\((?:s|es)\)/y;
const TOUCHING_NAME = /[\p{N}_(^\\]/uy;
const UNIT_POWER = /\s?\}?\s?\^\s?(?:\{\s?-?\d\s?\}|-?\d)(?!\d)|[²³]/uy;
const RATE = /\s?\/\s?(?=\p{L})/uy;
const PICTOGRAPH = /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\u20e3/uy;
/** `5万` is 50,000. */
const HAN_NUMERAL = /^[〇一二三四五六七八九十百千万萬亿億兆半分割]/u;

export function readRemainder(scanner: Scanner, value: Rational, options: RemainderOptions): Remainder {
  return new RemainderReader(scanner, value, options).read();
}

class RemainderReader {
  readonly #scanner: Scanner;
  readonly #value: Rational;
  readonly #options: RemainderOptions;
  /** Where the quantity ends. */
  readonly #start: number;
  #words = 0;
  #previous = "";
  /** The next word is written onto the number, or onto a slash after it. */
  #touching = false;
  #repeated = false;

  constructor(scanner: Scanner, value: Rational, options: RemainderOptions) {
    this.#scanner = scanner;
    this.#value = value;
    this.#options = options;
    this.#start = scanner.at;
  }

  read(): Remainder {
    const scanner = this.#scanner;
    // "0.333…" is not 0.333.
    if (this.#value.denominator !== 1n && scanner.sees(ELLIPSIS)) return "unclear";
    while (!scanner.ended && !scanner.sees(NEXT_SENTENCE)) {
      if (scanner.take(CLOSING) ?? scanner.take(EMPHASIS)) continue;
      if (!this.#options.words) return "unclear";
      if (scanner.take(REASON) !== null) {
        if (ALTERNATIVE.test(scanner.text.slice(scanner.at))) return "unclear";
        break;
      }
      if (!this.#readPart()) return "unclear";
    }
    return this.#repeated ? "repeated" : "plain";
  }

  /** Takes the next part; false where it is not understood. */
  #readPart(): boolean {
    const scanner = this.#scanner;
    if (scanner.next === "(") return this.#readAside();
    if (scanner.sees(REJECTION)) return this.#readRejection();
    if (scanner.sees(NUMBER)) return this.#readRepetition();
    if (
      scanner.take(LONG_DASH) ??
      scanner.take(HALF_OF_DAY) ??
      scanner.take(PICTOGRAPH) ??
      scanner.take(DASH_BEFORE_REASON)
    )
      return true;
    if (this.#options.prose === true && this.#words > 0 && scanner.take(DASH_BETWEEN_WORDS) !== null) return true;
    if (scanner.next === "-") return scanner.at === this.#start && scanner.take(UNIT_HYPHEN) !== null;
    if (scanner.next === "/") return this.#readRate();
    return this.#readWord();
  }

  /** In brackets: words, a reason, a calculation, or the same value again. */
  #readAside(): boolean {
    const scanner = this.#scanner;
    const close = scanner.text.indexOf(")", scanner.at);
    if (close < 0) return false;
    const content = scanner.text.slice(scanner.at + 1, close);
    scanner.at = close + 1;
    const inside = new Scanner(content);
    if (isCalculation(content, this.#value)) return true;
    const quantity = readQuantity(inside);
    if (quantity !== null && (quantity.value === null || !equal(quantity.value, this.#value))) return false;
    const read = readRemainder(inside, this.#value, this.#options);
    if (quantity !== null || read === "repeated") this.#repeated = true;
    return read !== "unclear";
  }

  /** `not 6`; but `5 is not it` takes the value back. */
  #readRejection(): boolean {
    if (this.#words === 1 && this.#options.prose !== true && /^(?:is|are|was|were)$/.test(this.#previous)) return false;
    this.#scanner.take(REJECTION);
    if (this.#scanner.sees(NUMBER)) readQuantity(this.#scanner);
    return true;
  }

  #readRepetition(): boolean {
    const quantity = readQuantity(this.#scanner);
    this.#repeated = true;
    return quantity !== null && quantity.value !== null && equal(quantity.value, this.#value);
  }

  /** `5 km/h`, `$5/hour`; with space around it, a slash after the number divides. */
  #readRate(): boolean {
    const first = this.#words === 0;
    const rate = this.#scanner.take(RATE);
    this.#touching = first;
    this.#previous = "per";
    return rate !== null && (!first || rate[0] === "/");
  }

  #readWord(): boolean {
    const scanner = this.#scanner;
    const touching = this.#touching || (scanner.at === this.#start && /[\p{L}\p{N}]/u.test(scanner.before));
    const word = scanner.take(WORD)?.[0];
    if (word === undefined || !this.#isUnderstood(word, touching)) return false;
    this.#touching = false;
    this.#words++;
    this.#previous = word.toLowerCase();
    if (scanner.take(PLURAL) !== null) return true;
    if (scanner.sees(UNIT_POWER)) return isUnit(word) && scanner.take(UNIT_POWER) !== null;
    return !scanner.sees(TOUCHING_NAME);
  }

  #isUnderstood(word: string, touching: boolean): boolean {
    if (!/[\p{Script=Latin}\p{Script=Greek}]/u.test(word)) return !HAN_NUMERAL.test(word);
    const lower = word.toLowerCase();
    const first = this.#words === 0;
    if (/^(?:st|nd|rd|th)$/.test(lower)) return false;
    if (word.length === 1) return this.#isUnderstoodLetter(word, first);
    if (touching && word.length <= 3) return SHORT_UNITS.has(lower);
    // "5 feet squared" is an area, "5 squared" a power.
    if (/^(?:squared|cubed)$/.test(lower)) return !first;
    if (DENIAL.test(lower)) return false;
    if (lower === "times") return !this.#scanner.sees(TIMES_WHAT);
    // "7 dozen" may be said for 7 or for 84, which only a statement need decide.
    if (lower === "dozen") return this.#options.prose === true;
    // "3 quarters of an hour"
    if (lower === "of" && /^quarters?$/.test(this.#previous)) return false;
    return (this.#options.prose === true && !first) || !lower.split(/['’-]/).some((part) => REFUSED.has(part));
  }

  /** A unit (`5 m`), an article or pronoun, and in prose a name (`box B`); every other letter may be a variable. */
  #isUnderstoodLetter(letter: string, first: boolean): boolean {
    if (letter === "a" && this.#scanner.sees(RATE_ARTICLE)) return true;
    if (UNIT_LETTERS.has(letter) && (first || this.#previous === "per")) return true;
    return !first && (this.#options.prose === true || /^[aI]$/.test(letter));
  }
}

function isUnit(word: string): boolean {
  const lower = word.toLowerCase();
  return word.length >= 4 || UNIT_LETTERS.has(word) || SHORT_UNITS.has(lower) || COMPOUND_UNITS.has(lower);
}

/** `2 + 3`, `= 10/2`; a difference or quotient alone may be a range or a fraction, so it must come to the value. */
function isCalculation(content: string, value: Rational): boolean {
  if (/\bor\b/.test(content) || !/\d/.test(content)) return false;
  if (/\d[^()]{0,40}[+*×÷=]\s{0,3}[$€£¥]?\d|^\s{0,3}=/.test(content)) return true;
  const match = /^\s{0,3}[$€£¥]?([\d.,]{1,30})\s?([-/])\s?[$€£¥]?([\d.,]{1,30})\s{0,3}$/.exec(content);
  if (match === null) return false;
  const [a, b] = [parseDecimal(match[1]), parseDecimal(match[3])];
  if (a === null || b === null) return false;
  const result = match[2] === "/" ? divide(a, b) : add(a, { numerator: -b.numerator, denominator: b.denominator });
  return result !== null && equal(result, value);
}

function equal(a: Rational, b: Rational): boolean {
  return a.numerator === b.numerator && a.denominator === b.denominator;
}
