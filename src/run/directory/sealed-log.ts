/**
 * An append-only file of JSON lines, each sealed with a checksum of itself: `{…,"check":"9ae0f1c2"}`, where `check` is
 * the CRC-32 (eight hexadecimal digits) of the line's JSON text without that last field. Ordinary JSON Lines for every
 * other reader.
 */

import { closeSync, existsSync, readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { UserError } from "../../errors.js";
import type { Disk } from "./disk.js";

const SEAL = /^,"check":"([0-9a-f]{8})"\}$/;
const SEAL_LENGTH = ',"check":"00000000"}'.length;

/** The line, without its newline, for a non-empty object. */
export function sealed(record: object): string {
  const body = JSON.stringify(record);
  return `${body.slice(0, -1)},"check":"${checkOf(body)}"}`;
}

/** The object a line carries, or null when the line is not what `sealed` wrote. */
export function unsealed(line: string): object | null {
  return unsealedBytes(Buffer.from(line));
}

/** The same for a line as it stands in a file, without its newline. */
export function unsealedBytes(line: Buffer): object | null {
  const body = line.length - SEAL_LENGTH;
  if (body < 1) return null;
  const seal = SEAL.exec(line.toString("latin1", body));
  if (seal === null || (crc32("}", crc32(line.subarray(0, body))) >>> 0).toString(16).padStart(8, "0") !== seal[1])
    return null;
  try {
    const record: unknown = JSON.parse(`${line.toString("utf8", 0, body)}}`);
    return typeof record === "object" ? record : null;
  } catch {
    // Somebody else sealed it.
    return null;
  }
}

function checkOf(body: string): string {
  return crc32(body).toString(16).padStart(8, "0");
}

export interface SealedLines<T> {
  readonly records: T[];
  /** ends[i]: offset in bytes right after record i's newline. */
  readonly ends: number[];
}

/**
 * Reads the records of a log. A kill during an append leaves a tail without valid seals, and so does an append that is
 * not complete yet: it is left out. An invalid line with a valid one after it cannot come from a kill: UserError naming
 * file and line.
 *
 * The checksum proves that this program wrote the line. Its shape is not checked here.
 */
export function parseSealedLines<T extends object>(bytes: Buffer, path: string): SealedLines<T> {
  const records: T[] = [];
  const ends: number[] = [];
  let firstInvalid: number | null = null;
  let lineNumber = 0;
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(10, start);
    // Without its newline a line is not finished, even if its seal happens to be whole.
    if (newline < 0) break;
    lineNumber++;
    const record = unsealedBytes(bytes.subarray(start, newline));
    start = newline + 1;
    if (record === null) {
      firstInvalid ??= lineNumber;
    } else if (firstInvalid !== null) {
      throw damagedLine(path, firstInvalid, lineNumber);
    } else {
      records.push(record as T);
      ends.push(start);
    }
  }
  return { records, ends };
}

/** What is wrong with a log that has an invalid line before a whole one. */
export function damagedLine(path: string, line: number, whole: number): UserError {
  return new UserError(
    `${path}: line ${line} is damaged (expected a line ending in its own checksum) though line ${whole} after it is whole. ` +
      "Something changed the file after it was written; restore it from a copy, or start the run again in a new directory.",
  );
}

/** Reads a log without touching it; no records when the file is not there. */
export function readSealedLog<T extends object>(path: string): T[] {
  return existsSync(path) ? parseSealedLines<T>(readFileSync(path), path).records : [];
}

/**
 * A log open for appending. What a durable `append` has returned from survives any kill; a kill inside it loses at most
 * that call's records.
 */
export class SealedLog<T extends object> {
  readonly path: string;
  readonly #disk: Disk;
  readonly #file: number;
  readonly #records: T[];
  readonly #ends: number[];

  /** Opens or creates the file and cuts off a tail that a kill left half-written. */
  constructor(path: string, disk: Disk) {
    this.path = path;
    this.#disk = disk;
    const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    const { records, ends } = parseSealedLines<T>(bytes, path);
    this.#records = records;
    this.#ends = ends;
    this.#file = disk.openForAppend(path);
    const whole = ends.at(-1) ?? 0;
    if (whole < bytes.length) disk.truncate(this.#file, path, whole);
  }

  get records(): readonly T[] {
    return this.#records;
  }

  /**
   * Appends records in order, with one write and one fsync. With `durable: false` the fsync is left to `sync` or the
   * next durable append: until then a kill of the process loses nothing, but a power cut may.
   */
  append(records: readonly T[], options: { readonly durable: boolean } = { durable: true }): void {
    if (records.length === 0) return;
    const lines = records.map((record) => `${sealed(record)}\n`);
    let end = this.#ends.at(-1) ?? 0;
    this.#disk.append(this.#file, this.path, lines.join(""), end);
    if (options.durable) this.sync();
    for (const [index, line] of lines.entries()) {
      end += Buffer.byteLength(line);
      this.#ends.push(end);
      this.#records.push(records[index]);
    }
  }

  /** Waits until everything appended is on the disk. */
  sync(): void {
    this.#disk.sync(this.#file, this.path);
  }

  /** Forgets every record from index `count` on. */
  truncate(count: number): void {
    if (count >= this.#records.length) return;
    this.#disk.truncate(this.#file, this.path, count === 0 ? 0 : this.#ends[count - 1]);
    this.#records.length = count;
    this.#ends.length = count;
  }

  close(): void {
    closeSync(this.#file);
  }
}
