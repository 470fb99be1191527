/** Rows as a Parquet file. */

import { type BasicType, parquetWriteBuffer } from "hyparquet-writer";
import type { Cell, Row } from "./rows.js";

/** The whole file, in memory. A column's type follows from its values; one of nulls alone is a column of texts. */
export function parquetBytes(rows: readonly Row[]): Uint8Array {
  const columnData = Object.keys(rows[0] ?? {}).map((name) => {
    const data = rows.map((row) => row[name]);
    return { name, data, type: typeOf(data), nullable: data.includes(null) };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

function typeOf(values: readonly Cell[]): BasicType {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return "STRING";
  if (known.every((value) => typeof value === "boolean")) return "BOOLEAN";
  if (!known.every((value) => typeof value === "number")) return "STRING";
  return known.every((value) => Number.isInteger(value) && Math.abs(value) < 2 ** 31) ? "INT32" : "DOUBLE";
}
