/** From a run's configuration to its engine. */

import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { locateModel } from "../engine/checkpoint/model-source.js";
import type { EngineSettings, PromptModel } from "../engine/descriptor.js";
import type { Engine } from "../engine/engine.js";
import { DEFAULT_ENGINE, ENGINES, engineNamed } from "../engine/registry.js";
import { UserError } from "../errors.js";
import { taskEntry } from "../tasks/registry.js";
import type { Task } from "../tasks/task.js";
import type { RunConfig } from "./config/fields.js";
import { lessonsOf } from "./lessons.js";

/** Folder of a bundled model, beside this package's own code. */
export function bundledModel(name = "starter"): string {
  return fileURLToPath(new URL(`../../models/${name}`, import.meta.url));
}

/** What says which model is meant. */
type ModelChoice = Pick<RunConfig, "model" | "task" | "data">;

/**
 * The base model that the configuration asks for, a folder or a hub reference; the task's bundled one if it names none.
 */
export function modelReference({ model, task, data }: ModelChoice): string {
  return model ?? bundledModel(taskEntry({ task, data }).starter);
}

/** Throws UserError if the configured engine needs a model, none is named, and none is bundled for the task. */
export function expectModel(config: ModelChoice & Pick<RunConfig, "engine">): void {
  const { name, starter } = taskEntry({ task: config.task, data: config.data });
  if (config.model !== null || starter !== undefined || !usesModelFolder(config)) return;
  throw new UserError(
    `task ${name}: expected a model (--model), got none; give a checkpoint's folder or a model of the hub, such as --model hub:HuggingFaceTB/SmolLM2-135M. The bundled models know only the generated tasks`,
  );
}

/**
 * The configuration with its model as it can be found again: a model on the hub with its commit. Downloads it. Throws
 * UserError.
 */
export async function withPinnedModel<C extends ModelChoice & Pick<RunConfig, "engine">>(config: C): Promise<C> {
  if (config.model === null || !usesModelFolder(config)) return config;
  const { pinned } = await locateModel(config.model, { weights: readsWeights(config) });
  return { ...config, model: pinned };
}

/** Whether the configured engine reads a model's folder. */
export function usesModelFolder({ engine }: Pick<RunConfig, "engine">): boolean {
  return engineNamed(engine).settings.includes("model");
}

/** Whether the configured engine reads the model's weights; where checkpoints are on a server, the weights are, too. */
function readsWeights({ engine }: Pick<RunConfig, "engine">): boolean {
  return engineNamed(engine).capabilities.checkpoints === "folder";
}

/** What reports call the configured model. */
export function modelLabelOf(config: ModelChoice & Pick<RunConfig, "engine">): string {
  return usesModelFolder(config) ? (config.model ?? basename(modelReference(config))) : "simulated";
}

/** Opens the engine that the configuration asks for. Throws UserError when its model cannot be used. */
export async function openEngine(config: RunConfig, task: Task): Promise<Engine> {
  const settings = await settingsOf(config, { weights: readsWeights(config) });
  return engineNamed(config.engine).open({ settings, seed: config.seed, lessons: () => lessonsOf(task) });
}

/**
 * Opens a checkpoint by itself, a folder or a hub reference, with the default engine. Throws UserError when it cannot
 * be used.
 */
export async function openCheckpoint({ model, threads }: Pick<EngineSettings, "model" | "threads">): Promise<Engine> {
  const { folder } = await locateModel(model, { weights: true });
  const whole = { checkpointDtype: null, loraRank: null, loraAlpha: null, loraDropout: null, loraTargets: null };
  const settings = { model: folder, threads, ...whole };
  return ENGINES[DEFAULT_ENGINE].open({ settings, seed: 0, lessons: () => [] });
}

/**
 * What turns prompts into tokens for the configured model, without its weights. Throws UserError as `openEngine` does.
 */
export async function openPromptModel(config: RunConfig): Promise<PromptModel> {
  return engineNamed(config.engine).openPromptModel(await settingsOf(config, { weights: false }));
}

async function settingsOf(config: RunConfig, needs: { readonly weights: boolean }): Promise<EngineSettings> {
  const reference = modelReference(config);
  return { ...config, model: usesModelFolder(config) ? (await locateModel(reference, needs)).folder : reference };
}
