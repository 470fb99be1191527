/** What git says of a study's file. */

import { execFileSync } from "node:child_process";
import { basename, dirname } from "node:path";
import { UserError } from "../../errors.js";

export interface Commit {
  readonly hash: string;
  /** ISO 8601. */
  readonly time: string;
}

/** The last commit that changed the file. Throws UserError when the file is not committed as it is. */
export function commitOf(file: string): Commit {
  const changed = git(file, ["status", "--porcelain", "--", basename(file)]);
  if (changed === null) {
    throw new UserError(
      `${file}: expected a file in a git repository, so that the study can be fixed before its runs. ${PILOT}`,
    );
  }
  const line = changed === "" ? git(file, ["log", "-1", "--format=%H %cI", "--", basename(file)]) : "";
  if (!line)
    throw new UserError(`${file}: expected to be committed before its first run, got changes that are not. ${PILOT}`);
  const [hash, time] = line.split(" ");
  return { hash, time };
}

const PILOT = "Commit it, or use --pilot for runs that count for nothing";

/** Whether the commit has exactly this text of the file. */
export function commitHas(file: string, { hash }: Commit, content: string): boolean {
  return git(file, ["show", `${hash}:./${basename(file)}`]) === content.trim();
}

/** The repository's head and whether tracked files differ from it; null without git. */
export function headOf(file: string): { readonly head: string; readonly changed: boolean } | null {
  const head = git(file, ["rev-parse", "HEAD"]);
  const status = git(file, ["status", "--porcelain", "--untracked-files=no"]);
  return head === null || status === null ? null : { head, changed: status !== "" };
}

/** Output of a git command in the file's folder; null where git or a repository is missing. */
function git(file: string, args: readonly string[]): string | null {
  try {
    return execFileSync("git", args, {
      cwd: dirname(file),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return null;
  }
}
