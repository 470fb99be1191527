/** Opens what a run works with, and checks it before anything is spent. */

import type { Method } from "../../algorithm/methods.js";
import { UserError } from "../../errors.js";
import { readExemplars } from "../../tasks/datasets/exemplars-file.js";
import { openTask } from "../../tasks/registry.js";
import type { Exemplar, Observation, Task } from "../../tasks/task.js";
import { methodOf, taskOptions } from "../config/config.js";
import type { RunConfig } from "../config/fields.js";
import { dataDigest } from "../identity.js";
import { expectModel, openEngine, withPinnedModel } from "../open-engine.js";
import { encodePrompts } from "../prompts/prompts.js";
import type { RunOptions, RunParts } from "./context.js";

/**
 * Opens task and engine and encodes all prompts. Throws UserError if anything in configuration, data or model cannot
 * work.
 */
export async function openParts(given: RunConfig, options: RunOptions): Promise<RunParts> {
  if (options.engine === undefined) expectModel(given);
  const task = options.task ?? (await openTask(taskOptions(given)));
  const located = options.engine === undefined ? await withPinnedModel(given) : given;
  const config = { ...located, ...task.source?.pinned };
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

/**
 * Few-shot evaluation needs worked examples. Without any, a method leaves it out, unless the configuration asks for it.
 */
function testable(method: Method, { evaluations }: RunConfig, exemplars: readonly Exemplar[]): Method {
  if (exemplars.length > 0 || !method.evaluations.includes("few-shot")) return method;
  if (evaluations !== null) {
    throw new UserError(
      "evaluations: expected worked examples for few-shot, got none; give some with --exemplars, raise --few-shot, or leave few-shot out",
    );
  }
  return { ...method, evaluations: method.evaluations.filter((kind) => kind !== "few-shot") };
}
