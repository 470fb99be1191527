/**
 * The safetensors format, in and out: 8 bytes of little-endian header length, a JSON header, then the tensors' bytes
 * without gaps. Headers come from strangers, so every claim in one is checked before it sizes an allocation or places a
 * read.
 */
import type { FileHandle } from "node:fs/promises";
import { endianness } from "node:os";
import { shown, UserError } from "../../errors.js";
import { isRecord, openToRead, parseJson, readFully, replaceFile, writeFully } from "../files.js";
import { toBfloat16, toFloat16, widenInPlace } from "./half-precision.js";
import { checkJsonShape } from "./json-shape.js";
import { elementCount } from "./tensors.js";

/**
 * Bytes per element of every type that the format's readers agree on. `SafetensorsFile.read` takes F32, F16 and BF16.
 */
const ELEMENT_BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
  C64: 8,
} as const;

/** The format's own limit on headers, shared by every reader. */
const MAX_HEADER_BYTES = 100_000_000;
const MAX_DIMENSIONS = 32;
/** Values converted between two writes: 4 MiB of bfloat16. */
const WRITE_BLOCK = 1 << 21;

type SafetensorsDtype = keyof typeof ELEMENT_BYTES;

export interface TensorInfo {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  /** Sizes of the dimensions, outermost first; empty for a scalar. */
  readonly shape: readonly number[];
}

interface PlacedTensor extends TensorInfo {
  /** Byte range in the file. */
  readonly begin: number;
  readonly end: number;
}

/**
 * One open .safetensors file. Opening reads the header only; tensors are read one by one, straight into the memory
 * returned.
 */
