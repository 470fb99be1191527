/** Rows of data files, read one at a time, and typed access to their columns with errors that name file and row. */

import { extname } from "node:path";
import { shown, UserError } from "../../errors.js";
import { jsonArray } from "./formats/json-array.js";
import { jsonLines } from "./formats/json-lines.js";
import { rowName } from "./formats/text.js";

/** One row. `where` names it in errors: `train.jsonl, row 12`. */
export interface Row {
  /** Counted from 1. In a .jsonl file the line's number; in a .csv file the header is not counted. */
  readonly number: number;
  readonly where: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

type RowReader = (path: string) => AsyncIterable<[number: number, value: unknown]>;

/** By file name extension. The last two load their library only when such a file is read. */
const READERS: Readonly<Record<string, RowReader>> = {
  ".jsonl": jsonLines,
  ".json": jsonArray,
  ".parquet": async function* (path) {
    yield* (await import("./formats/parquet.js")).parquetRows(path);
  },
  ".csv": async function* (path) {
    yield* (await import("./formats/csv.js")).csvRows(path);
  },
};

/**
 * Extensions of the files that `readRows` reads. Where the same split lies there in several forms, the first of these
 * is read.
 */
export const ROW_FILES: readonly string[] = Object.keys(READERS);

/** `.jsonl, .json, .parquet or .csv` */
export const ROW_FILES_IN_WORDS = `${ROW_FILES.slice(0, -1).join(", ")} or ${ROW_FILES.at(-1)}`;

export function isRowFile(path: string): boolean {
  return ROW_FILES.includes(extname(path).toLowerCase());
}

/**
 * The rows of a .jsonl (one object a line), .json (one array of objects), .csv (with a header) or .parquet file.
 * Memory: one row, of Parquet one row group. Throws UserError naming file and row.
 */
export async function* readRows(path: string): AsyncGenerator<Row> {
  const reader = READERS[extname(path).toLowerCase()];
  if (reader === undefined) {
    throw new UserError(`expected a file ending in ${ROW_FILES_IN_WORDS}, got ${shown(path)}; convert it first`);
  }
  for await (const [number, value] of reader(path)) yield rowOf(path, number, value);
}

/** The row that a reader found; throws UserError unless it has columns. */
export function rowOf(path: string, number: number, value: unknown): Row {
  const where = rowName(path, number);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UserError(`${where}: expected an object with named columns, got ${shown(value)}`);
  }
  return { number, where, fields: value as Record<string, unknown> };
}

/** The value of the first of `names` that the row has; throws UserError when it has none. */
export function column(row: Row, ...names: readonly string[]): unknown {
  const value = optionalColumn(row, ...names);
  if (value === undefined) throw missingColumn(row, ...names);
  return value;
}

/** Says that the row has none of the columns, and which it has. */
export function missingColumn(row: Row, ...names: readonly string[]): UserError {
  const has = Object.keys(row.fields).join(", ");
  return new UserError(
    `${row.where}: expected a column ${names.map((name) => shown(name)).join(" or ")}, got ${has === "" ? "no columns" : `columns ${has}`}`,
  );
}

/** As `column`, but undefined if the row has none. */
export function optionalColumn(row: Row, ...names: readonly string[]): unknown {
  const found = names.find((name) => row.fields[name] !== undefined && row.fields[name] !== null);
  return found === undefined ? undefined : row.fields[found];
}

/**
 * As `column`, as text: numbers and booleans are written out. Throws UserError for anything else and for an empty text.
 */
export function textColumn(row: Row, ...names: readonly string[]): string {
  const value = column(row, ...names);
  const text =
    (typeof value === "number" && Number.isFinite(value)) || typeof value === "boolean" ? String(value) : value;
  if (typeof text !== "string" || text.trim() === "") {
    throw new UserError(
      `${row.where}: expected a text in ${names.map((name) => shown(name)).join(" or ")}, got ${shown(value)}`,
    );
  }
  return text.trim();
}

/** The texts of those of `names` that the row has and that are not blank, joined by spaces. */
export function joinedColumns(row: Row, ...names: readonly string[]): string {
  const present = names.filter((name) => {
    const value = optionalColumn(row, name);
    return value !== undefined && !(typeof value === "string" && value.trim() === "");
  });
  return present.map((name) => textColumn(row, name)).join(" ");
}

/** The row's own id where it has one of these columns, else its number. */
export function idOf(row: Row, ...names: readonly string[]): string {
  return optionalColumn(row, ...names) === undefined ? String(row.number) : textColumn(row, ...names);
}
