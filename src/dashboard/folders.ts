/**
 * Finds runs under RUNS_DIR and opens them. Nothing outside RUNS_DIR is ever read: a run, or a file of one, that a link
 * leads out of it is refused, and so is anything that is not a regular file (reading a pipe would wait forever).
 */

import { type Dirent, existsSync, lstatSync, readdirSync, realpathSync, statSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { shown, UserError } from "../errors.js";
import type { JournalEntry } from "../run/directory/journal.js";
import { isRun } from "../run/directory/reader.js";

/** Folders between RUNS_DIR and a run, at most: a comparison keeps its runs in OUT/runs. */
const MAX_DEPTH = 3;
const MAX_RUNS = 5_000;
/** Folders that are looked into, at most, so that a RUNS_DIR such as / costs no minutes. */
const MAX_FOLDERS = 20_000;
/** Files that are read whole at once are small in every run. */
const MAX_WHOLE_FILE = 16 << 20;
const WHOLE_FILES: ReadonlySet<string> = new Set(["config.yaml", "progress.json", "lock"]);

export interface FoundRun {
  /** Its path below RUNS_DIR with forward slashes; "." for RUNS_DIR itself. */
  readonly id: string;
  readonly dir: string;
}

/** Every run under `root`, in the order of their names. None where `root` does not exist yet. */
export function findRuns(root: string): FoundRun[] {
  if (!existsSync(root)) return [];
  if (isRun(root)) return [{ id: ".", dir: root }];
  const found: FoundRun[] = [];
  let looked = 0;
  const look = (folder: string, depth: number): void => {
    for (const entry of entriesOf(folder)) {
      if (found.length >= MAX_RUNS || ++looked > MAX_FOLDERS) return;
      const dir = join(folder, entry.name);
      if (!isFolder(entry, dir, root)) continue;
      if (isRun(dir)) found.push({ id: relative(root, dir).split(sep).join("/"), dir });
      else if (depth < MAX_DEPTH && !entry.isSymbolicLink()) look(dir, depth + 1);
    }
  };
  look(root, 1);
  return found;
}

/** The folder of a run by its id. Throws UserError where there is none within `root`. */
export function runFolder(root: string, id: string): string {
  const dir = resolve(root, id);
  const inside = id !== "" && !id.includes("\0") && !isAbsolute(id) && !id.split(/[\\/]/).includes("..");
  if (!inside || !existsSync(dir) || !staysInside(root, dir) || !isRun(dir)) {
    throw new UserError(`expected a run below ${root}, got ${shown(id)}`);
  }
  return dir;
}

/** Throws UserError where a file of the run is a link out of `root`, no regular file, or far too large. */
export function checkFiles(root: string, dir: string): void {
  for (const entry of entriesOf(dir)) {
    // Checkpoints are never read here.
    if (entry.name === "checkpoints" || entry.name === "base") continue;
    if (entry.name === "iterations") checkIterations(root, join(dir, entry.name));
    else if (!entry.isDirectory()) checkFile(root, join(dir, entry.name), WHOLE_FILES.has(entry.name));
  }
}

function checkIterations(root: string, folder: string): void {
  if (!staysInside(root, folder)) throw outside(folder);
  for (const iteration of entriesOf(folder)) {
    const path = join(folder, iteration.name);
    if (!staysInside(root, path)) throw outside(path);
    for (const file of entriesOf(path)) if (!file.isDirectory()) checkFile(root, join(path, file.name), false);
  }
}

function checkFile(root: string, path: string, whole: boolean): void {
  if (lstatSync(path).isSymbolicLink() && !staysInside(root, path)) throw outside(path);
  const stats = statSync(path);
  if (!stats.isFile()) throw new UserError(`expected a regular file, got something else: ${path}. Remove it.`);
  if (whole && stats.size > MAX_WHOLE_FILE) {
    throw new UserError(`expected a file of at most ${MAX_WHOLE_FILE} bytes, got ${stats.size}: ${path}`);
  }
}

/** Throws UserError where the journal names a file that is outside the run's own folder. */
export function checkNamedFiles(entries: readonly JournalEntry[]): void {
  for (const entry of entries) {
    const named = entry.kind === "visited" ? entry.kept : entry.kind === "committed" ? entry.queue : null;
    if (named === null) continue;
    if (isAbsolute(named.path) || named.path.split(/[\\/]/).includes("..")) {
      throw new UserError(`the journal names a file outside of the run: ${shown(named.path)}`);
    }
  }
}

function outside(path: string): UserError {
  return new UserError(`${path} is a link that leads out of the folder of runs, so it is not read`);
}

/** Whether a path, all links followed, lies in `root`. */
function staysInside(root: string, path: string): boolean {
  try {
    const way = relative(realpathSync(root), realpathSync(path));
    return way === "" || !(way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way));
  } catch {
    return false;
  }
}

function isFolder(entry: Dirent, path: string, root: string): boolean {
  if (entry.isDirectory()) return true;
  return entry.isSymbolicLink() && staysInside(root, path) && statSync(path).isDirectory();
}

/** Entries of a folder by name; none where it cannot be read. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}
