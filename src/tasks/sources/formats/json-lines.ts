/** JSON Lines: one object a line. */

import { messageOf, shown, UserError } from "../../../errors.js";
import { parseExactJson } from "./exact-json.js";
import { rowName, textOf } from "./text.js";

/** Every line's number, from 1, and its value; blank lines are skipped. Memory: one line. `content` as in `textOf`. */
export async function* jsonLines(
  path: string,
  content?: AsyncIterable<unknown>,
): AsyncGenerator<[number: number, value: unknown]> {
  let number = 0;
  for await (const line of linesOf(path, content)) {
    number++;
    if (line.trim() === "") continue;
    let value: unknown;
    try {
      value = parseExactJson(line);
    } catch (error) {
      throw new UserError(
        `${rowName(path, number)}: expected one JSON object a line, got ${shown(line)}: ${messageOf(error)}`,
      );
    }
    yield [number, value];
  }
}

/** Lines split at `\n` only: JSON strings may hold U+2028, which node:readline takes for a line end. */
async function* linesOf(path: string, content?: AsyncIterable<unknown>): AsyncGenerator<string> {
  // Pieces of a line that spans chunks, joined once at its end: a very long line stays linear.
  let pieces: string[] = [];
  for await (const text of textOf(path, content)) {
    const parts = text.split("\n");
    for (const part of parts.slice(0, -1)) {
      pieces.push(part);
      yield pieces.join("");
      pieces = [];
    }
    pieces.push(parts.at(-1) ?? "");
  }
  const rest = pieces.join("");
  if (rest !== "") yield rest;
}
