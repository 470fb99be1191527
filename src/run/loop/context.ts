/** What every part of a run gets: configuration, task, model, run directory and listeners. */

import type { Method } from "../../algorithm/methods.js";
import type { Engine } from "../../engine/engine.js";
import type { Observation, Task } from "../../tasks/task.js";
import type { RunConfig } from "../config/fields.js";
import type { RunStore } from "../directory/store.js";
import type { Listener } from "../events.js";
import type { Prompts } from "../prompts/encoded-prompts.js";

/** What a caller may provide. Whatever is left out is opened from the configuration. */
export interface RunOptions {
  /**
   * Aborting it stops the run at once, except that an optimizer step that has begun is finished. Everything saved
   * stays, and the run can be resumed.
   */
  readonly signal?: AbortSignal;
  /** A custom task, instead of the one that the configuration names. */
  readonly task?: Task;
  /** A custom engine that holds the base model. It is not closed. */
  readonly engine?: Engine;
  /** Called before every step on the disk (disk.ts); for tests. */
  readonly onDiskStep?: (step: string, path: string) => void;
}

/** What is opened from the configuration, by reading only. */
export interface RunParts {
  /** As given, except that data and model on the hub are pinned to their commits, and a chosen verifier is named. */
  readonly config: RunConfig;
  readonly task: Task;
  readonly train: readonly Observation[];
  readonly test: readonly Observation[];
  readonly method: Method;
  readonly engine: Engine;
  readonly prompts: Prompts;
  /** Longest generation, in tokens. */
  readonly maxTokens: number;
  /** Digest of observations and prompts. */
  readonly data: string;
  close(): Promise<void>;
}

export interface RunContext extends RunParts {
  readonly store: RunStore;
  readonly emit: Listener;
  readonly signal: AbortSignal | undefined;
}

/**
 * Throws the signal's reason if the run was asked to stop. Call it between slices of work, with everything before
 * durable.
 */
export function stopIfAsked({ signal }: Pick<RunContext, "signal">): void {
  signal?.throwIfAborted();
}

/** Whether an error only means that the run was asked to stop. */
export function isStop(error: unknown, { signal }: Pick<RunContext, "signal">): boolean {
  return signal?.aborted === true && error === signal.reason;
}
