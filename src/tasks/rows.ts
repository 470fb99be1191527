/** Rows of data files, read one at a time, and typed access to their columns with errors that name file and row. */

import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { messageOf, shown, UserError } from "../errors.js";

/** One row. `where` names it in errors: `train.jsonl, row 12`. */
export interface Row {
  /** Counted from 1. In a .jsonl file the line's number. */
  readonly number: number;
  readonly where: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export const ROW_FILES = [".jsonl", ".json"] as const;

export function isRowFile(path: string): boolean {
  return (ROW_FILES as readonly string[]).includes(extname(path).toLowerCase());
}

/** The rows of a .jsonl file (streamed, one object a line) or a .json file (one array of objects). */
export async function* readRows(path: string): AsyncGenerator<Row> {
  if (!isRowFile(path)) {
    throw new UserError(`expected a file ending in ${ROW_FILES.join(" or ")}, got ${shown(path)}; convert it first`);
  }
  const lines = extname(path).toLowerCase() === ".jsonl" ? jsonLines(path) : jsonArray(path);
  for await (const [number, value] of lines) {
    const where = `${path}, row ${number}`;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new UserError(`${where}: expected an object with named columns, got ${shown(value)}`);
    }
    yield { number, where, fields: value as Record<string, unknown> };
  }
}

async function* jsonLines(path: string): AsyncGenerator<[number, unknown]> {
  let number = 0;
  for await (const line of linesOf(path)) {
    number++;
    if (line.trim() === "") continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      throw new UserError(
        `${path}, row ${number}: expected one JSON object a line, got ${shown(line)}: ${messageOf(error)}`,
      );
    }
    yield [number, value];
  }
}

async function* jsonArray(path: string): AsyncGenerator<[number, unknown]> {
  let value: unknown;
  try {
    value = JSON.parse((await readFile(path, "utf8")).replace(/^\ufeff/, ""));
  } catch (error) {
    throw unreadable(path, error);
  }
  if (!Array.isArray(value)) throw new UserError(`${path}: expected a JSON array of rows, got ${shown(value)}`);
  for (const [index, row] of value.entries()) yield [index + 1, row];
}

/** Lines split at `\n` only: JSON strings may hold U+2028, which node:readline takes for a line end. */
async function* linesOf(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  // Pieces of a line that spans chunks, joined once at its end: a very long line stays linear.
  let pieces: string[] = [];
  try {
    for await (const chunk of createReadStream(path)) {
      const parts = decoder.decode(chunk as Uint8Array, { stream: true }).split("\n");
      for (const part of parts.slice(0, -1)) {
        pieces.push(part);
        yield pieces.join("");
        pieces = [];
      }
      pieces.push(parts.at(-1) ?? "");
    }
    pieces.push(decoder.decode());
  } catch (error) {
    throw unreadable(path, error);
  }
  const rest = pieces.join("");
  if (rest !== "") yield rest;
}

function unreadable(path: string, error: unknown): UserError {
  return new UserError(`expected a readable UTF-8 file, got ${shown(path)}: ${messageOf(error)}`);
}

/** The value of the first of `names` that the row has; throws UserError when it has none. */
export function column(row: Row, ...names: readonly string[]): unknown {
  for (const name of names) {
    const value = row.fields[name];
    if (value !== undefined && value !== null) return value;
  }
  const has = Object.keys(row.fields).join(", ");
  throw new UserError(
    `${row.where}: expected a column ${names.map((name) => shown(name)).join(" or ")}, got columns ${has || "(none)"}`,
  );
}

/** The same as text: numbers and booleans are written out; throws UserError for anything else and for an empty text. */
export function textColumn(row: Row, ...names: readonly string[]): string {
  const value = column(row, ...names);
  const text = typeof value === "number" || typeof value === "boolean" ? String(value) : value;
  if (typeof text !== "string" || text.trim() === "") {
    throw new UserError(
      `${row.where}: expected a text in ${names.map((name) => shown(name)).join(" or ")}, got ${shown(value)}`,
    );
  }
  return text.trim();
}

/** The row's own id where it has one of these columns, else its number. */
export function idOf(row: Row, ...names: readonly string[]): string {
  return names.some((name) => row.fields[name] !== undefined && row.fields[name] !== null)
    ? textColumn(row, ...names)
    : String(row.number);
}
