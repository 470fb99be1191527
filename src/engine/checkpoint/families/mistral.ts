/**
 * Mistral and the Ministral models: Llama whose attention may reach back over a window only. Source: transformers,
 * models/mistral, ministral and ministral3.
 */

import {
  contextSize,
  defineFamily,
  everyLayer,
  type FamilyDefaults,
  LLAMA_DEFAULTS,
  layerTypes,
  windowOf,
  writtenLayerTypes,
} from "./family.js";
import { readRope, ropeSchema, writeRope } from "./rope-json.js";

const DEFAULTS: FamilyDefaults = { ...LLAMA_DEFAULTS, keyValueHeads: 8, contextLength: 4096 * 32, window: 4096 };

/**
 * All layers have the window, also where config.json has `layer_types`: transformers does not read them for this
 * family.
 */
export const mistral = defineFamily({
  type: "mistral",
  architecture: "MistralForCausalLM",
  models: "Mistral 7B, Mistral Nemo and Small, Ministral 8B",
  defaults: DEFAULTS,
  fields: {},
  attention: (_, sizes) => everyLayer(sizes, { window: sizes.window, rotary: sizes.rotary() }),
  write: (config) => ({ sliding_window: windowOf(config) }),
});

/** Windows by layer. */
export const ministral = defineFamily({
  type: "ministral",
  architecture: "MinistralForCausalLM",
  models: "Ministral",
  defaults: DEFAULTS,
  fields: {},
  attention: (fields, sizes) => {
    const { window } = sizes;
    const rotary = sizes.rotary();
    const types = layerTypes(fields, sizes, () => (window === null ? "full_attention" : "sliding_attention"));
    return types.map((type) => ({ window: type === "sliding_attention" ? window : null, rotary }));
  },
  write: (config) => ({ sliding_window: windowOf(config), layer_types: writtenLayerTypes(config) }),
});

/** What Ministral 3 assumes where config.json has no rope_parameters. */
const MINISTRAL3_ROPE = {
  rope_type: "yarn",
  rope_theta: 1_000_000,
  factor: 16,
  original_max_position_embeddings: 16_384,
  beta_fast: 32,
  beta_slow: 1,
  mscale: 1,
  mscale_all_dim: 1,
};

/**
 * Queries at positions beyond the original context are scaled up there. This engine takes none: within it the factor is
 * 1, and the model is a Mistral with YaRN.
 */
export const ministral3 = defineFamily({
  type: "ministral3",
  architecture: "Ministral3ForCausalLM",
  models: "Ministral 3",
  defaults: { ...DEFAULTS, contextLength: 262_144, headDim: 128, normEpsilon: 1e-5, window: null },
  fields: { rope_parameters: ropeSchema.extend({ original_max_position_embeddings: contextSize }).nullish() },
  attention: (fields, sizes) => {
    const { headDim, contextLength, path } = sizes;
    const context = { theta: DEFAULTS.theta, dimensions: headDim, contextLength, path };
    const rotary = readRope(fields.rope_parameters ?? MINISTRAL3_ROPE, "rope_parameters", fields, context);
    return everyLayer(sizes, { window: sizes.window, rotary });
  },
  longestExact: ({ rope_parameters }) => (rope_parameters ?? MINISTRAL3_ROPE).original_max_position_embeddings,
  write: (config) => {
    const { rope_theta, rope_scaling } = writeRope(config.attention[0].rotary);
    return {
      sliding_window: windowOf(config),
      // The class reads the factor of positions beyond the original context even where there are none.
      rope_parameters: { rope_theta, ...(rope_scaling as object), llama_4_scaling_beta: 0.1 },
    };
  },
});
