/**
 * JSON whose numbers keep every digit. A number that a JavaScript number cannot hold (2⁵³ + 1, 24 digits, a long
 * decimal) is given as the text of its digits; every other one is a number.
 */

import { Tokenizer, TokenParser, TokenType } from "@streamparser/json";

/** Strings longer than this are collected in pieces of this many bytes. */
const STRING_BUFFER = 64 * 1024;
/** Numbers of at most 15 digits with a small exponent are exact, so that a text without this needs no second look. */
const MAY_LOSE_DIGITS = /[\d.]{16}|\d[eE][+-]?\d{2}/;

/** `JSON.parse`, with every digit. Throws what `JSON.parse` throws on text that is not JSON. */
export function parseExactJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!MAY_LOSE_DIGITS.test(text)) return value;
  let exact: unknown;
  const parser = new ExactJsonParser(undefined, (found) => {
    exact = found;
  });
  parser.write(text);
  parser.end();
  return exact;
}

/** Parses JSON in pieces of any size. */
export class ExactJsonParser {
  readonly #tokenizer: ExactTokenizer;
  readonly #values: TokenParser;
  #started = false;

  /**
   * @param path which values are reported: `$.*` for the elements of an array, the whole when left out
   * @param onValue gets each of them
   */
  constructor(path: "$.*" | undefined, onValue: (value: unknown) => void) {
    this.#tokenizer = new ExactTokenizer({ stringBufferSize: STRING_BUFFER });
    this.#values = new TokenParser({ paths: [path ?? "$"], keepStack: path === undefined });
    this.#values.onValue = ({ value }) => onValue(value);
    this.#tokenizer.onToken = (token) => {
      if (!this.#started && path !== undefined && token.token !== TokenType.LEFT_BRACKET) {
        throw new SyntaxError(String(token.value));
      }
      this.#started = true;
      const digits = token.token === TokenType.NUMBER ? this.#tokenizer.digits : "";
      const exact = digits === "" || isExact(digits, Number(digits));
      this.#values.write(exact ? token : { token: TokenType.STRING, value: digits });
    };
  }

  /** Where the text has come to: before the outermost value, within it, or after it. */
  get state(): "before" | "within" | "after" {
    return !this.#started ? "before" : this.#values.isEnded ? "after" : "within";
  }

  /** Throws on text that is not JSON. */
  write(text: string): void {
    this.#tokenizer.write(text);
  }

  /** A number at the top level ends with the text and not before. */
  end(): void {
    if (!this.#tokenizer.isEnded) this.#tokenizer.end();
  }
}

/** Remembers how the last number was written. */
class ExactTokenizer extends Tokenizer {
  digits = "";

  protected override parseNumber(text: string): number {
    this.digits = text;
    return Number(text);
  }
}

/** Whether the number, written in the shortest way, is the decimal that `digits` state. */
function isExact(digits: string, value: number): boolean {
  return Number.isFinite(value) && decimalOf(digits) === decimalOf(String(value));
}

/**
 * A decimal in one form for all ways to write it: sign, digits without zeros at either end, exponent of the last digit.
 */
function decimalOf(written: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(written) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return "0";
  const last = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
  return `${sign}${significant}e${last}`;
}
