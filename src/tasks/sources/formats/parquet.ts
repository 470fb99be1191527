/** Parquet, a row group at a time. */

import * as zlib from "node:zlib";
import {
  asyncBufferFromFile,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
} from "hyparquet";
import { messageOf, shown, UserError } from "../../../errors.js";

/** Beside these, hyparquet reads SNAPPY and UNCOMPRESSED by itself. Zstandard came to Node with 22.15. */
function compressors(): Compressors {
  const { zstdDecompressSync: zstd } = zlib as { zstdDecompressSync?: (input: Uint8Array) => Uint8Array };
  return {
    GZIP: (input) => zlib.gunzipSync(input),
    BROTLI: (input) => zlib.brotliDecompressSync(input),
    ...(zstd === undefined ? {} : { ZSTD: (input) => zstd(input) }),
  };
}

/** Every row's number, from 1, and its columns. Memory: the rows of one row group. Whole numbers that fit are numbers, not bigints. */
export async function* parquetRows(path: string): AsyncGenerator<[number: number, value: unknown]> {
  const unreadable = (error: unknown) =>
    new UserError(`expected a readable Parquet file, got ${shown(path)}: ${messageOf(error)}`);
  const open = async () => {
    const file = await asyncBufferFromFile(path);
    return { file, metadata: await parquetMetadataAsync(file), compressors: compressors() };
  };
  const source = await open().catch((error: unknown) => {
    throw unreadable(error);
  });
  checkCompression(source.metadata, source.compressors, path);
  let rowStart = 0;
  for (const group of source.metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const rows = await parquetReadObjects({ ...source, rowStart, rowEnd }).catch((error: unknown) => {
      throw unreadable(error);
    });
    for (const [index, row] of rows.entries()) yield [rowStart + index + 1, plain(row)];
    rowStart = rowEnd;
  }
}

function checkCompression(metadata: FileMetaData, known: Compressors, path: string): void {
  const codecs = metadata.row_groups.flatMap((group) => group.columns.map((column) => column.meta_data?.codec));
  const unknown = codecs.find(
    (codec) => codec !== undefined && codec !== "UNCOMPRESSED" && codec !== "SNAPPY" && !(codec in known),
  );
  if (unknown === undefined) return;
  throw new UserError(
    `expected Parquet compressed with snappy, gzip, brotli or (from Node 22.15 on) zstd, got ${unknown} in ${shown(path)}; write it again with snappy`,
  );
}

/** Parquet's 64-bit integers as numbers where those are exact, else as their digits; everything else as it is. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]));
}
