/** Finds the numbers of a text, as a reader would: with sign, thousands separators, fraction, exponent, percent and scale words. */

import { add, divide, multiply, parseDecimal, type Rational, rational } from "./rational.js";

export interface NumberToken {
  /** Extent in the text, sign and currency included. */
  readonly start: number;
  readonly end: number;
  /** Null for what looks like a number and is none that can be read: `3:30`, `1.2.3`, `1,2,3`, `5th`, `10²`. */
  readonly value: Rational | null;
  readonly percent: boolean;
  /** A unit is written onto the number: `5kg`. */
  readonly unit: boolean;
  /** Part of an expression, such as both numbers of `20-15`. */
  readonly operand: boolean;
}

const CLUSTER = /\.?\d(?:[\d.,:'_]*\d)?/g;
const EXPONENT = /[eE]([+-]?\d+)(?![\p{L}\d])/uy;
const TIMES_POWER = /\s{0,3}[×x*]\s{0,3}10\s{0,3}(?:\^|\*\*)\s{0,3}\{?([+-]?\d+)\}?/y;
const SLASH = /\s{0,3}\/\s{0,3}(\d[\d.,]*)(?![\p{L}\d/])/uy;
const MIXED = /\s{1,3}(\d{1,30})\/(\d{1,30})(?![\p{L}\d/.])/uy;
const PERCENT = /\s{0,3}(?:%|percent\b|per cent\b)/iy;
const SCALE = /[\s-]{1,3}(thousand|million|billion|trillion)\b/iy;
const POWER = /[²³⁰¹⁴-⁹]|\s{0,3}\^/uy;
const SUFFIX = /-?\p{L}+|[°¢]/uy;
const NO_UNIT = /^(?:st|nd|rd|th|x|y|n|k)$/i;
const SCALES: Readonly<Record<string, bigint>> = {
  thousand: 1_000n,
  million: 1_000_000n,
  billion: 1_000_000_000n,
  trillion: 1_000_000_000_000n,
};
const SIGN_WORD = /(?:^|[^\p{L}\p{N}])(negative|minus)\s{1,3}$/iu;
const SPACE = /\s/;
const OPERAND_END = /[\p{L}\p{N})\]}%²³]/u;

