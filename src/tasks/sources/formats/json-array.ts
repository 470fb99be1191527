/**
 * One JSON array of rows, read an element at a time: such a file may be larger than the longest string there can be.
 */

import { messageOf, UserError } from "../../../errors.js";
import { ExactJsonParser } from "./exact-json.js";
import { rowName, textOf } from "./text.js";

/**
 * Every element's number, from 1, and its value. Memory: 64 KiB of elements. Throws UserError when the file is not one
 * whole JSON array.
 */
export async function* jsonArray(path: string): AsyncGenerator<[number: number, value: unknown]> {
  let number = 0;
  let found: unknown[] = [];
  const parser = new ExactJsonParser("$.*", (value) => found.push(value));
  for await (const text of textOf(path)) {
    let problem: unknown;
    try {
      parser.write(text);
    } catch (error) {
      problem = error;
    }
    for (const value of found) yield [++number, value];
    found = [];
    if (problem !== undefined) throw refusal(path, number + 1, parser.state, messageOf(problem));
  }
  if (parser.state === "before") throw refusal(path, 1, "before", "the end of the file");
  if (parser.state === "within") {
    throw new UserError(`${path}: expected the array of rows to end, got the end of the file; it was cut`);
  }
}

function refusal(path: string, row: number, state: ExactJsonParser["state"], problem: string): UserError {
  if (state === "before") return new UserError(`${path}: expected a JSON array of rows, got: ${problem}`);
  if (state === "after") return new UserError(`${path}: expected nothing after the array, got: ${problem}`);
  return new UserError(`${rowName(path, row)}: expected JSON, got: ${problem}`);
}
