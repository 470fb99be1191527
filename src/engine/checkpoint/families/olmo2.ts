/**
 * OLMo 2: norms on the outputs of the sublayers, and of all query and all key heads together. Source: transformers,
 * models/olmo2.
 */

import { z } from "zod";
import { defineFamily, LLAMA_DEFAULTS } from "./family.js";

export const olmo2 = defineFamily({
  type: "olmo2",
  architecture: "Olmo2ForCausalLM",
  models: "OLMo 2",
  defaults: { ...LLAMA_DEFAULTS, normEpsilon: 1e-5 },
  fields: { attention_bias: z.boolean().nullish() },
  parts: ({ attention_bias }) => {
    const biased = attention_bias === true;
    return {
      norms: {
        beforeAttention: null,
        afterAttention: "post_attention_layernorm",
        beforeMlp: null,
        afterMlp: "post_feedforward_layernorm",
      },
      queryKeyNorm: "all-heads",
      biases: { queryKeyValue: biased, attentionOutput: biased, mlp: false },
    };
  },
  write: ({ biases }) => ({ attention_bias: biases.attentionOutput }),
});
