/**
 * Reading a sealed log (sealed-log.ts) while it is written: from where the last look ended, a bounded chunk at a time,
 * without a lock.
 *
 * - A last line that is not whole yet stays unread until it is.
 * - A resumed run may cut a log back and write other lines in their place. The bytes right before the place that
 *   reading continues at show whether what was read still stands. Where it does not, reading starts over.
 * - An invalid line with a valid one after it is damage. It is reported only if a second look finds it too, since a
 *   writer may cut and extend the file between two system calls of a reader.
 */

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";
import { messageOf, UserError } from "../../errors.js";
import { codeOf, explained } from "../../system-errors.js";
import { damagedLine, unsealedBytes } from "./sealed-log.js";

const NEWLINE = 10;
/** Bytes that one call reads, but for longer lines. */
const CHUNK = 1 << 20;
const MAX_LINE = 1 << 26;
/**
 * Bytes before the place of reading that must still be as they were. Resuming cuts off at most a wave of samples, or
 * some steps.
 */
const GUARD = 1 << 16;

export interface TailLine {
  readonly record: object;
  /** From 1. */
  readonly number: number;
  /** Offsets in bytes: of the line's first byte, and right after its newline. */
  readonly start: number;
  readonly end: number;
}

export interface TailChunk {
  /** What was read before no longer stands; these lines are the file's first. */
  readonly restarted: boolean;
  readonly lines: readonly TailLine[];
  /** There may be more to read right now. */
  readonly more: boolean;
}

interface Guard {
  readonly from: number;
  readonly crc: number;
}

export class SealedTail {
  readonly path: string;
  /** End of the last whole line that was read, and how many there were. */
  #offset = 0;
  #lines = 0;
  #guard: Guard = { from: 0, crc: 0 };
  /** The file's identity, size and time of change when all that is whole in it was read. */
  #seen = "";
  /** Offset of a line that looked damaged once. */
  #suspect: number | null = null;

  constructor(path: string) {
    this.path = path;
  }

  /** Reads on by one chunk. Throws UserError where the file is damaged or the system refuses to read it. */
  read(): TailChunk {
    const file = this.#open();
    if (file === null) return this.#startOver(false);
    try {
      const { size, mtimeNs, ino } = fstatSync(file, { bigint: true });
      const stamp = `${ino} ${size} ${mtimeNs}`;
      if (stamp === this.#seen) return { restarted: false, lines: [], more: false };
      const stands = Number(size) >= this.#offset && this.#guardOf(file, this.#offset).crc === this.#guard.crc;
      if (!stands) return this.#startOver(true);
      return this.#readOn(file, stamp);
    } catch (error) {
      throw unreadable(error, this.path);
    } finally {
      closeSync(file);
    }
  }

  #open(): number | null {
    try {
      return openSync(this.path, "r");
    } catch (error) {
      if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return null;
      throw unreadable(error, this.path);
    }
  }

  #startOver(more: boolean): TailChunk {
    const restarted = this.#lines > 0;
    this.#offset = 0;
    this.#lines = 0;
    this.#guard = { from: 0, crc: 0 };
    this.#seen = "";
    return { restarted, lines: [], more };
  }

  #readOn(file: number, stamp: string): TailChunk {
    const bytes = this.#chunk(file);
    const lines: TailLine[] = [];
    let at = 0;
    let torn = false;
    for (let newline = bytes.indexOf(NEWLINE, at); newline >= 0; newline = bytes.indexOf(NEWLINE, at)) {
      const record = unsealedBytes(bytes.subarray(at, newline));
      if (record === null) {
        torn = true;
        break;
      }
      const start = this.#offset + at;
      at = newline + 1;
      lines.push({ record, number: this.#lines + lines.length + 1, start, end: this.#offset + at });
    }
    this.#offset += at;
    this.#lines += lines.length;
    this.#guard = this.#guardOf(file, this.#offset);
    if (torn) {
      const whole = wholeLineAfter(file, this.#offset);
      if (whole > 0) return this.#damaged(whole);
    }
    const more = !torn && lines.length > 0;
    if (!more) this.#seen = stamp;
    return { restarted: false, lines, more };
  }

  /** Bytes from the present place on: a chunk, or a longer line. */
  #chunk(file: number): Buffer {
    for (let length = CHUNK; ; length *= 2) {
      const bytes = readAt(file, this.#offset, length);
      if (bytes.length < length || bytes.includes(NEWLINE)) return bytes;
      if (length >= MAX_LINE) {
        throw new UserError(
          `${this.path}: expected lines of at most ${MAX_LINE} bytes, got a longer one on line ${this.#lines + 1}. ` +
            "The file is not what the run wrote; restore it from a copy.",
        );
      }
    }
  }

  /** @param whole how many lines after the damaged one the next whole line is */
  #damaged(whole: number): TailChunk {
    if (this.#suspect === this.#offset) throw damagedLine(this.path, this.#lines + 1, this.#lines + 1 + whole);
    this.#suspect = this.#offset;
    // Lines of this call are given again, with all before them.
    const chunk = this.#startOver(true);
    return { ...chunk, restarted: true };
  }

  #guardOf(file: number, end: number): Guard {
    const from = Math.max(0, end - GUARD);
    return { from, crc: crc32(readAt(file, from, end - from)) };
  }
}

/**
 * All that is whole in a log now, one record after another, with one chunk in memory at a time. None where there is no
 * such file.
 */
export function* readSealed(path: string): Generator<TailLine> {
  const tail = new SealedTail(path);
  let given = 0;
  for (let more = true; more; ) {
    const chunk = tail.read();
    more = chunk.more;
    // After a second look at what seemed damaged, the lines come again.
    for (const line of chunk.lines) {
      if (line.number <= given) continue;
      given = line.number;
      yield line;
    }
  }
}

/** How many lines after the invalid line at `start` a whole line follows; 0 if none does. */
function wholeLineAfter(file: number, start: number): number {
  let number = -1;
  let rest: Buffer = Buffer.alloc(0);
  for (let from = start; ; ) {
    const bytes = readAt(file, from, CHUNK);
    if (bytes.length === 0) return 0;
    from += bytes.length;
    const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    let at = 0;
    for (let newline = all.indexOf(NEWLINE); newline >= 0; newline = all.indexOf(NEWLINE, at)) {
      number++;
      if (unsealedBytes(all.subarray(at, newline)) !== null) return number;
      at = newline + 1;
    }
    // What is longer than any line is not one; its end is skipped to.
    rest = all.length - at > MAX_LINE ? Buffer.alloc(0) : all.subarray(at);
  }
}

/** Up to `length` bytes from an offset; fewer at the file's end. */
function readAt(file: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const read = readSync(file, bytes, done, length - done, offset + done);
    if (read === 0) break;
    done += read;
  }
  return bytes.subarray(0, done);
}

/** Whatever the system says of a file that is only read is for the user to fix. */
function unreadable(error: unknown, path: string): unknown {
  const known = explained(error, `read ${path}`);
  if (known instanceof UserError || codeOf(error) === undefined) return known;
  return new UserError(`cannot read ${path}: ${messageOf(error)}`);
}