/** All numbers of `text`, in order. */
export function numbersIn(text: string): NumberToken[] {
  const tokens: NumberToken[] = [];
  CLUSTER.lastIndex = 0;
  for (let match = CLUSTER.exec(text); match !== null; match = CLUSTER.exec(text)) {
    const before = text[match.index - 1] ?? "";
    // `x5`, `A1`, `m_2`: a name, not a number.
    if (/[\p{L}_\\]/u.test(before) && !match[0].startsWith(".")) continue;
    const token = readNumber(text, match.index, match[0]);
    tokens.push(token);
    CLUSTER.lastIndex = token.end;
  }
  return tokens;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function readNumber(text: string, at: number, cluster: string): NumberToken {
  let end = at + cluster.length;
  let value = parseDecimal(cluster);
  const take = (match: RegExpExecArray): string => {
    end = match.index + match[0].length;
    return match[1] ?? "";
  };

  const power = matchAt(EXPONENT, text, end) ?? matchAt(TIMES_POWER, text, end);
  if (power !== null) {
    value = parseDecimal(cluster, Number(take(power)));
  } else {
    const mixed = matchAt(MIXED, text, end);
    const slash = matchAt(SLASH, text, end);
    if (mixed !== null && /^\d+$/.test(cluster)) {
      take(mixed);
      value = sumOf(value, quotient(mixed[1], mixed[2]));
    } else if (slash !== null) {
      // The last of `5/6.` ends a sentence.
      const divisor = take(slash).replace(/[.,]+$/, "");
      end = slash.index + slash[0].lastIndexOf(divisor) + divisor.length;
      value = quotient(cluster, divisor);
    } else if (/^\s?\/\s?\d/.test(text.slice(end, end + 3))) {
      // A date or a longer quotient.
      value = null;
    }
  }

  const percent = matchAt(PERCENT, text, end);
  if (percent !== null) take(percent);
  const scale = matchAt(SCALE, text, end);
  if (scale !== null && value !== null) {
    const factor = rational(SCALES[take(scale).toLowerCase()] ?? 1n);
    value = factor === null ? null : multiply(value, factor);
  }
  let unit = false;
  if (matchAt(POWER, text, end) !== null) value = null;
  const suffix = matchAt(SUFFIX, text, end);
  if (suffix !== null) {
    unit = true;
    if (NO_UNIT.test(suffix[0])) value = null;
  }
  // Letters before a leading point: the point ended a sentence or belongs to a name.
  if (cluster.startsWith(".") && /[\p{L}\d]/u.test(text[at - 1] ?? "")) value = null;

  const sign = signBefore(text, at);
  if (sign.negative && value !== null) value = { numerator: -value.numerator, denominator: value.denominator };
  return {
    start: sign.start,
    end,
    value,
    percent: percent !== null,
    unit,
    operand: sign.operand || operatorFollows(text, end),
  };
}

function quotient(numerator: string | undefined, divisor: string | undefined): Rational | null {
  const a = parseDecimal(numerator ?? "");
  const b = parseDecimal(divisor ?? "");
  return a === null || b === null ? null : divide(a, b);
}

/** whole + part, for a part below one: `2 1/2`. */
function sumOf(whole: Rational | null, part: Rational | null): Rational | null {
  if (whole === null || part === null || part.numerator >= part.denominator) return null;
  return add(whole, part);
}

function previousNonSpace(text: string, at: number): number {
  let place = at;
  while (place >= 0 && SPACE.test(text[place] ?? "")) place--;
  return place;
}

/** Reads what stands before a number: currency, a sign, or the operator of an expression. */
function signBefore(text: string, at: number): { start: number; negative: boolean; operand: boolean } {
  let start = at;
  let currency = false;
  const skipCurrency = () => {
    const place = text[start - 1] === " " ? start - 2 : start - 1;
    if (!/[$€£¥]/.test(text[place] ?? "")) return;
    start = place;
    currency = true;
  };
  skipCurrency();
  const touching = text[start - 1] ?? "";
  if (touching === "-" || touching === "+") {
    start--;
    const negative = touching === "-";
    // `- $5`, `-$5` and `$-5` alike.
    if (!currency) skipCurrency();
    const left = previousNonSpace(text, start - 1);
    const spaced = left < start - 1;
    const leftChar = text[left] ?? "";
    // `20-15`, `20 -15`, `x-15`; but `is -15`, `= -15`, and `-15` at the start of a line are signs.
    const subtraction =
      OPERAND_END.test(leftChar) && !text.slice(left + 1, start).includes("\n") && !(spaced && /\p{L}/u.test(leftChar));
    return subtraction ? { start: start + 1, negative: false, operand: true } : { start, negative, operand: false };
  }
  const word = SIGN_WORD.exec(text.slice(Math.max(0, start - 14), start));
  if (word !== null) {
    const wordStart = text.slice(0, start).trimEnd().length - (word[1]?.length ?? 0);
    const operand =
      word[1]?.toLowerCase() === "minus" && /[\d)]/.test(text[previousNonSpace(text, wordStart - 1)] ?? "");
    return { start: operand ? start : wordStart, negative: !operand, operand };
  }
  return { start, negative: false, operand: operatorPrecedes(text, start) };
}

function operatorPrecedes(text: string, start: number): boolean {
  const place = previousNonSpace(text, start - 1);
  const operator = text[place] ?? "";
  if (!/[+\-*×÷/^<>]/.test(operator)) return false;
  const left = previousNonSpace(text, place - 1);
  // `**5**` is emphasis and `- 5` at the start of a line a list item.
  if (operator === "*" && text[place - 1] === "*") return false;
  return (
    left >= 0 &&
    !text.slice(left + 1, place).includes("\n") &&
    !(operator === "*" && !OPERAND_END.test(text[left] ?? ""))
  );
}

const OPERATOR_AND_NUMBER = /\s{0,3}(?:[+\-×÷/^<>]|\*(?!\*))\s{0,3}[($€£-]{0,3}\.?\d/y;

function operatorFollows(text: string, end: number): boolean {
  return matchAt(OPERATOR_AND_NUMBER, text, end) !== null;
}
