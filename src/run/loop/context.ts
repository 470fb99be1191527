/** Everything a run works with, opened and checked before anything is spent. */

import type { Method } from "../../algorithm/methods.js";
import type { Engine } from "../../engine/engine.js";
import { UserError } from "../../errors.js";
import { readExemplars } from "../../tasks/datasets/exemplars-file.js";
import { openTask } from "../../tasks/registry.js";
import type { Exemplar, Observation, Task } from "../../tasks/task.js";
import { methodOf, taskOptions } from "../config/config.js";
import type { RunConfig } from "../config/fields.js";
import type { RunStore } from "../directory/store.js";
import type { Listener } from "../events.js";
import { dataDigest } from "../identity.js";
import { openEngine } from "../open-engine.js";
import type { Prompts } from "../prompts/encoded-prompts.js";
import { encodePrompts } from "../prompts/prompts.js";

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

/** Opens task and engine and encodes all prompts. Throws UserError for anything in configuration, data or model that cannot work. */
export async function openParts(given: RunConfig, options: RunOptions): Promise<RunParts> {
  const task = options.task ?? (await openTask(taskOptions(given)));
  const config = { ...given, ...task.source?.pinned };
  const train = limited("training", task.train, config.trainLimit);
  const test = limited("test", task.test, config.evalLimit);
  const exemplars = await chosenExemplars(config, task);
  const method = testable(methodOf(config, task), config, exemplars);
  const maxTokens = config.maxTokens ?? task.maxTokens;
  const engine = options.engine ?? (await openEngine(config, task));
  const close = async () => {
    if (options.engine === undefined) await engine.close();
    if (options.task === undefined) await task.verifier.module?.close();
  };
  try {
    const prompts = encodePrompts(engine, { task, exemplars, train, test, method, maxTokens, chat: config.chat });
    const data = dataDigest({ task, train, test, exemplars, maxTokens, chat: config.chat ? prompts : null });
    return { config, task, train, test, method, engine, prompts, maxTokens, data, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The first `limit` observations of a split. Throws UserError when there are none. */
export function limited(
  split: string,
  observations: readonly Observation[],
  limit: number | null,
): readonly Observation[] {
  if (observations.length === 0) throw new UserError(`expected at least one ${split} observation, got none`);
  return limit === null ? observations : observations.slice(0, limit);
}

/** The worked examples that the configuration asks for. Throws UserError when there are fewer. */
export async function chosenExemplars(
  { fewShot, exemplars: file }: RunConfig,
  task: Task,
): Promise<readonly Exemplar[]> {
  const exemplars = file === null ? task.exemplars : await readExemplars(file, task);
  if (fewShot === "all") return exemplars;
  if (fewShot > exemplars.length) {
    throw new UserError(
      `fewShot: expected at most the ${exemplars.length} worked examples that ${file ?? `task ${task.name}`} has, got ${fewShot}`,
    );
  }
  return exemplars.slice(0, fewShot);
}

/** Few-shot evaluation needs worked examples; where there are none, a method does without unless it was asked for. */
function testable(method: Method, { evaluations }: RunConfig, exemplars: readonly Exemplar[]): Method {
  if (exemplars.length > 0 || !method.evaluations.includes("few-shot")) return method;
  if (evaluations !== null) {
    throw new UserError(
      "evaluations: expected worked examples for few-shot, got none; give some with --exemplars, raise --few-shot, or leave few-shot out",
    );
  }
  return { ...method, evaluations: method.evaluations.filter((kind) => kind !== "few-shot") };
}
