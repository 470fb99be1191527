/** One JSON array of rows, read an element at a time: such a file may be larger than the longest string there can be. */

import { messageOf, shown, UserError } from "../../../errors.js";
import { textOf } from "./text.js";

/** What may matter next: inside a string its end and escapes, elsewhere strings, brackets and commas. */
const IN_STRING = /["\\]/g;
const OUTSIDE = /["{}[\],]/g;

/** Every element's number, from 1, and its value. Memory: one element. Throws UserError when the file is not one whole JSON array. */
export async function* jsonArray(path: string): AsyncGenerator<[number: number, value: unknown]> {
  const elements = new ElementSplitter(path);
  let number = 0;
  for await (const text of textOf(path)) {
    for (const element of elements.push(text)) {
      number++;
      let value: unknown;
      try {
        value = JSON.parse(element);
      } catch (error) {
        throw new UserError(`${path}, row ${number}: expected JSON, got ${shown(element)}: ${messageOf(error)}`);
      }
      yield [number, value];
    }
  }
  elements.end();
}

/** Cuts the text of an array into the texts of its elements. Finds their ends only; whether they are JSON is the parser's to say. */
class ElementSplitter {
  readonly #path: string;
  /** Pieces of the present element from earlier chunks. */
  #pieces: string[] = [];
  /** Open brackets and braces; 0 before and after the array. */
  #depth = 0;
  #state: "before" | "within" | "after" = "before";
  #inString = false;
  /** The last chunk ended in a backslash whose character the next one holds. */
  #escaped = false;
  /** A comma promises another element. */
  #promised = false;

  constructor(path: string) {
    this.#path = path;
  }

  *push(text: string): Generator<string> {
    let from = 0;
    let at = 0;
    if (this.#escaped && text !== "") {
      this.#escaped = false;
      at = 1;
    }
    for (;;) {
      const pattern = this.#inString ? IN_STRING : OUTSIDE;
      pattern.lastIndex = at;
      const found = pattern.exec(text);
      if (found === null) break;
      const mark = found[0];
      at = found.index + 1;
      if (mark === '"') this.#inString = !this.#inString;
      else if (mark === "\\") {
        if (at === text.length) this.#escaped = true;
        else at++;
      } else if (mark === "[" || mark === "{") {
        if (this.#depth++ > 0) continue;
        this.#open(mark, text.slice(from, at - 1));
        from = at;
      } else if (mark === "," ? this.#depth === 1 : --this.#depth === 0) {
        const element = this.#pieces.join("") + text.slice(from, at - 1);
        this.#pieces = [];
        from = at;
        if (this.#isElement(element, mark)) yield element;
      } else if (this.#depth < 0) {
        throw this.#refusal(mark);
      }
    }
    this.#pieces.push(text.slice(from));
    if (this.#state !== "within") this.#onlySpace();
  }

  end(): void {
    if (this.#state === "within") {
      throw new UserError(`${this.#path}: expected the array of rows to end, got the end of the file; it was cut`);
    }
    if (this.#state === "before") throw this.#refusal("");
  }

  #open(mark: string, before: string): void {
    if (this.#state !== "before" || mark !== "[" || before.trim() !== "") throw this.#refusal(before + mark);
    this.#state = "within";
  }

  /** Whether there is an element before `mark`: there is one on either side of a comma, and none in `[]`. */
  #isElement(element: string, mark: string): boolean {
    if (mark !== ",") this.#state = "after";
    if (element.trim() !== "") {
      this.#promised = mark === ",";
      return true;
    }
    if (mark === "," || this.#promised)
      throw new UserError(`${this.#path}: expected a row, got nothing before ${mark}`);
    return false;
  }

  /** Outside the array nothing but white space may stand. */
  #onlySpace(): void {
    const text = this.#pieces.join("");
    if (text.trim() !== "" || this.#inString) throw this.#refusal(text);
    this.#pieces = [];
  }

  #refusal(text: string): UserError {
    const where = this.#state === "after" ? "nothing behind the array" : "a JSON array of rows";
    return new UserError(`${this.#path}: expected ${where}, got ${shown(text.trim())}`);
  }
}
