/** The prompts of a run as tokens, and what they are made from. */

import type { Method } from "../../algorithm/methods.js";
import type { Exemplar, Observation, Task } from "../../tasks/task.js";

export interface Prompts {
  /**
   * Start tokens and worked examples, put before every question while sampling; in the plain and in the hinted form.
   */
  readonly prefix: readonly number[];
  readonly hintedPrefix: readonly number[];
  /** What follows `prefix`, for each training observation. */
  readonly train: readonly (readonly number[])[];
  /** What follows `hintedPrefix`, with the answer as a hint; empty where the method gives no hints. */
  readonly hinted: readonly (readonly number[])[];
  /** What stands before every question in training and evaluation: start tokens only. */
  readonly zeroShotPrefix: readonly number[];
  /** What follows it, for each training and test observation. */
  readonly trainZeroShot: readonly (readonly number[])[];
  readonly test: readonly (readonly number[])[];
  /** The test questions after worked examples, for few-shot evaluation; null where the method has none. */
  readonly fewShotTest: { readonly prefix: readonly number[]; readonly prompts: readonly (readonly number[])[] } | null;
  /** What training puts after a completion: end-of-text, or the end of a turn. */
  readonly endToken: number;
  /** Notices about them for the user. */
  readonly notices: readonly string[];
}

export interface PromptSources {
  readonly task: Pick<Task, "format">;
  readonly exemplars: readonly Exemplar[];
  readonly train: readonly Observation[];
  readonly test: readonly Observation[];
  readonly method: Method;
  readonly maxTokens: number;
  /** In the checkpoint's own chat form, rather than as plain text. */
  readonly chat: boolean;
}
