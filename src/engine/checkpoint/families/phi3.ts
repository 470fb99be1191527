/** Phi-3 and Phi-4-mini: fused weights, heads that may turn in part, LongRoPE. Source: transformers, models/phi3. */

import { z } from "zod";
import { contextSize, defineFamily, everyLayer, LLAMA_DEFAULTS, windowOf } from "./family.js";
import { readRotary } from "./rope-json.js";

export const phi3 = defineFamily({
  type: "phi3",
  architecture: "Phi3ForCausalLM",
  models: "Phi-3 mini and medium, Phi-3.5-mini, Phi-4 and Phi-4-mini",
  defaults: { ...LLAMA_DEFAULTS, contextLength: 4096, normEpsilon: 1e-5 },
  fields: {
    partial_rotary_factor: z.number().positive().max(1).nullish(),
    original_max_position_embeddings: contextSize.nullish(),
  },
  parts: () => ({ fusedWeights: true }),
  attention: (fields, sizes) => {
    const { headDim: dimensions, contextLength, path, window } = sizes;
    const rotary = readRotary(
      { original_max_position_embeddings: 4096, ...fields },
      {
        theta: LLAMA_DEFAULTS.theta,
        dimensions,
        contextLength,
        path,
        partial: fields.partial_rotary_factor ?? 1,
        // The names that its first configs had for the same.
        aliases: { su: "longrope", yarn: "longrope" },
      },
    );
    return everyLayer(sizes, { window, rotary });
  },
  /** Beyond its original context LongRoPE turns all positions, also the first ones, at other frequencies. */
  longestExact: (fields, { contextLength }) =>
    (fields.rope_parameters ?? fields.rope_scaling)?.long_factor === undefined
      ? contextLength
      : (fields.original_max_position_embeddings ?? 4096),
  write: (config) => {
    const rotary = config.attention[0].rotary;
    const original = rotary?.scaling?.kind === "longrope" ? rotary.scaling.originalContextLength : config.contextLength;
    return {
      partial_rotary_factor: (rotary?.dimensions ?? config.headDim) / config.headDim,
      original_max_position_embeddings: original,
      sliding_window: windowOf(config),
    };
  },
});
