/** What a task is opened from, and how it presents itself before it is. */

import type { UserError } from "../errors.js";
import type { Task, TaskDefaults, Verifier } from "./task.js";
import type { TaskOption, TaskOptions } from "./task-options.js";

/** Told of a row that is no proper observation. */
export type OnRefused = (refusal: UserError) => void;

export interface TaskEntry {
  readonly name: string;
  /** One line for `adastar tasks`. */
  readonly description: string;
  /** Settings that suit this task and its usual model, as keys of the run configuration. */
  readonly defaults: TaskDefaults;
  /** Folder, beside the package's code, of the model that the task is learned with when none is given; the default task's when left out. */
  readonly starter?: string;
  /** The options this task reads, besides `task`. */
  readonly options: readonly TaskOption[];
  /** The task's own verifier; needs no data. Throws UserError on options that do not fit. */
  ownVerifier(options: TaskOptions): Verifier;
  /**
   * @param verifier verifies in place of the task's own
   * @param onRefused is told of bad rows, which are left out then; without it the first one is thrown
   */
  open(options: TaskOptions, verifier?: Verifier, onRefused?: OnRefused): Promise<Task>;
}
