/** Statistics by observation, as arrays of equal length. */
export interface QueueStatistics {
  /** t̃: iteration of the last update; 0 before the first. */
  readonly lastSampled: Uint32Array;
  /** Correct samples then. */
  readonly correct: Uint8Array;
  /** Samples then; 0 before the first update. */
  readonly drawn: Uint8Array;
}

/**
 * The observation queue as bytes, all numbers little-endian:
 *
 * | offset | what |
 * |---|---|
 * | 0 | `ADAQUEUE` |
 * | 8 | version, u16 |
 * | 10 | key: two bytes, 0 none, 1 t̃, 2 w̃ |
 * | 12 | CRC-32 of everything but these four bytes, u32 |
 * | 16 | N, u32 |
 * | 20 | t̃ of each observation, u32 |
 * | 20 + 4 N | correct samples of each, u8 |
 * | 20 + 5 N | samples of each, u8 |
 *
 * The heap itself is not written: its order follows from these.
 */

import { UserError } from "../errors.js";
import type { QueueKeyField } from "./methods.js";

const MAGIC = new TextEncoder().encode("ADAQUEUE");
const VERSION = 1;
const HEADER = 20;
const BYTES_PER_OBSERVATION = 6;
const CHECKSUM_AT = 12;
const KEY_CODES: readonly (QueueKeyField | undefined)[] = [undefined, "lastSampled", "winRate"];

export function writeQueue(key: readonly QueueKeyField[], statistics: QueueStatistics): Uint8Array {
  const size = statistics.lastSampled.length;
  const bytes = new Uint8Array(HEADER + BYTES_PER_OBSERVATION * size);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint16(8, VERSION, true);
  for (const [i, field] of key.entries()) bytes[10 + i] = KEY_CODES.indexOf(field);
  view.setUint32(16, size, true);
  for (let i = 0; i < size; i++) view.setUint32(HEADER + 4 * i, statistics.lastSampled[i], true);
  bytes.set(statistics.correct, HEADER + 4 * size);
  bytes.set(statistics.drawn, HEADER + 5 * size);
  view.setUint32(CHECKSUM_AT, checksum(bytes), true);
  return bytes;
}

export function readQueue(bytes: Uint8Array): {
  readonly key: readonly QueueKeyField[];
  readonly statistics: QueueStatistics;
} {
  if (bytes.length < HEADER || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw damaged(`a header that begins with ADAQUEUE, got ${bytes.length} bytes of something else`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint16(8, true);
  if (version !== VERSION) {
    throw new UserError(
      `expected observation queue format ${VERSION}, got ${version}: it was written by another version of adastar; resume with that one`,
    );
  }
  const size = view.getUint32(16, true);
  const length = HEADER + BYTES_PER_OBSERVATION * size;
  if (bytes.length !== length) throw damaged(`${length} bytes for ${size} observations, got ${bytes.length}`);
  const stored = view.getUint32(CHECKSUM_AT, true);
  const found = checksum(bytes);
  if (stored !== found) throw damaged(`checksum ${stored.toString(16)}, got ${found.toString(16)}`);

  const codes = [bytes[10], bytes[11]];
  const key = codes.map((code) => KEY_CODES[code]).filter((field) => field !== undefined);
  if (key.length === 0 || codes.some((code) => code >= KEY_CODES.length) || new Set(key).size < key.length) {
    throw damaged(`a key of 1 (last sampled) and 2 (win rate), got ${codes.join(", ")}`);
  }
  const lastSampled = new Uint32Array(size);
  for (let i = 0; i < size; i++) lastSampled[i] = view.getUint32(HEADER + 4 * i, true);
  const correct = bytes.slice(HEADER + 4 * size, HEADER + 5 * size);
  const drawn = bytes.slice(HEADER + 5 * size);
  const impossible = correct.findIndex((count, i) => count > drawn[i]);
  if (impossible >= 0) {
    throw damaged(
      `at most as many correct samples as drawn, got ${correct[impossible]} of ${drawn[impossible]} for observation ${impossible}`,
    );
  }
  return { key, statistics: { lastSampled, correct, drawn } };
}

function damaged(what: string): UserError {
  return new UserError(
    `expected an observation queue with ${what}: the file is damaged; go back to an earlier checkpoint of the run`,
  );
}

/** CRC-32 (ISO 3309) by byte, of everything but the checksum's own four bytes. */
function checksum(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (let i = 0; i < bytes.length; i++) {
    if (i >= CHECKSUM_AT && i < CHECKSUM_AT + 4) continue;
    crc = CRC_TABLE[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1;
  return crc;
});
