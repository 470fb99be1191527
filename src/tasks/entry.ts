/** What a task is opened from, and how it presents itself before it is. */

import type { UserError } from "../errors.js";
import type { Task, TaskDefaults, Verifier } from "./task.js";

/** Says which observations to load. Null and undefined leave an option out; a task refuses options that it does not read. */
export interface TaskOptions {
  /** A name of `TASKS`; `jsonl` when left out and `data` is given, else `arithmetic`. */
  readonly task?: string | null | undefined;
  /** Training file, or a folder or `hub:owner/name` with both splits; when left out, the task's own data set on the hub. */
  readonly data?: string | null | undefined;
  /** Test file, or a folder or `hub:owner/name` with the test split; overrides what `data` holds. */
  readonly eval?: string | null | undefined;
  /** Read only the first so many training observations; every task takes it, and those that are generated need not heed it. */
  readonly trainLimit?: number | null | undefined;
  /** The same of the test observations. */
  readonly evalLimit?: number | null | undefined;
  /** Own data (`jsonl`): the column with the question; default `question`. */
  readonly questionField?: string | null | undefined;
  /** Own data: the column with the gold answer; default `answer`. */
  readonly answerField?: string | null | undefined;
  /** Own data: the column with answer options; default `options` when the verifier is `choice`. */
  readonly optionsField?: string | null | undefined;
  /**
   * Own data: how answers are compared, a `VerifierKind`; default `choice` with an options column, else `number`. Every task also takes
   * the path of a module that judges in place of its own verifier (custom-verifier.ts).
   */
  readonly verifier?: string | null | undefined;
  /** Seconds that such a module may take over one output; 1 when left out. */
  readonly verifierTimeout?: number | null | undefined;
  /** Generated tasks: seed of the observations, apart from the run's seed so that runs of several seeds share their data. */
  readonly taskSeed?: number | null | undefined;
  /** Generated tasks: number of training observations. */
  readonly trainSize?: number | null | undefined;
  /** Generated tasks: number of test observations. */
  readonly testSize?: number | null | undefined;
  /** Generated tasks: probability that a step of a training question is hard, in [0, 1]; the task's own mix when left out. The test questions keep it. */
  readonly hardShare?: number | null | undefined;
}

export type TaskOption = Exclude<keyof TaskOptions, "task">;

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
   * @param verifier judges in place of the task's own
   * @param onRefused is told of bad rows, which are left out then; without it the first one is thrown
   */
  open(options: TaskOptions, verifier?: Verifier, onRefused?: OnRefused): Promise<Task>;
}
