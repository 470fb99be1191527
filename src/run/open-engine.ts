/** From a run's configuration to its engine. */

import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { EngineSettings, PromptModel } from "../engine/descriptor.js";
import type { Engine } from "../engine/engine.js";
import { DEFAULT_ENGINE, engineNamed } from "../engine/registry.js";
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

/** Folder of the base model that the configuration asks for; the task's bundled one if it names none. */
export function modelFolder({ model, task, data }: ModelChoice): string {
  return model ?? bundledModel(taskEntry({ task, data }).starter);
}

/** Whether the configured engine reads a model's folder. */
export function usesModelFolder({ engine }: Pick<RunConfig, "engine">): boolean {
  return engineNamed(engine).settings.includes("model");
}

/** What reports call the configured model. */
export function modelLabelOf(config: ModelChoice & Pick<RunConfig, "engine">): string {
  return usesModelFolder(config) ? (config.model ?? basename(modelFolder(config))) : "simulated";
}

/** Opens the engine that the configuration asks for. Throws UserError when its model cannot be used. */
export async function openEngine(config: RunConfig, task: Task): Promise<Engine> {
  return engineNamed(config.engine).open({ settings: settingsOf(config), lessons: () => lessonsOf(task) });
}

/** Opens a checkpoint's folder by itself, with the default engine. Throws UserError when it cannot be used. */
export async function openCheckpoint({ model, threads }: Pick<EngineSettings, "model" | "threads">): Promise<Engine> {
  return engineNamed(DEFAULT_ENGINE).open({ settings: { model, threads, checkpointDtype: null }, lessons: () => [] });
}

/**
 * What turns prompts into tokens for the configured model, without its weights. Throws UserError as `openEngine` does.
 */
export async function openPromptModel(config: RunConfig): Promise<PromptModel> {
  return engineNamed(config.engine).openPromptModel(settingsOf(config));
}

function settingsOf(config: RunConfig): EngineSettings {
  return { ...config, model: modelFolder(config) };
}
