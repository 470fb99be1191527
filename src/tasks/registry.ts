/** Every task by name, and the one way to open them. */

import { shown, UserError } from "../errors.js";
import type { Task, TaskDefaults } from "./task.js";

export type VerifierKind = "number" | "choice" | "yes-no" | "exact";

/** What says which observations to load. A task refuses options that it does not read. */
export interface TaskOptions {
  /** A name of `TASKS`; `jsonl` when left out and `data` is given, else `arithmetic`. */
  readonly task?: string | undefined;
  /** Training file, or a folder with train*.jsonl and test*.jsonl (or dev*.jsonl). */
  readonly data?: string | undefined;
  /** Test file; overrides what the folder holds. */
  readonly eval?: string | undefined;
  /** Own data (`jsonl`): the column with the question; default `question`. */
  readonly questionField?: string | undefined;
  /** Own data: the column with the gold answer; default `answer`. */
  readonly answerField?: string | undefined;
  /** Own data: the column with answer options; default `options` when the verifier is `choice`. */
  readonly optionsField?: string | undefined;
  /** Own data: how answers are compared; default `number`. */
  readonly verifier?: VerifierKind | undefined;
  /** Generated tasks: seed of the observations, apart from the run's seed so that runs of several seeds share their data. */
  readonly taskSeed?: number | undefined;
  /** Generated tasks: number of training observations. */
  readonly trainSize?: number | undefined;
  /** Generated tasks: number of test observations. */
  readonly testSize?: number | undefined;
}

export interface TaskEntry {
  readonly name: string;
  /** One line for `adastar tasks`. */
  readonly description: string;
  /** Settings that suit this task and its usual model, as keys of the run configuration. */
  readonly defaults: TaskDefaults;
  /** The options this task reads, besides `task`. */
  readonly options: readonly Exclude<keyof TaskOptions, "task">[];
  open(options: TaskOptions): Promise<Task>;
}

export const TASKS: readonly TaskEntry[] = [];

/** The entry that `options` asks for. Throws UserError on an unknown name or an option that the task does not read. */
export function taskEntry(options: TaskOptions = {}): TaskEntry {
  const name = options.task ?? (options.data === undefined ? "arithmetic" : "jsonl");
  const entry = TASKS.find((candidate) => candidate.name === name);
  if (entry === undefined) {
    throw new UserError(`task: expected one of ${TASKS.map((one) => one.name).join(", ")}, got ${shown(name)}`);
  }
  for (const [key, value] of Object.entries(options)) {
    if (key === "task" || value === undefined || (entry.options as readonly string[]).includes(key)) continue;
    throw new UserError(
      `${key}: task ${entry.name} does not read it (it reads ${entry.options.join(", ")}); leave it out or choose another task`,
    );
  }
  return entry;
}

/** Opens a task: the default one without arguments. Throws UserError on bad options or data. */
export async function openTask(options: TaskOptions = {}): Promise<Task> {
  return taskEntry(options).open(options);
}
