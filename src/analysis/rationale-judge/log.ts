/**
 * The verdicts of judges, kept so that no question is asked twice: JSON Lines beside a run directory, each sealed with
 * a checksum of itself (sealed-log.ts).
 *
 * The file is only ever appended to, one line with one write, so what is in it survives any kill, and several audits
 * may share it. A line that a kill left half-written is passed over; its verdict is asked for again.
 */

import { appendFileSync, existsSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { messageOf, UserError } from "../../errors.js";
import { sealed, unsealed } from "../../run/directory/sealed-log.js";
import { codeOf, explained } from "../../system-errors.js";

/** `none`: the reply states no verdict, or both. */
export type RationaleVerdict = "sound" | "flawed" | "none";

/** A line of the log. */
export interface LoggedVerdict {
  /** SHA-256 of all that the reply depends on: model, prompt with its version, limit of tokens. */
  readonly key: string;
  readonly model: string;
  /** Version of the prompt. */
  readonly prompt: number;
  /** The sample that was asked about; equal ones of other tries and iterations share the verdict. */
  readonly iteration: number;
  readonly id: string;
  readonly attempt: number;
  readonly verdict: RationaleVerdict;
  readonly reply: string;
  /** Why the reply ended, as the endpoint calls it; null where it does not say. */
  readonly finish: string | null;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
}

/** Where verdicts of a model on a run are kept by default: beside the run directory. */
export function defaultJudgeLog(runDir: string, model: string): string {
  const dir = resolve(runDir);
  return join(dirname(dir), `${basename(dir)}-judged-${model.replace(/[^\w.-]+/g, "-")}.jsonl`);
}

export class JudgeLog {
  readonly path: string;
  /** Lines that are not verdicts, such as one that a kill cut short. */
  readonly passedOver: number;
  readonly #verdicts = new Map<string, LoggedVerdict>();
  /** The file ends within a line. */
  #torn: boolean;

  /**
   * Reads the file, if there is one, and writes nothing. Throws UserError for a place inside the run directory, and for
   * a file of something else.
   */
  constructor(path: string, runDir: string) {
    this.path = resolve(path);
    if (isWithin(this.path, runDir)) {
      throw new UserError(
        `--judge-log: expected a file outside of the run directory ${runDir}, got ${path}; an audit changes nothing in there`,
      );
    }
    const text = contentOf(this.path);
    const lines = text.split("\n");
    this.#torn = lines.pop() !== "";
    let passedOver = this.#torn ? 1 : 0;
    for (const line of lines) {
      const record = unsealed(line);
      if (record === null || !("verdict" in record)) {
        if (line !== "") passedOver++;
      } else this.#remember(record as LoggedVerdict);
    }
    // A file with not one verdict is somebody else's, but for the first line that a kill cut short.
    if (passedOver > 0 && this.#verdicts.size === 0 && !(lines.length === 0 && text.startsWith('{"key":"'))) {
      throw new UserError(
        `--judge-log: expected a file of verdicts that an audit wrote, or none, got something else in ${path}; choose another path`,
      );
    }
    this.passedOver = passedOver;
  }

  find(key: string): LoggedVerdict | undefined {
    return this.#verdicts.get(key);
  }

  /** Throws UserError where the system refuses, as on a full disk. */
  append(verdict: LoggedVerdict): void {
    try {
      appendFileSync(this.path, `${this.#torn ? "\n" : ""}${sealed(verdict)}\n`);
    } catch (error) {
      throw refused(error, `write verdicts to ${this.path} (--judge-log)`);
    }
    this.#torn = false;
    this.#remember(verdict);
  }

  #remember(verdict: LoggedVerdict): void {
    this.#verdicts.set(verdict.key, verdict);
  }
}

function contentOf(path: string): string {
  if (!existsSync(path)) return "";
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw refused(error, `read verdicts from ${path} (--judge-log)`);
  }
}

function refused(error: unknown, action: string): unknown {
  const known = explained(error, action);
  if (known instanceof UserError || codeOf(error) === undefined) return known;
  return new UserError(`cannot ${action}: ${messageOf(error)}`);
}

/** Links are followed, of folders and of the file itself. */
function isWithin(path: string, dir: string): boolean {
  const way = relative(existing(dir), existing(path));
  return !(way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way));
}

/** The path with the links in what exists of it resolved. */
function existing(path: string): string {
  const whole = resolve(path);
  if (existsSync(whole)) return realpathSync(whole);
  const parent = dirname(whole);
  return parent === whole ? whole : join(existing(parent), basename(whole));
}
