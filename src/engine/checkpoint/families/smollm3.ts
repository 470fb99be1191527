/** SmolLM3: Llama in which every fourth layer gets no positions. Source: transformers, models/smollm3. */

import { z } from "zod";
import type { LayerAttention } from "../model-config.js";
import { defineFamily, LLAMA_DEFAULTS, layerTypes, windowOf, writtenLayerTypes, wrongField } from "./family.js";

export const smollm3 = defineFamily({
  type: "smollm3",
  architecture: "SmolLM3ForCausalLM",
  models: "SmolLM3",
  defaults: { ...LLAMA_DEFAULTS, keyValueHeads: 4, contextLength: 32_768, tiedHead: true, theta: 2_000_000 },
  fields: {
    attention_bias: z.boolean().nullish(),
    mlp_bias: z.boolean().nullish(),
    use_sliding_window: z.boolean().nullish(),
    /** 1 where a layer is rotated, despite the name. */
    no_rope_layers: z.array(z.union([z.literal(0), z.literal(1)])).nullish(),
    no_rope_layer_interval: z.int().min(1).nullish(),
  },
  parts: ({ attention_bias, mlp_bias }) => {
    const attention = attention_bias === true;
    return { biases: { queryKeyValue: attention, attentionOutput: attention, mlp: mlp_bias === true } };
  },
  attention: (fields, sizes) => {
    const interval = fields.no_rope_layer_interval ?? 4;
    const rotated = fields.no_rope_layers;
    if (rotated != null && rotated.length < sizes.layers) {
      throw wrongField("no_rope_layers", sizes.path, `a list of ${sizes.layers} layers`, rotated.length);
    }
    const isRotated = (layer: number) => (rotated == null ? (layer + 1) % interval !== 0 : rotated[layer] === 1);
    const rotary = sizes.rotary();
    const window = fields.use_sliding_window === true ? sizes.window : null;
    return layerTypes(fields, sizes, (layer) =>
      window !== null && !isRotated(layer) ? "sliding_attention" : "full_attention",
    ).map(
      (type, layer): LayerAttention => ({
        window: type === "sliding_attention" ? window : null,
        rotary: isRotated(layer) ? rotary : null,
      }),
    );
  },
  write: (config) => ({
    attention_bias: config.biases.attentionOutput,
    mlp_bias: config.biases.mlp,
    use_sliding_window: windowOf(config) !== null,
    sliding_window: windowOf(config),
    layer_types: writtenLayerTypes(config),
    no_rope_layers: config.attention.map(({ rotary }) => (rotary === null ? 0 : 1)),
  }),
});
