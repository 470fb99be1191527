/**
 * One writer per run directory: a lock file that names its owner. It is taken over if that process no longer exists.
 */

import { linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { UserError } from "../../errors.js";
import { codeOf, explained } from "../../system-errors.js";

export interface Owner {
  readonly pid: number;
  readonly host: string;
  /**
   * Distinguishes this process from a later one with the same pid: its start in clock ticks since boot (Linux); null
   * where unknown.
   */
  readonly startTicks: string | null;
  /** When the lock was taken, for the reader of a refusal. */
  readonly since: string;
}

/** A killed process can linger. Wait this long before concluding that the owner is alive. */
const PATIENCE_MS = 2000;

/**
 * Takes the lock at `path` and returns the function that releases it. Throws UserError when a living process holds it.
 * @param onStale called with the owner of a lock that is taken over because that process no longer exists
 */
export function takeLock(path: string, onStale: (owner: Owner) => void = () => {}): () => void {
  const mine: Owner = {
    pid: process.pid,
    host: hostname(),
    startTicks: statOf(process.pid)?.startTicks ?? null,
    since: new Date().toISOString(),
  };
  const content = JSON.stringify(mine);
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, content);
    // A link appears under its new name at once and with its content, and fails if the name is taken.
    const deadline = Date.now() + PATIENCE_MS;
    while (!linked(draft, path)) displaceStaleLock(path, onStale, deadline);
    sweep(path);
  } catch (error) {
    throw explained(error, `lock ${path}`);
  } finally {
    rmSync(draft, { force: true });
  }
  return () => {
    if (readLock(path) === content) rmSync(path, { force: true });
  };
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

function displaceStaleLock(path: string, onStale: (owner: Owner) => void, deadline: number): void {
  const seen = readLock(path);
  if (seen === null) return;
  const owner = parseOwner(seen);
  if (owner !== null && isAlive(owner)) {
    if (Date.now() >= deadline) throw refusal(path, owner);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    return;
  }
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  // Between reading and renaming, another process may have taken the stale lock over: then its lock goes back.
  const moved = readLock(aside);
  if (moved !== seen) linked(aside, path);
  else if (owner !== null) onStale(owner);
  rmSync(aside, { force: true });
}

/** Removes files that processes left when they were killed while taking the lock; their names end in a process id. */
function sweep(path: string): void {
  const prefix = `${basename(path)}.`;
  for (const name of readdirSync(dirname(path))) {
    const pid = Number(/\.(\d+)$/.exec(name)?.[1]);
    if (!name.startsWith(prefix) || !Number.isSafeInteger(pid) || pid === process.pid) continue;
    const left = join(dirname(path), name);
    const elsewhere = (parseOwner(readLock(left) ?? "")?.host ?? hostname()) !== hostname();
    if (!elsewhere && !isRunning(pid)) rmSync(left, { force: true });
  }
}

function refusal(path: string, owner: Owner): UserError {
  return new UserError(
    `expected a run directory that no other process writes to, got ${path} held by process ${owner.pid} on ${owner.host} since ${owner.since}. ` +
      "Wait for it or stop it; if you are sure that it no longer exists, delete the lock file.",
  );
}

function readLock(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function parseOwner(content: string): Owner | null {
  try {
    const owner = JSON.parse(content) as Partial<Owner> | null;
    if (owner === null || typeof owner.pid !== "number" || typeof owner.host !== "string") return null;
    return {
      pid: owner.pid,
      host: owner.host,
      startTicks: typeof owner.startTicks === "string" ? owner.startTicks : null,
      since: String(owner.since),
    };
  } catch {
    return null;
  }
}

/** Who holds the lock at `path`, and whether that process lives; null when nobody does. Reads only. */
export function lockOwner(path: string): { readonly owner: Owner; readonly alive: boolean } | null {
  const owner = parseOwner(readLock(path) ?? "");
  return owner === null ? null : { owner, alive: isAlive(owner) };
}

function isAlive(owner: Owner): boolean {
  // Processes of another machine cannot be seen from here, so its lock counts as held.
  if (owner.host !== hostname()) return true;
  return isRunning(owner.pid) && (owner.startTicks === null || owner.startTicks === statOf(owner.pid)?.startTicks);
}

/** Whether a process of this id runs on this machine. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    if (codeOf(error) !== "EPERM") return false;
  }
  // A zombie has ended. It only waits for its parent, which in a container may never collect it.
  return !ENDED_STATES.has(statOf(pid)?.state ?? "");
}

const ENDED_STATES: ReadonlySet<string> = new Set(["Z", "X"]);

/**
 * State and start of a process from /proc/<pid>/stat (fields 3 and 22); null where there is none. The command in field
 * 2 may hold spaces and parentheses, so fields are counted after its last `)`.
 */
function statOf(pid: number): { readonly state: string; readonly startTicks: string } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0], startTicks: fields[19] };
  } catch {
    return null;
  }
}
