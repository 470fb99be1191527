/**
 * Granite: Llama with factors on embeddings, sublayers, attention scores and logits. Source: transformers,
 * models/granite.
 */

import { z } from "zod";
import { defineFamily, factor, LLAMA_DEFAULTS } from "./family.js";

export const granite = defineFamily({
  type: "granite",
  architecture: "GraniteForCausalLM",
  models: "Granite 3 (dense)",
  defaults: LLAMA_DEFAULTS,
  fields: {
    attention_bias: z.boolean().nullish(),
    mlp_bias: z.boolean().nullish(),
    embedding_multiplier: factor.optional(),
    residual_multiplier: factor.optional(),
    attention_multiplier: factor.optional(),
    logits_scaling: factor.optional(),
  },
  parts: (fields) => {
    const attention = fields.attention_bias === true;
    return {
      biases: { queryKeyValue: attention, attentionOutput: attention, mlp: fields.mlp_bias === true },
      embeddingScale: fields.embedding_multiplier ?? 1,
      residualScale: fields.residual_multiplier ?? 1,
      attentionScale: fields.attention_multiplier ?? 1,
      logitScale: 1 / (fields.logits_scaling ?? 1),
    };
  },
  write: (config) => ({
    attention_bias: config.biases.attentionOutput,
    mlp_bias: config.biases.mlp,
    embedding_multiplier: config.embeddingScale,
    residual_multiplier: config.residualScale,
    attention_multiplier: config.attentionScale,
    logits_scaling: 1 / config.logitScale,
  }),
});
