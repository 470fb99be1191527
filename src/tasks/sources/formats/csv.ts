/** CSV with a header line (RFC 4180: commas, quotes doubled within quotes, cells may hold line breaks). */

import { pipeline, Readable } from "node:stream";
import { parse } from "csv-parse";
import { messageOf, shown, UserError } from "../../../errors.js";
import { textOf } from "./text.js";

/** Every row's number, from 1 after the header, and its cells by column, as text. Memory: one row. */
export async function* csvRows(path: string): AsyncGenerator<[number: number, value: unknown]> {
  const parser = parse({ columns: (header: readonly string[]) => distinct(header, path), skip_empty_lines: true });
  // An error of the source also ends the parser, so the loop below throws it.
  pipeline(Readable.from(textOf(path)), parser, () => {});
  let number = 0;
  try {
    for await (const record of parser) yield [++number, record];
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path}: expected CSV with a header and as many cells in every row, got: ${messageOf(error)}`);
  }
}

/** What other programs put between columns. */
const SEPARATORS = [
  [";", "semicolons (;)"],
  ["\t", "tabs"],
  ["|", "bars (|)"],
] as const;

function distinct(header: readonly string[], path: string): string[] {
  const names = header.map((name) => name.trim());
  const [separator] = names.length === 1 ? SEPARATORS.filter(([sign]) => names[0].includes(sign)) : [];
  if (separator !== undefined) {
    // Such files are not guessed at: in them, a comma in a number may be a decimal point or separate thousands.
    throw new UserError(
      `${path}: expected commas as the delimiter between columns, got ${separator[1]} in the header ${shown(names[0])}; save the file with commas`,
    );
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new UserError(`${path}: expected a header of different columns, got ${shown(twice)} twice`);
  return names;
}
