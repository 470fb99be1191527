/** The files of a run directory that the journal's entries vouch for, compared with what is there. Reads only. */

import { createHash } from "node:crypto";
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../errors.js";
import type { CheckpointDigest, FileDigest } from "./journal.js";
import { parseSealedLines } from "./sealed-log.js";

export const RESTORE = "Restore the file from a copy, or start the run again in a new directory.";

export class VouchedFiles {
  /** Absolute path of the run directory. */
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
  }

  /** Whether there is a file or folder of this path, relative to the run directory. */
  has(path: string): boolean {
    return existsSync(join(this.dir, path));
  }

  /** Reads a file. Throws UserError when it is no longer what was written. */
  read(digest: FileDigest): Buffer {
    const path = join(this.dir, digest.path);
    const bytes = existsSync(path) ? readFileSync(path) : null;
    if (bytes === null || bytes.length !== digest.bytes || sha256(bytes) !== digest.sha256) {
      throw new UserError(`${damage(path, digest, bytes?.length)}. ${RESTORE}`);
    }
    return bytes;
  }

  /** The records of a sealed log; as `read`. */
  readRecords<T extends object>(digest: FileDigest): T[] {
    return parseSealedLines<T>(this.read(digest), join(this.dir, digest.path)).records;
  }

  /** What is wrong with a file; null when nothing is. */
  async flawOf(digest: FileDigest): Promise<string | null> {
    const path = join(this.dir, digest.path);
    const size = existsSync(path) ? statSync(path).size : undefined;
    const same = size === digest.bytes && (await sha256OfFile(path)) === digest.sha256;
    return same ? null : damage(path, digest, size);
  }

  /** What is wrong with the first file of a checkpoint that has a flaw; null when none has. */
  async flawOfCheckpoint({ files }: CheckpointDigest): Promise<string | null> {
    for (const file of files) {
      const flaw = await this.flawOf(file);
      if (flaw !== null) return flaw;
    }
    return null;
  }
}

/** @param bytes size of the file now; undefined when it is not there */
function damage(path: string, expected: FileDigest, bytes: number | undefined): string {
  const found = bytes === undefined ? "no such file" : bytes === expected.bytes ? "other content" : `${bytes} bytes`;
  return `${path} is not what the run wrote: expected ${expected.bytes} bytes with SHA-256 ${expected.sha256.slice(0, 12)}…, got ${found}`;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
