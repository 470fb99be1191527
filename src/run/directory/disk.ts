/**
 * The few ways in which a run changes its folder. Each leaves a defined state if the process dies inside it.
 * Everything the store writes goes through here, so that tests can stop it before any single system call.
 */

import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../../errors.js";
import { codeOf, explained } from "../../system-errors.js";

/** Called with the name of each step right before it is taken; a test throws or kills here. */
export type StepObserver = (step: string, path: string) => void;

export class Disk {
  readonly #observe: StepObserver;

  constructor(observe: StepObserver = () => {}) {
    this.#observe = observe;
  }

  /** Creates the folder and its parents, one by one. After a kill: it exists or not. */
  makeFolder(path: string): void {
    if (existsSync(path)) return;
    this.makeFolder(dirname(path));
    this.#step("mkdir", path, () => {
      try {
        mkdirSync(path);
      } catch (error) {
        // Another process made it first, as runs of one comparison may do with their common folder.
        if (codeOf(error) !== "EEXIST" || !statSync(path).isDirectory()) throw error;
      }
    });
    this.syncFolder(dirname(path));
  }

  /** Replaces the file's whole content. After a kill: the old content or the new, never a mixture. */
  replace(path: string, data: string | Uint8Array): void {
    const temporary = `${path}.tmp`;
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    try {
      const file = this.#step("open", temporary, () => openSync(temporary, "w"));
      try {
        this.#writeAll(file, temporary, bytes);
        this.#step("fsync", temporary, () => fsyncSync(file));
      } finally {
        closeSync(file);
      }
      this.move(temporary, path);
    } catch (error) {
      // A full disk should not stay filled with drafts.
      if (error instanceof UserError) rmSync(temporary, { force: true });
      throw error;
    }
  }

  /**
   * Renames a file or folder within one parent. After a kill: under the old name or the new. An existing folder at `to`
   * must be gone before.
   */
  move(from: string, to: string): void {
    this.#step("rename", to, () => renameSync(from, to));
    this.syncFolder(dirname(to));
  }

  /** Opens a file for appending, creating it. */
  openForAppend(path: string): number {
    const fresh = !existsSync(path);
    const file = this.#step("open", path, () => openSync(path, "a"));
    if (fresh) this.syncFolder(dirname(path));
    return file;
  }

  /**
   * Appends after the first `end` bytes, which are the whole file. After a kill: any part of `data` may be there; what
   * was there before is untouched. If the system refuses (a full disk), none of it is.
   */
  append(file: number, path: string, data: string, end: number): void {
    try {
      this.#writeAll(file, path, Buffer.from(data));
    } catch (error) {
      if (error instanceof UserError) ftruncateSync(file, end);
      throw error;
    }
  }

  /** Waits until an open file's content is on the disk. */
  sync(file: number, path: string): void {
    this.#step("fsync", path, () => fsyncSync(file));
  }

  /** Cuts an open file to its first `bytes`. */
  truncate(file: number, path: string, bytes: number): void {
    this.#step("truncate", path, () => ftruncateSync(file, bytes));
    this.#step("fsync", path, () => fsyncSync(file));
  }

  /**
   * Removes a file or folder; nothing happens when it is not there. After a kill: some of a folder's files may be gone.
   */
  remove(path: string): void {
    if (!existsSync(path)) return;
    this.#step("remove", path, () => rmSync(path, { recursive: true, force: true }));
  }

  /** Waits until every file under a folder, written by somebody else, is on the disk. */
  syncTree(path: string): void {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) this.syncTree(child);
      else this.#syncPath(child);
    }
    this.syncFolder(path);
  }

  /** Waits until the folder's own entries (names, not contents) are on the disk. */
  syncFolder(path: string): void {
    // Windows cannot open folders; its file systems journal names themselves.
    if (process.platform !== "win32") this.#syncPath(path);
  }

  #syncPath(path: string): void {
    const file = openSync(path, "r");
    try {
      this.#step("fsync", path, () => fsyncSync(file));
    } finally {
      closeSync(file);
    }
  }

  #writeAll(file: number, path: string, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      done += this.#step("write", path, () => writeSync(file, bytes, done));
    }
  }

  #step<T>(step: string, path: string, action: () => T): T {
    try {
      this.#observe(step, path);
      return action();
    } catch (error) {
      throw explained(error, `${step} ${path}`);
    }
  }
}