export class SafetensorsFile {
  readonly path: string;
  /** In the order of their bytes in the file. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #file: FileHandle;
  readonly #places: ReadonlyMap<string, PlacedTensor>;

  private constructor(path: string, file: FileHandle, header: Header) {
    this.path = path;
    this.#file = file;
    this.tensors = header.tensors;
    this.#places = header.tensors;
    this.metadata = header.metadata;
  }

  /** Opens a file and checks its whole header. Throws UserError naming file and tensor. Close it when done. */
  static async open(path: string): Promise<SafetensorsFile> {
    if (endianness() !== "LE") {
      throw new Error("safetensors files are read by copying memory, which needs a little-endian machine");
    }
    const file = await openToRead(path);
    try {
      return new SafetensorsFile(path, file, await readHeader(file, path));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * The tensor's values in row-major order as float32. Throws UserError when it is absent or of a type that is not F32,
   * F16 or BF16.
   */
  async read(name: string): Promise<Float32Array> {
    const place = this.#places.get(name);
    if (place === undefined) {
      throw new UserError(`expected a tensor ${shown(name)} in ${this.path}, got none of that name`);
    }
    const { dtype, begin, end } = place;
    if (dtype !== "F32" && dtype !== "F16" && dtype !== "BF16") {
      throw new UserError(
        `expected tensor ${shown(name)} of ${this.path} to be one of F32, F16, BF16, got ${dtype}; ` +
          "convert the checkpoint first",
      );
    }
    const values = new Float32Array(elementCount(place.shape));
    // 16-bit elements go to the upper half of the float32 memory, from where they are widened in place: no second copy.
    const bytes = new Uint8Array(values.buffer, values.byteLength - (end - begin), end - begin);
    await readFully(this.#file, bytes, begin, this.path);
    if (dtype !== "F32") widenInPlace(values, dtype);
    return values;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

interface Header {
  readonly tensors: ReadonlyMap<string, PlacedTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

async function readHeader(file: FileHandle, path: string): Promise<Header> {
  const stat = await file.stat();
  if (!stat.isFile()) throw new UserError(`expected a safetensors file at ${path}, got something that is not a file`);
  if (stat.size < 8) {
    throw new UserError(`expected a safetensors file at ${path}, got ${stat.size} bytes; is the download complete?`);
  }
  const lengthBytes = new Uint8Array(8);
  await readFully(file, lengthBytes, 0, path);
  const length = new DataView(lengthBytes.buffer).getBigUint64(0, true);
  const limit = Math.min(MAX_HEADER_BYTES, stat.size - 8);
  if (length > BigInt(limit)) {
    throw new UserError(
      `expected a header of at most ${limit} bytes in ${path}, got a length of ${length}; ` +
        "it is no safetensors file or was cut",
    );
  }
  const bytes = new Uint8Array(Number(length));
  await readFully(file, bytes, 8, path);
  if (bytes[0] !== 0x7b) {
    throw new UserError(`expected the header of ${path} to start with "{"; it is no safetensors file`);
  }
  checkJsonShape(bytes, `the header of ${path}`, { maxDepth: 3 });
  const parsed = parseJson(bytes, path);
  if (!isRecord(parsed)) throw new UserError(`expected the header of ${path} to be an object, got ${shown(parsed)}`);
  return parseHeader(parsed, 8 + Number(length), stat.size, path);
}

function parseHeader(header: Record<string, unknown>, dataBegin: number, fileSize: number, path: string): Header {
  const metadata: Record<string, string> = {};
  const places: PlacedTensor[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name !== "__metadata__") {
      places.push(parseEntry(name, entry, dataBegin, fileSize, path));
      continue;
    }
    if (!isRecord(entry)) throw new UserError(`expected __metadata__ of ${path} to be an object, got ${shown(entry)}`);
    for (const [key, value] of Object.entries(entry)) {
      if (typeof value !== "string") {
        throw new UserError(`expected __metadata__.${key} of ${path} to be text, got ${shown(value)}`);
      }
      metadata[key] = value;
    }
  }
  places.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = dataBegin;
  for (const { name, begin, end } of places) {
    if (begin !== covered) {
      throw new UserError(
        `expected tensor ${shown(name)} of ${path} to begin at data offset ${covered - dataBegin}, ` +
          `where the one before it ends, got ${begin - dataBegin}; tensors may neither overlap nor leave gaps`,
      );
    }
    covered = end;
  }
  if (covered !== fileSize) {
    throw new UserError(`expected the tensors of ${path} to fill it to its end at byte ${fileSize}, got ${covered}`);
  }
  return { tensors: new Map(places.map((place) => [place.name, place])), metadata };
}

function parseEntry(name: string, entry: unknown, dataBegin: number, fileSize: number, path: string): PlacedTensor {
  const fail = (expected: string, got: unknown): never => {
    throw new UserError(`expected ${expected} for tensor ${shown(name)} of ${path}, got ${shown(got)}`);
  };
  if (!isRecord(entry)) return fail("an object", entry);
  const { dtype, shape, data_offsets: offsets } = entry as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
  if (typeof dtype !== "string" || !isKnownDtype(dtype))
    return fail(`a dtype among ${Object.keys(ELEMENT_BYTES).join(", ")}`, dtype);
  if (!isSizes(shape) || shape.length > MAX_DIMENSIONS)
    return fail(`a shape of at most ${MAX_DIMENSIONS} whole numbers`, shape);
  if (!isSizes(offsets) || offsets.length !== 2) return fail("data_offsets of two whole numbers", offsets);
  const [first, last] = offsets;
  const begin = dataBegin + first;
  const end = dataBegin + last;
  if (first > last || end > fileSize)
    return fail(`data_offsets within the file's ${fileSize - dataBegin} data bytes`, offsets);
  // A product beyond 2^53 is inexact, but then it also exceeds any file, and the comparison fails as it should.
  const bytes = elementCount(shape) * ELEMENT_BYTES[dtype];
  if (bytes !== last - first) return fail(`${bytes} bytes (${dtype} ${JSON.stringify(shape)})`, last - first);
  return { name, dtype, shape, begin, end };
}

function isKnownDtype(dtype: string): dtype is SafetensorsDtype {
  return Object.hasOwn(ELEMENT_BYTES, dtype);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

export interface TensorToWrite {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major, in one piece or several that follow one another; as many as the shape says in all. */
  readonly values: Float32Array | readonly Float32Array[];
}

export interface WriteOptions {
  /** F32 (the default), or rounded to nearest, ties to even. */
  readonly dtype?: "F32" | "BF16" | "F16";
  /** Free text of the file; `{ format: "pt" }` is what transformers asks for. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes tensors sorted by name, so that equal input gives equal bytes, and replaces the file whole (see
 * `replaceFile`). Memory: one block for the conversion, nothing per tensor.
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<TensorToWrite>,
  options: WriteOptions = {},
): Promise<void> {
  const dtype = options.dtype ?? "F32";
  const sorted = [...tensors]
    .map(({ name, shape, values }) => ({ name, shape, pieces: values instanceof Float32Array ? [values] : values }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  // Entries, not an object literal: a plain object would reorder names that look like whole numbers.
  const entries: [string, unknown][] = options.metadata === undefined ? [] : [["__metadata__", options.metadata]];
  let offset = 0;
  let previous = "__metadata__";
  for (const { name, shape, pieces } of sorted) {
    const count = pieces.reduce((sum, { length }) => sum + length, 0);
    if (name === previous || name === "__metadata__") throw new Error(`two tensors named ${shown(name)} for ${path}`);
    if (elementCount(shape) !== count) {
      throw new Error(`tensor ${shown(name)} for ${path} has shape ${JSON.stringify(shape)} but ${count} values`);
    }
    const end = offset + count * ELEMENT_BYTES[dtype];
    entries.push([name, { dtype, shape, data_offsets: [offset, end] }]);
    offset = end;
    previous = name;
  }
  const json = `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
  const header = new TextEncoder().encode(json);
  // Padded with spaces so that the data starts at a multiple of 8, as every writer of the format does.
  const padded = new Uint8Array(8 + Math.ceil(header.length / 8) * 8).fill(0x20);
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - 8), true);
  padded.set(header, 8);
  await replaceFile(path, async (file) => {
    await writeFully(file, padded);
    const block = new Uint16Array(dtype === "F32" ? 0 : WRITE_BLOCK);
    for (const values of sorted.flatMap(({ pieces }) => pieces)) {
      if (dtype === "F32") await writeFully(file, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      else await writeHalves(file, values, dtype, block);
    }
  });
}

/** Writes values as 16-bit floats, as many at a time as `block` holds. */
async function writeHalves(file: FileHandle, values: Float32Array, dtype: "BF16" | "F16", block: Uint16Array) {
  for (let begin = 0; begin < values.length; begin += block.length) {
    const part = values.subarray(begin, begin + block.length);
    if (dtype === "BF16") toBfloat16(part, block);
    else toFloat16(part, block);
    await writeFully(file, new Uint8Array(block.buffer, 0, 2 * part.length));
  }
}
