/** Engines by name. Each is loaded only when asked for, so that the simulated one needs no native library. */

import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Engine } from "../engine/engine.js";
import { taskEntry } from "../tasks/registry.js";
import type { Task } from "../tasks/task.js";
import type { RunConfig } from "./config/fields.js";

/** Folder of a bundled model, beside this package's own code. */
export function bundledModel(name = "starter"): string {
  return fileURLToPath(new URL(`../../models/${name}`, import.meta.url));
}

/** What says which model is meant. */
type ModelChoice = Pick<RunConfig, "model" | "task" | "data">;

/** Folder of the base model that the configuration asks for: the task's bundled one, if any, where it names none. */
export function modelFolder({ model, task, data }: ModelChoice): string {
  return model ?? bundledModel(taskEntry({ task, data }).starter);
}

/** Opens the engine that the configuration asks for. Throws UserError when its model cannot be used. */
export async function openEngine(config: RunConfig, task: Task): Promise<Engine> {
  if (config.engine === "scripted") {
    const [{ openScriptedEngine }, { lessonsOf }] = await Promise.all([
      import("../engine/scripted/scripted-engine.js"),
      import("../engine/scripted/task-lessons.js"),
    ]);
    return openScriptedEngine({ lessons: lessonsOf(task) });
  }
  const { openOnnxEngine } = await import("../engine/onnx/onnx-engine.js");
  return openOnnxEngine({
    model: modelFolder(config),
    ...(config.threads === null ? {} : { threads: config.threads }),
  });
}

/** What turns prompts into tokens for the model that the configuration asks for, without its weights. Throws UserError as `openEngine` does. */
export async function openPromptModel(config: ModelChoice): Promise<Pick<Engine, "tokenizer" | "model">> {
  const folder = modelFolder(config);
  const [{ readModelConfig }, { CheckpointTokenizer }, { modelFacts }] = await Promise.all([
    import("../engine/checkpoint/config-json.js"),
    import("../engine/checkpoint/tokenizer.js"),
    import("../engine/checkpoint/model-facts.js"),
  ]);
  const { config: model } = await readModelConfig(folder);
  const tokenizer = await CheckpointTokenizer.read(folder, model);
  return { tokenizer, model: modelFacts(basename(resolve(folder)), model) };
}
