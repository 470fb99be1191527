/** The two ways in which checkpoint folders are touched: JSON in, and files replaced whole. */
import { randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf, UserError } from "../errors.js";
import { codeOf, explained } from "../system-errors.js";

/** Bytes per system call: above this, one call would have to be split anyway (Linux moves at most 2 GiB at once). */
const CHUNK = 1 << 26;

/** The file's bytes, or null when there is no such file. */
export async function readIfPresent(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw new UserError(`expected a readable file at ${path}, got: ${messageOf(error)}`);
  }
}

/** Parses UTF-8 JSON; throws UserError naming `path` when it is not JSON. */
export function parseJson(bytes: Uint8Array, path: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new UserError(`expected JSON in ${path}, got: ${messageOf(error)}`);
  }
}

/** Whether a JSON value is an object (not a list, not null). */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Opens a file for reading; throws UserError when that fails. */
export async function openToRead(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    throw new UserError(`expected a readable file at ${path}, got: ${messageOf(error)}`);
  }
}

/** Fills `target` from `position` on. Throws UserError when the file ends before. */
export async function readFully(file: FileHandle, target: Uint8Array, position: number, path: string): Promise<void> {
  for (let done = 0; done < target.byteLength; ) {
    const { bytesRead } = await file.read(target, done, Math.min(CHUNK, target.byteLength - done), position + done);
    if (bytesRead === 0) {
      throw new UserError(
        `expected ${target.byteLength} bytes at offset ${position} of ${path}, got ${done}: the file was cut`,
      );
    }
    done += bytesRead;
  }
}

/** Writes all of `bytes` at the file's present position. */
export async function writeFully(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    done += (await file.write(bytes, done, Math.min(CHUNK, bytes.byteLength - done))).bytesWritten;
  }
}

/**
 * Replaces a file's content: `write` fills a temporary file in the same folder, which is made durable and renamed over
 * `path`. After a crash at any instant `path` holds its old content or the new one, whole. Creates the folder. Throws
 * UserError when the system refuses (a full disk, no permission); the old content is there then and the temporary file
 * is not.
 */
export async function replaceFile(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    const file = await open(temporary, "wx");
    try {
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    const advised = explained(error, `write ${path}`);
    if (advised !== error || codeOf(error) === undefined) throw advised;
    throw new UserError(`expected to write ${path}, got: ${messageOf(error)}`);
  }
}

/** Makes renames and removals in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
