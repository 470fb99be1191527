import { readModelConfig } from "../checkpoint/config-json.js";
import { modelNameOf } from "../checkpoint/model-source.js";
import { CheckpointTokenizer } from "../checkpoint/tokenizer.js";
import type { PromptModel } from "../descriptor.js";
import { adaptedFacts } from "./adapter.js";

/** Tokenizer and facts of the model that the server has too, from a checkpoint's folder; its weights are not read. */
export async function readPromptModel(folder: string, rank: number): Promise<PromptModel> {
  const { config } = await readModelConfig(folder);
  const tokenizer = await CheckpointTokenizer.read(folder, config);
  return { tokenizer, model: adaptedFacts(modelNameOf(folder), config, { rank }) };
}
