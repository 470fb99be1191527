/**
 * The observation queue as bytes, all numbers little-endian:
 *
 * | offset | what |
 * |---|---|
 * | 0 | `ADAQUEUE` |
 * | 8 | version 2, u16 |
 * | 10 | key: two bytes, 0 none, 1 t̃, 2 w̃ |
 * | 12 | CRC-32 of everything but these four bytes, u32 |
 * | 16 | N, u32 |
 * | 20 | ties: 0 by index, 1 by rank, u8 |
 * | 21 | whether visits are recorded: 0 or 1, u8 |
 * | 22 | 0, u16 |
 * | 24 | seed of the rank, u64; 0 by index |
 * | 32 | t̃ of each observation, u32, in the order of rank (observation-queue.ts) or index |
 * | 32 + 4 N | correct samples of each, u8, in the same order |
 * | 32 + 5 N | samples of each, u8, in the same order |
 * | 32 + 6 N | whether each was ever visited, a bit each, lowest first, by index; only where visits are recorded |
 *
 * Version 1 has the three columns at 20, ties by index and no visits. Queues that say no more are still written so: a
 * run begun before version 2 keeps its files to the byte. The heap itself is not written, because its order follows
 * from these.
 *
 * The checksum names damage at once and without a journal; in a run directory the journal's SHA-256 protects the file
 * as well.
 */

import { crc32 } from "node:zlib";
import { UserError } from "../errors.js";
import type { QueueKeyField } from "./methods.js";

/** Statistics of all observations, as arrays of equal length, by rank where a rank decides ties and else by index. */
export interface QueueStatistics {
  /** t̃: iteration of the last update; 0 before the first. */
  readonly lastSampled: Uint32Array;
  /** Correct samples then. */
  readonly correct: Uint8Array;
  /** Samples then; 0 before the first update. */
  readonly drawn: Uint8Array;
}

export interface QueueState {
  readonly key: readonly QueueKeyField[];
  /** Seed of the rank that decides among equal keys; null where the index does. */
  readonly tieSeed: number | null;
  readonly statistics: QueueStatistics;
  /** Bit i % 8 of byte ⌊i / 8⌋: whether observation i was ever visited. Null where visits are not recorded. */
  readonly visited: Uint8Array | null;
}

const MAGIC = new TextEncoder().encode("ADAQUEUE");
const CHECKSUM_AT = 12;
const CHECKSUM_END = 16;
const HEADER = { 1: 20, 2: 32 } as const;
const BYTES_PER_OBSERVATION = 6;
const KEY_CODES: readonly (QueueKeyField | undefined)[] = [undefined, "lastSampled", "winRate"];

export function writeQueue({ key, tieSeed, statistics, visited }: QueueState): Uint8Array {
  const size = statistics.lastSampled.length;
  const version = tieSeed === null && visited === null ? 1 : 2;
  const header = HEADER[version];
  const bytes = new Uint8Array(header + BYTES_PER_OBSERVATION * size + (visited?.length ?? 0));
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint16(8, version, true);
  for (const [i, field] of key.entries()) bytes[10 + i] = KEY_CODES.indexOf(field);
  view.setUint32(16, size, true);
  if (version === 2) {
    bytes[20] = tieSeed === null ? 0 : 1;
    bytes[21] = visited === null ? 0 : 1;
    view.setBigUint64(24, BigInt(tieSeed ?? 0), true);
  }
  for (let i = 0; i < size; i++) view.setUint32(header + 4 * i, statistics.lastSampled[i], true);
  bytes.set(statistics.correct, header + 4 * size);
  bytes.set(statistics.drawn, header + 5 * size);
  if (visited !== null) bytes.set(visited, header + BYTES_PER_OBSERVATION * size);
  view.setUint32(CHECKSUM_AT, checksum(bytes), true);
  return bytes;
}

/** Reads what `writeQueue` wrote. Throws UserError if the bytes are not a queue, or not as they were written. */
export function readQueue(bytes: Uint8Array): QueueState {
  if (bytes.length < HEADER[1] || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw damaged(`a header that begins with ADAQUEUE, got ${bytes.length} bytes of something else`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint16(8, true);
  if (version !== 1 && version !== 2) {
    throw new UserError(
      `expected observation queue format 1 or 2, got ${version}: another version of adastar wrote it; resume with that one`,
    );
  }
  if (bytes.length < HEADER[version]) throw damaged(`a header of ${HEADER[version]} bytes, got ${bytes.length} bytes`);
  const size = view.getUint32(16, true);
  const recordsVisits = version === 2 && bytes[21] === 1;
  const columnsEnd = HEADER[version] + BYTES_PER_OBSERVATION * size;
  const length = columnsEnd + (recordsVisits ? bytesOfBits(size) : 0);
  if (bytes.length !== length) throw damaged(`${length} bytes for ${size} observations, got ${bytes.length}`);
  const stored = view.getUint32(CHECKSUM_AT, true);
  const found = checksum(bytes);
  if (stored !== found) throw damaged(`checksum ${stored.toString(16)}, got ${found.toString(16)}`);
  return {
    key: readKey(bytes),
    tieSeed: version === 2 && bytes[20] === 1 ? readSeed(view) : null,
    statistics: readStatistics(bytes, view, HEADER[version], size),
    visited: recordsVisits ? bytes.slice(columnsEnd) : null,
  };
}

/** Bytes that hold so many bits. */
export function bytesOfBits(bits: number): number {
  return Math.ceil(bits / 8);
}

function readKey(bytes: Uint8Array): QueueKeyField[] {
  const codes = [bytes[10], bytes[11]];
  const key = codes.map((code) => KEY_CODES[code]).filter((field) => field !== undefined);
  if (key.length === 0 || codes.some((code) => code >= KEY_CODES.length) || new Set(key).size < key.length) {
    throw damaged(`a key of 1 (last sampled) and 2 (win rate), got ${codes.join(", ")}`);
  }
  return key;
}

function readSeed(view: DataView): number {
  const seed = Number(view.getBigUint64(24, true));
  if (!Number.isSafeInteger(seed)) throw damaged(`a seed below 2^53, got ${seed}`);
  return seed;
}

function readStatistics(bytes: Uint8Array, view: DataView, from: number, size: number): QueueStatistics {
  const lastSampled = new Uint32Array(size);
  for (let i = 0; i < size; i++) lastSampled[i] = view.getUint32(from + 4 * i, true);
  const correct = bytes.slice(from + 4 * size, from + 5 * size);
  const drawn = bytes.slice(from + 5 * size, from + 6 * size);
  const impossible = correct.findIndex((count, i) => count > drawn[i]);
  if (impossible >= 0) {
    throw damaged(
      `at most as many correct samples as drawn, got ${correct[impossible]} of ${drawn[impossible]} for ${impossible + 1} of ${size}`,
    );
  }
  return { lastSampled, correct, drawn };
}

function damaged(what: string): UserError {
  return new UserError(
    `expected an observation queue with ${what}: the file is damaged; go back to an earlier checkpoint of the run`,
  );
}

/** CRC-32 (ISO 3309) of everything but the checksum's own four bytes. */
function checksum(bytes: Uint8Array): number {
  return crc32(bytes.subarray(CHECKSUM_END), crc32(bytes.subarray(0, CHECKSUM_AT)));
}
