/** What the operating system refuses, turned into advice. */

import { messageOf, UserError } from "./errors.js";

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full: free some space, then go on",
  EDQUOT: "the disk quota is used up: free some space, then go on",
  EFBIG:
    "the file would be larger than the file system or a limit (ulimit -f) allows: raise it, or choose another folder",
  EROFS: "the file system is read-only: choose another folder",
  EACCES: "permission was denied: choose a folder you may write to",
  EPERM: "permission was denied: choose a folder you may write to",
  EMFILE: "too many open files: raise the limit (ulimit -n)",
  ENOMEM: "the machine is out of memory: close other programs, then go on",
};

/** The error of a system call by its code (`ENOENT`, …), else undefined. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/**
 * A UserError that says what to do, for what the user can fix; every other error stays as it is. `action` completes
 * "cannot …".
 */
export function explained(error: unknown, action: string): unknown {
  const remedy = REMEDIES[codeOf(error) ?? ""];
  return remedy === undefined ? error : new UserError(`cannot ${action}: ${remedy} (${messageOf(error)})`);
}

/** How the JavaScript engine, and the C++ runtime below ONNX Runtime, say that memory could not be had. */
const OUT_OF_MEMORY = /bad_alloc|failed to allocate|allocation failed|out of memory|invalid typed array length/i;

/** A UserError with the settings to lower when memory ran out; every other error stays as it is. */
export function explainedMemory(error: unknown, action: string, remedy: string): unknown {
  const text = messageOf(error);
  if (error instanceof UserError || !(codeOf(error) === "ENOMEM" || OUT_OF_MEMORY.test(text))) return error;
  return new UserError(`${action} ran out of memory: ${remedy} (${text})`);
}
