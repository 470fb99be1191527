/** Parquet, a row group at a time. */

import * as zlib from "node:zlib";
import {
  asyncBufferFromFile,
  type Compressors,
  type FileMetaData,
  type ParquetParsers,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from "hyparquet";
import { messageOf, shown, UserError } from "../../../errors.js";
import { parseExactJson } from "./exact-json.js";
import { exactValue } from "./parquet-values.js";
import { rowName } from "./text.js";

const utf8 = new TextDecoder();

/** Beside these, hyparquet reads SNAPPY and UNCOMPRESSED by itself. Zstandard came to Node with 22.15. */
function compressors(): Compressors {
  const { zstdDecompressSync: zstd } = zlib as { zstdDecompressSync?: (input: Uint8Array) => Uint8Array };
  return {
    GZIP: (input) => zlib.gunzipSync(input),
    BROTLI: (input) => zlib.brotliDecompressSync(input),
    ...(zstd === undefined ? {} : { ZSTD: (input) => zstd(input) }),
  };
}

/**
 * Every row's number, from 1, and its columns (parquet-values.ts says as which values). Memory: the rows of one row
 * group. Throws UserError for a file that cannot be read and for a decimal whose digits would be lost.
 */
export async function* parquetRows(path: string): AsyncGenerator<[number: number, value: unknown]> {
  const unreadable = (error: unknown) =>
    new UserError(`expected a readable Parquet file, got ${shown(path)}: ${messageOf(error)}`);
  const open = async () => {
    const file = await asyncBufferFromFile(path);
    const parsers: Partial<ParquetParsers> = { jsonFromBytes: (bytes) => bytes && parseExactJson(utf8.decode(bytes)) };
    return { file, metadata: await parquetMetadataAsync(file), compressors: compressors(), parsers };
  };
  const source = await open().catch((error: unknown) => {
    throw unreadable(error);
  });
  checkCompression(source.metadata, source.compressors, path);
  const schema = parquetSchema(source.metadata);
  let rowStart = 0;
  for (const group of source.metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const rows = await parquetReadObjects({ ...source, rowStart, rowEnd }).catch((error: unknown) => {
      throw unreadable(error);
    });
    for (const [index, row] of rows.entries()) {
      const number = rowStart + index + 1;
      yield [number, exactValue(row, schema, rowName(path, number))];
    }
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
