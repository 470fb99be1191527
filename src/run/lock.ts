/** One writer per run directory: a lock file that names its owner, and is taken over when that owner is no more. */

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { UserError } from "../errors.js";
import { explained } from "./disk.js";

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** What tells this process from a later one with the same pid: its start in clock ticks since boot (Linux); null where unknown. */
  readonly startTicks: string | null;
  /** When the lock was taken, for the reader of a refusal. */
  readonly since: string;
}

/** Takes the lock at `path` and returns the function that releases it. Throws UserError when a living process holds it. */
export function takeLock(path: string): () => void {
  const mine: Owner = {
    pid: process.pid,
    host: hostname(),
    startTicks: startTicksOf(process.pid),
    since: new Date().toISOString(),
  };
  const content = JSON.stringify(mine);
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, content);
    // A link appears under its new name at once and with its content, and fails if the name is taken.
    while (!linked(draft, path)) displaceStaleLock(path);
  } catch (error) {
    throw explained(error, "lock", path);
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
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

function displaceStaleLock(path: string): void {
  const seen = readLock(path);
  if (seen === null) return;
  const owner = parseOwner(seen);
  if (owner !== null && isAlive(owner)) throw refusal(path, owner);
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
    throw error;
  }
  // Between reading and renaming, another process may have taken the stale lock over: then its lock goes back.
  const moved = readLock(aside);
  if (moved !== seen) linked(aside, path);
  rmSync(aside, { force: true });
}

function refusal(path: string, owner: Owner): UserError {
  return new UserError(
    `expected a run directory that no other process writes to, got ${path} held by process ${owner.pid} on ${owner.host} since ${owner.since}. ` +
      "Wait for it or stop it; if that process surely no longer exists, delete the lock file.",
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

function isAlive(owner: Owner): boolean {
  // Another machine's processes cannot be seen from here, so its lock is believed.
  if (owner.host !== hostname()) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return false;
  }
  return owner.startTicks === null || owner.startTicks === startTicksOf(owner.pid);
}

/** Field 22 of /proc/<pid>/stat; the command in field 2 may hold spaces and parentheses, so fields are counted behind its last `)`. */
function startTicksOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}
