/**
 * When and under which commits a study was run: study.json beside its runs. Every session that starts runs is written
 * down before the first of them begins.
 */

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { messageOf, UserError } from "../../errors.js";
import type { Commit } from "./commits.js";
import { parseStudy, type Study, type StudyPlan } from "./study-file.js";

const session = z.object({
  /** ISO 8601. */
  time: z.string(),
  /** Commit of the study's file, and what the file was then. */
  commit: z.object({ hash: z.string(), time: z.string() }),
  digest: z.string(),
  content: z.string(),
  /** The code that ran: the program's version, and the repository's head where the study lies in one. */
  version: z.string(),
  head: z.string().nullable(),
  changed: z.boolean(),
});

const schema = z.object({ format: z.literal(1), sessions: z.array(session) });

export type Session = z.infer<typeof session>;

const FILE = "study.json";

/** Sessions so far, in order. Throws UserError when the file is damaged. */
export function readLedger(out: string): Session[] {
  const path = join(out, FILE);
  if (!existsSync(path)) return [];
  try {
    return schema.parse(JSON.parse(readFileSync(path, "utf8"))).sessions;
  } catch (error) {
    throw new UserError(
      `${path}: expected the record of the study's sessions, got: ${messageOf(error)}. Restore it from git; without it nothing shows that the study was fixed before its runs`,
    );
  }
}

/**
 * Writes down a session that is about to begin. Throws UserError when the study's file is not the one that its runs
 * began with, unless `amend` says that this is meant.
 */
export function beginSession(
  study: Study,
  out: string,
  {
    commit,
    amend,
    ...code
  }: { readonly commit: Commit; readonly amend: boolean } & Pick<Session, "version" | "head" | "changed">,
): void {
  const sessions = readLedger(out);
  const last = sessions.at(-1);
  if (last !== undefined && last.digest !== study.digest && !amend) {
    throw new UserError(
      `${study.file}: expected the study as it was at commit ${last.commit.hash}, with which its runs began, got another. Restore it, give the changed study a name of its own, or use --amend, which the report lists as a departure`,
    );
  }
  const time = new Date().toISOString();
  const content = readFileSync(study.file, "utf8");
  sessions.push({ time, commit, digest: study.digest, content, ...code });
  mkdirSync(out, { recursive: true });
  const path = join(out, FILE);
  writeFileSync(`${path}.new`, `${JSON.stringify({ format: 1, sessions }, null, 2)}\n`);
  renameSync(`${path}.new`, path);
}

/** One change of the study's file after runs had begun. */
export interface Amendment {
  readonly time: string;
  readonly commit: Commit;
  /** Fields that changed. */
  readonly fields: readonly string[];
}

export function amendments(sessions: readonly Session[]): Amendment[] {
  return sessions.flatMap((now, i) => {
    const before = sessions[i - 1];
    if (before === undefined || before.digest === now.digest) return [];
    const fields = changedFields(parseStudy(before.content, "before"), parseStudy(now.content, "after"));
    return [{ time: now.time, commit: now.commit, fields: fields.length === 0 ? ["comments"] : fields }];
  });
}

function changedFields(before: StudyPlan, after: StudyPlan): string[] {
  const keys = Object.keys(after) as (keyof StudyPlan)[];
  return keys.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
}
