/** What the parts of a run are handed: its configuration, task, model, directory and listeners. */

import type { Method } from "../../algorithm/methods.js";
import type { Engine } from "../../engine/engine.js";
import type { Observation, Task } from "../../tasks/task.js";
import type { RunConfig } from "../config/fields.js";
import type { RunStore } from "../directory/store.js";
import type { Listener } from "../events.js";
import type { Prompts } from "../prompts/encoded-prompts.js";

/** What a caller may bring along; all of it is opened from the configuration where left out. */
export interface RunOptions {
  /** Aborting it ends the run at once (an optimizer step that has begun is finished); what is saved stays and is resumable. */
  readonly signal?: AbortSignal;
  /** A task of one's own, instead of the one the configuration names. */
  readonly task?: Task;
  /** An engine of one's own, holding the base model; stays open. */
  readonly engine?: Engine;
  /** Told of every step on the disk before it is taken (disk.ts); for tests. */
  readonly onDiskStep?: (step: string, path: string) => void;
}

/** Opened from the configuration; reads files, writes none. */
export interface RunParts {
  /** As given, but for data on the hub, which is pinned to the commit that was read. */
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

/** Throws the signal's reason if the run was asked to stop. Call it between slices of work, with everything before durable. */
export function stopIfAsked({ signal }: Pick<RunContext, "signal">): void {
  signal?.throwIfAborted();
}

/** Whether an error only says that the run was asked to stop. */
export function isStop(error: unknown, { signal }: Pick<RunContext, "signal">): boolean {
  return signal?.aborted === true && error === signal.reason;
}
