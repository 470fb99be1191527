/** Llama and what is built like it. Source: transformers, models/llama. */

import { z } from "zod";
import { defineFamily, LLAMA_DEFAULTS } from "./family.js";

export const llama = defineFamily({
  type: "llama",
  architecture: "LlamaForCausalLM",
  models: "Llama 1 to 3, SmolLM 1 and 2, TinyLlama, Yi",
  defaults: LLAMA_DEFAULTS,
  fields: { attention_bias: z.boolean().nullish(), mlp_bias: z.boolean().nullish() },
  parts: ({ attention_bias, mlp_bias }) => {
    const attention = attention_bias === true;
    return { biases: { queryKeyValue: attention, attentionOutput: attention, mlp: mlp_bias === true } };
  },
  write: ({ biases }) => ({ attention_bias: biases.attentionOutput, mlp_bias: biases.mlp }),
});
