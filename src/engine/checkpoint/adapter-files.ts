/** A LoRA adapter's folder as PEFT writes it: `adapter_config.json` and `adapter_model.safetensors`. */

import { join } from "node:path";
import { z } from "zod";
import { shown, UserError } from "../../errors.js";
import { parseJson, readIfPresent, replaceFile, writeFully } from "../files.js";
import { checkedBy } from "./families/family.js";
import { adapterPairs, LORA_TARGETS, type Lora } from "./lora.js";
import type { ModelConfig } from "./model-config.js";
import { SafetensorsFile, writeSafetensors } from "./safetensors.js";
import { elementCount } from "./tensors.js";
import { refuseNonFinite } from "./weight-files.js";
import type { Weights } from "./weights.js";

export const ADAPTER_CONFIG = "adapter_config.json";
const ADAPTER_MODEL = "adapter_model.safetensors";

/** Features of PEFT that would make another model of the same tensors. */
const ABSENT_FEATURES = {
  bias: z.literal("none").nullish(),
  fan_in_fan_out: z.literal(false).nullish(),
  use_dora: z.literal(false).nullish(),
  use_rslora: z.literal(false).nullish(),
  use_qalora: z.literal(false).nullish(),
  lora_bias: z.literal(false).nullish(),
  rank_pattern: z.strictObject({}).nullish(),
  alpha_pattern: z.strictObject({}).nullish(),
  modules_to_save: z.null().optional(),
  layers_to_transform: z.null().optional(),
  layer_replication: z.null().optional(),
  exclude_modules: z.null().optional(),
  target_parameters: z.null().optional(),
  trainable_token_indices: z.null().optional(),
};

const adapterSchema = z.object({
  ...ABSENT_FEATURES,
  peft_type: z.literal("LORA"),
  base_model_name_or_path: z.string().nullish(),
  revision: z.string().nullish(),
  r: z.int().min(1),
  lora_alpha: z.number().positive(),
  lora_dropout: z.number().min(0).lt(1).default(0),
  target_modules: z.array(z.enum(LORA_TARGETS)).min(1),
});

/** The model that an adapter belongs to, in PEFT's words. */
export interface AdapterBase {
  /** A folder, or `owner/name` on the hub. */
  readonly name: string;
  /** Commit on the hub. */
  readonly revision: string | null;
}

interface AdapterConfig {
  readonly lora: Lora;
  readonly base: AdapterBase | null;
}

/** Throws UserError naming the field that is wrong or asks for what this engine does not compute. */
export async function readAdapterConfig(dir: string): Promise<AdapterConfig> {
  const path = join(dir, ADAPTER_CONFIG);
  const bytes = await readIfPresent(path);
  if (bytes === null) throw new UserError(`expected a LoRA adapter at ${dir}, got no ${ADAPTER_CONFIG} there`);
  const json = checkedBy(adapterSchema, parseJson(bytes, path), path);
  const { r: rank, lora_alpha: alpha, lora_dropout: dropout, target_modules } = json;
  const targets = LORA_TARGETS.filter((target) => target_modules.includes(target));
  const name = json.base_model_name_or_path ?? "";
  return {
    lora: { rank, alpha, dropout, targets },
    base: name === "" ? null : { name, revision: json.revision ?? null },
  };
}

/**
 * The adapter's matrices by PEFT's names. Throws UserError for one that is missing, misshapen, not finite or foreign.
 */
export async function readAdapterWeights(dir: string, config: ModelConfig, lora: Lora): Promise<Weights> {
  const path = join(dir, ADAPTER_MODEL);
  const file = await SafetensorsFile.open(path);
  try {
    const weights: Weights = new Map();
    for (const { name, shape } of adapterPairs(config, lora).flatMap(({ a, b }) => [a, b])) {
      const found = file.tensors.get(name)?.shape;
      if (JSON.stringify(found) !== JSON.stringify(shape)) {
        throw new UserError(
          `expected tensor ${name} of shape [${shape}] in ${path}, got ${found === undefined ? "none" : `[${found}]`}; ` +
            "the adapter belongs to another model",
        );
      }
      const values = await file.read(name);
      refuseNonFinite(values, name, path);
      weights.set(name, values);
    }
    const foreign = [...file.tensors.keys()].find((name) => !weights.has(name));
    if (foreign !== undefined) {
      throw new UserError(`expected only tensors of the adapter in ${path}, got also ${shown(foreign)}`);
    }
    return weights;
  } finally {
    await file.close();
  }
}

/** Writes an adapter that `PeftModel.from_pretrained` loads, in float32 as PEFT keeps adapters. Weights come last. */
export async function writeAdapter(
  dir: string,
  config: ModelConfig,
  { lora, base, weights }: { readonly lora: Lora; readonly base: AdapterBase; readonly weights: Weights },
): Promise<void> {
  const tensors = adapterPairs(config, lora)
    .flatMap(({ a, b }) => [a, b])
    .map(({ name, shape }) => {
      const values = weights.get(name);
      if (values?.length !== elementCount(shape)) throw new Error(`the adapter has no ${name} of shape [${shape}]`);
      refuseNonFinite(values, name, `the adapter that ${dir} is to hold`);
      return { name, shape, values };
    });
  const text = `${JSON.stringify(configJson(lora, base), null, 2)}\n`;
  await replaceFile(join(dir, ADAPTER_CONFIG), (file) => writeFully(file, Buffer.from(text)));
  await writeSafetensors(join(dir, ADAPTER_MODEL), tensors, { dtype: "F32", metadata: { format: "pt" } });
}

function configJson({ rank, alpha, dropout, targets }: Lora, base: AdapterBase): Record<string, unknown> {
  return {
    alpha_pattern: {},
    auto_mapping: null,
    base_model_name_or_path: base.name,
    bias: "none",
    exclude_modules: null,
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layer_replication: null,
    layers_pattern: null,
    layers_to_transform: null,
    lora_alpha: alpha,
    lora_bias: false,
    lora_dropout: dropout,
    modules_to_save: null,
    peft_type: "LORA",
    r: rank,
    rank_pattern: {},
    revision: base.revision,
    target_modules: targets,
    task_type: "CAUSAL_LM",
    use_dora: false,
    use_rslora: false,
  };
}
