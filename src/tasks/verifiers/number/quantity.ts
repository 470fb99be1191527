/**
 * One quantity as a reader would take it:
 *
 *     quantity  = { opening | sign | currency } magnitude [ scale ] [ percent | degrees ]
 *     magnitude = decimal | decimal × 10^n | fraction | whole fraction | whole "and a half"
 *
 * A quantity ends where this grammar does; whether what follows changes its value is for the caller to find out
 * (remainder.ts).
 */

import { add, divide, multiply, parseDecimal, type Rational, rational } from "../rational.js";
import type { Scanner } from "./scanner.js";
import { MONEY_SCALES, SCALES } from "./words.js";

export interface Quantity {
  /**
   * Null for what looks like a number and is none that can be read: `3:30`, `1.2.3`, `1,2,3`, `3/4/2024`, `--5`, `5/0`.
   */
  readonly value: Rational | null;
  readonly percent: boolean;
}

/** Quotes, brackets, emphasis, boxes and signs of equality that may stand before a number without changing it. */
const OPENING = /[\s*_`"'“”‘’:([{~≈=]|\\(?:fboxed|boxed|fbox)\s{0,3}(?=\{)/y;
const SIGN = /[-+]|(?:minus|negative|neg)(?![\p{L}\d])/iuy;
const CURRENCY =
  /[$€£¥₹₩₽₺₫₴₦฿¢]|(?:US|AU?|CA?|R|HK|NZ|S)\$|(?:USD|EUR|GBP|JPY|CNY|RMB|INR|CAD|AUD|CHF|Rs\.?|RM)(?=\s?-?\s?[\d.])/y;

/** Digits with what may separate them; which separators make a number is decided afterwards. */
const CLUSTER = /\.?\d(?:[\d.,:'_]*\d)?/y;
const EXPONENT = /[eE]([+-]?\d+)(?![\p{L}\d])/uy;
const TIMES_POWER =
  /\s{0,3}[×x*]\s{0,3}10\s{0,3}(?:(?:\^|\*\*)\s{0,3}[({]?\s?([+-]?\d{1,5})\s?[)}]?(?![\d.])|([⁺⁻]?[⁰¹²³⁴-⁹]{1,5}))/y;
const SLASH = /\s{0,3}\/\s{0,3}(\d(?:[\d.,]*\d)?)(?![\d/])/y;
const MORE_SLASHES = /\s?\/\s?\d/y;
const MIXED = /\s{1,3}(\d{1,30})\/(\d{1,30})(?![\p{L}\d/.]|\.\d)/uy;
const MIXED_IN_WORDS = /\s{1,3}and\s{1,3}(?:a|one)\s{1,3}(half|third|quarter)(?!\p{L})/iuy;
const PARTS: Readonly<Record<string, bigint>> = { half: 2n, third: 3n, quarter: 4n };

/** A space, hyphen, brace or closing dollar sign may stand between a number and what scales it. */
const SCALE = new RegExp(String.raw`[\s{}$-]{0,4}(${Object.keys(SCALES).join("|")})(?![\p{L}\p{N}])`, "iuy");
const MONEY_SCALE = new RegExp(String.raw`\s?(${Object.keys(MONEY_SCALES).join("|")})(?![\p{L}\p{N}]|\s?\$)`, "iuy");
const PERCENT = /\s{0,3}(?:%|percent(?!\p{L})|per cent(?!\p{L}))/iuy;
const DEGREES = /\s?°(?:\s?[CF](?![\p{L}\p{N}]))?/uy;

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** The quantity at the scanner's place, taken; null, and nothing taken, where none begins there. */
export function readQuantity(scanner: Scanner): Quantity | null {
  const start = scanner.at;
  const { signs, negative, money } = readOpening(scanner);
  const cluster = scanner.take(CLUSTER)?.[0];
  if (cluster === undefined) {
    scanner.at = start;
    return null;
  }
  let value = scaled(scanner, readMagnitude(scanner, cluster), money);
  const percent = scanner.take(PERCENT) !== null;
  scanner.take(DEGREES);
  if (signs > 1) value = null;
  if (negative && value !== null) value = { numerator: -value.numerator, denominator: value.denominator };
  return { value, percent };
}

interface Opening {
  readonly signs: number;
  readonly negative: boolean;
  readonly money: boolean;
}

/** What stands before the digits, in any order: `$-5`, `-$5`, `- \boxed{5}`, `negative (5)`. */
function readOpening(scanner: Scanner): Opening {
  let signs = 0;
  let negative = false;
  let money = false;
  for (;;) {
    const sign = scanner.take(SIGN)?.[0];
    if (sign !== undefined) {
      signs++;
      negative ||= sign !== "+";
    } else if (scanner.take(CURRENCY) !== null) money = true;
    else if (scanner.take(OPENING) === null) return { signs, negative, money };
  }
}

function readMagnitude(scanner: Scanner, cluster: string): Rational | null {
  const exponent = scanner.take(EXPONENT)?.[1] ?? readPowerOfTen(scanner);
  if (exponent !== null) return parseDecimal(cluster, Number(exponent));
  const whole = parseDecimal(cluster);
  if (/^\d+$/.test(cluster)) {
    const mixed = scanner.take(MIXED);
    if (mixed !== null) return sumOf(whole, quotient(mixed[1], mixed[2]));
    const part = scanner.take(MIXED_IN_WORDS)?.[1];
    if (part !== undefined) return sumOf(whole, rational(1n, PARTS[part.toLowerCase()]));
  }
  const divisor = scanner.take(SLASH)?.[1];
  if (divisor !== undefined) return quotient(cluster, divisor);
  // A date or a longer quotient.
  return scanner.sees(MORE_SLASHES) ? null : whole;
}

/** The n of `× 10^n`, `× 10**n` or `× 10ⁿ`. */
function readPowerOfTen(scanner: Scanner): string | null {
  const match = scanner.take(TIMES_POWER);
  if (match === null) return null;
  const [, plain, raised] = match;
  return (
    plain ??
    raised
      .replace("⁻", "-")
      .replace("⁺", "")
      .replace(/[⁰¹²³⁴-⁹]/g, (digit) => `${SUPERSCRIPTS.indexOf(digit)}`)
  );
}

/** `3 million`, `3 hundred thousand`, and `$3M` where it is money. */
function scaled(scanner: Scanner, magnitude: Rational | null, money: boolean): Rational | null {
  let value = magnitude;
  const times = (factor: bigint) => {
    value = value === null ? null : multiply(value, { numerator: factor, denominator: 1n });
  };
  for (let word = scanner.take(SCALE); word !== null; word = scanner.take(SCALE)) times(SCALES[word[1].toLowerCase()]);
  const letter = money ? scanner.take(MONEY_SCALE)?.[1] : undefined;
  if (letter !== undefined) times(MONEY_SCALES[letter.toLowerCase()]);
  return value;
}

function quotient(numerator: string, divisor: string): Rational | null {
  const a = parseDecimal(numerator);
  const b = parseDecimal(divisor);
  return a === null || b === null ? null : divide(a, b);
}

/** whole + part, for a part below one: `2 1/2`. */
function sumOf(whole: Rational | null, part: Rational | null): Rational | null {
  if (whole === null || part === null || part.numerator >= part.denominator) return null;
  return add(whole, part);
}
