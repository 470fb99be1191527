/**
 * config.json and generation_config.json of a checkpoint folder, read into a `ModelConfig` by the record of its family.
 */
import { join } from "node:path";
import { shown, UserError } from "../../errors.js";
import { isRecord, parseJson, readIfPresent } from "../files.js";
import { checkedBy, generationSchema } from "./families/family.js";
import { FAMILIES, familyOf } from "./families/index.js";
import type { ModelConfig } from "./model-config.js";

export interface ModelConfigFiles {
  readonly config: ModelConfig;
  /** The parsed config.json, whole. */
  readonly configJson: Readonly<Record<string, unknown>>;
  /** Its text. */
  readonly configText: string;
}

/**
 * Reads config.json and, if there, generation_config.json of the folder `dir`. Throws UserError naming file and field.
 */
export async function readModelConfig(dir: string): Promise<ModelConfigFiles> {
  const path = join(dir, "config.json");
  const bytes = await readIfPresent(path);
  if (bytes === null) {
    throw new UserError(`expected a Hugging Face checkpoint folder at ${dir}, got no config.json there`);
  }
  const configJson = parseJson(bytes, path);
  if (!isRecord(configJson)) throw new UserError(`expected an object in ${path}, got ${shown(configJson)}`);
  const generationPath = join(dir, "generation_config.json");
  const generation = await readIfPresent(generationPath);
  const config = parseModelConfig(configJson, generation && parseJson(generation, generationPath), dir);
  return { config, configJson, configText: new TextDecoder().decode(bytes) };
}

/** The same from parsed JSON; null stands for an absent generation_config.json, `dir` is named in errors. */
export function parseModelConfig(
  configJson: Readonly<Record<string, unknown>>,
  generationJson: unknown,
  dir: string,
): ModelConfig {
  const path = join(dir, "config.json");
  const family = familyOf(configJson["model_type"], path);
  if (configJson["quantization_config"] != null) {
    const advice = "dequantize the checkpoint first, or use the unquantized one";
    throw new UserError(`expected unquantized weights, got a quantization_config in ${path}; ${advice}`);
  }
  const generation =
    generationJson === null ? null : checkedBy(generationSchema, generationJson, join(dir, "generation_config.json"));
  return family.read(configJson, generation?.eos_token_id ?? [], path);
}

/** The same as text. Fields that transformers takes as floats only are written as such where they are whole. */
export function toConfigText(config: ModelConfig, dtype: string, padToken: number | null): string {
  const text = JSON.stringify(toConfigJson(config, dtype, padToken), null, 2);
  return `${text.replace(/^( *"(?:attn|final)_logit_softcapping": \d+)(?=,?$)/gm, "$1.0")}\n`;
}

/** config.json of a new checkpoint, in the spelling that transformers 4 and 5 both read. */
export function toConfigJson(config: ModelConfig, dtype: string, padToken: number | null): Record<string, unknown> {
  const family = FAMILIES.find(({ type }) => type === config.family);
  if (family === undefined) throw new Error(`no family ${config.family}`);
  return { ...family.write(config), pad_token_id: padToken, torch_dtype: dtype };
}
