/** A row of the registry: what a task says about itself before it is opened, and how it is opened. */

import type { UserError } from "../errors.js";
import type { Task, TaskDefaults, Verifier } from "./task.js";
import type { TaskOption, TaskOptions } from "./task-options.js";

/** Called with the reason why a row is not a valid observation. */
export type OnRefused = (refusal: UserError) => void;

export interface TaskEntry {
  readonly name: string;
  /** One line for `adastar tasks`. */
  readonly description: string;
  /** Settings that suit this task and its usual model, as keys of the run configuration. */
  readonly defaults: TaskDefaults;
  /**
   * Folder, beside the package's code, of the model that the task is learned with when none is given; without it the
   * task needs a model.
   */
  readonly starter?: string;
  /** The options this task reads, besides `task`. */
  readonly options: readonly TaskOption[];
  /** The task's own verifier; needs no data. Throws UserError on options that do not fit. */
  ownVerifier(options: TaskOptions): Verifier;
  /**
   * @param verifier verifies in place of the task's own
   * @param onRefused is called for each bad row, which is left out; without it, the error of the first one is thrown
   */
  open(options: TaskOptions, verifier?: Verifier, onRefused?: OnRefused): Promise<Task>;
}
