/**
 * Qwen 2 and 3: biases of q, k and v, or norms of q and k by head; windows from a certain layer on. Source:
 * transformers, models/qwen2 and qwen3.
 */

import { z } from "zod";
import type { LayerAttention, ModelConfig } from "../model-config.js";
import {
  type CommonFields,
  defineFamily,
  type FamilyDefaults,
  LLAMA_DEFAULTS,
  layerTypes,
  type Sizes,
  windowOf,
  writtenLayerTypes,
} from "./family.js";

const DEFAULTS: FamilyDefaults = { ...LLAMA_DEFAULTS, keyValueHeads: 32, contextLength: 32_768, window: 4096 };

const windowFields = {
  use_sliding_window: z.boolean().nullish(),
  /** Layers before this one have no window. */
  max_window_layers: z.int().min(0).nullish(),
};
type WindowFields = z.infer<z.ZodObject<typeof windowFields>>;

function attention(fields: CommonFields & WindowFields, sizes: Sizes): LayerAttention[] {
  const window = fields.use_sliding_window === true ? sizes.window : null;
  const rotary = sizes.rotary();
  const first = fields.max_window_layers ?? 28;
  const types = layerTypes(fields, sizes, (layer) =>
    window !== null && layer >= first ? "sliding_attention" : "full_attention",
  );
  return types.map((type) => ({ window: type === "sliding_attention" ? window : null, rotary }));
}

function writeWindows(config: ModelConfig) {
  const window = windowOf(config);
  return window === null
    ? { use_sliding_window: false }
    : { use_sliding_window: true, sliding_window: window, layer_types: writtenLayerTypes(config) };
}

export const qwen2 = defineFamily({
  type: "qwen2",
  architecture: "Qwen2ForCausalLM",
  models: "Qwen 2 and 2.5, DeepSeek-R1-Distill-Qwen",
  defaults: DEFAULTS,
  fields: windowFields,
  parts: () => ({ biases: { queryKeyValue: true, attentionOutput: false, mlp: false } }),
  attention,
  write: writeWindows,
});

export const qwen3 = defineFamily({
  type: "qwen3",
  architecture: "Qwen3ForCausalLM",
  models: "Qwen 3 (dense)",
  defaults: { ...DEFAULTS, headDim: 128 },
  fields: { ...windowFields, attention_bias: z.boolean().nullish() },
  parts: ({ attention_bias }) => {
    const biased = attention_bias === true;
    return { queryKeyNorm: "head", biases: { queryKeyValue: biased, attentionOutput: biased, mlp: false } };
  },
  attention,
  write: (config) => ({ ...writeWindows(config), attention_bias: config.biases.attentionOutput }),
});
