/**
 * Gemma 1, 2 and 3 (text): norms whose weights are stored less 1, embeddings scaled by √width, a tanh-GELU gate; from 2
 * on norms before and after each sublayer and windows in most layers. Source: transformers, models/gemma, gemma2 and
 * gemma3.
 */

import { z } from "zod";
import type { LayerAttention, LayerNorms, ModelConfig, ModelParts } from "../model-config.js";
import type { Rotary } from "../rotary.js";
import {
  activationName,
  activationOf,
  type CommonFields,
  contextSize,
  defineFamily,
  type FamilyDefaults,
  factor,
  LLAMA_DEFAULTS,
  layerTypes,
  type Sizes,
  windowOf,
  writtenLayerTypes,
} from "./family.js";
import { readRope, ropeSchema, writeRope } from "./rope-json.js";

const DEFAULTS: FamilyDefaults = { ...LLAMA_DEFAULTS, headDim: 256, contextLength: 8192, tiedHead: true };

function gemmaParts({ width }: Sizes): Partial<ModelParts> & Pick<ModelParts, "activation"> {
  return { normOffset: 1, embeddingScale: Math.sqrt(width), activation: "gelu-tanh" };
}

const AROUND_BOTH: LayerNorms = {
  beforeAttention: "input_layernorm",
  afterAttention: "post_attention_layernorm",
  beforeMlp: "pre_feedforward_layernorm",
  afterMlp: "post_feedforward_layernorm",
};

const biasField = { attention_bias: z.boolean().nullish() };
const attentionBiases = ({ attention_bias }: { attention_bias?: boolean | null | undefined }) => {
  const biased = attention_bias === true;
  return { queryKeyValue: biased, attentionOutput: biased, mlp: false };
};

/** Its official checkpoints say `hidden_act: "gelu"` and mean the tanh form, which transformers takes it for. */
export const gemma = defineFamily({
  type: "gemma",
  architecture: "GemmaForCausalLM",
  models: "Gemma 1, CodeGemma",
  defaults: { ...DEFAULTS, keyValueHeads: 16 },
  fields: biasField,
  parts: (fields, sizes) => {
    const given = fields.hidden_act == null ? "gelu-tanh" : activationOf(fields.hidden_act);
    return {
      ...gemmaParts(sizes),
      activation: given === "gelu" ? "gelu-tanh" : given,
      biases: attentionBiases(fields),
    };
  },
  write: ({ biases }) => ({ attention_bias: biases.attentionOutput }),
});

const laterFields = {
  ...biasField,
  hidden_activation: activationName.nullish(),
  query_pre_attn_scalar: factor.optional(),
  attn_logit_softcapping: factor.nullish(),
  final_logit_softcapping: factor.nullish(),
};
type LaterFields = CommonFields & z.infer<z.ZodObject<typeof laterFields>>;

/** @param caps what the family assumes where config.json has no field for them; an explicit null turns a cap off */
function laterParts(
  fields: LaterFields,
  sizes: Sizes,
  caps: Pick<ModelParts, "attentionCap" | "logitCap">,
): Partial<ModelParts> {
  const { attn_logit_softcapping: attentionCap, final_logit_softcapping: logitCap } = fields;
  return {
    ...gemmaParts(sizes),
    ...(fields.hidden_activation == null ? {} : { activation: activationOf(fields.hidden_activation) }),
    norms: AROUND_BOTH,
    biases: attentionBiases(fields),
    attentionScale: (fields.query_pre_attn_scalar ?? 256) ** -0.5,
    attentionCap: attentionCap === undefined ? caps.attentionCap : attentionCap,
    logitCap: logitCap === undefined ? caps.logitCap : logitCap,
  };
}

function writeLater(config: ModelConfig) {
  return {
    hidden_activation: config.activation === "gelu-tanh" ? "gelu_pytorch_tanh" : config.activation,
    attention_bias: config.biases.attentionOutput,
    // A whole number, which two roots have moved by a last bit.
    query_pre_attn_scalar: Math.round(config.attentionScale ** -2),
    attn_logit_softcapping: config.attentionCap,
    final_logit_softcapping: config.logitCap,
    sliding_window: windowOf(config),
    layer_types: writtenLayerTypes(config),
  };
}

export const gemma2 = defineFamily({
  type: "gemma2",
  architecture: "Gemma2ForCausalLM",
  models: "Gemma 2",
  defaults: { ...DEFAULTS, keyValueHeads: 4, window: 4096 },
  fields: laterFields,
  parts: (fields, sizes) => laterParts(fields, sizes, { attentionCap: 50, logitCap: 30 }),
  attention: (fields, sizes) => {
    const rotary = sizes.rotary();
    const types = layerTypes(fields, sizes, (layer) => (layer % 2 === 0 ? "sliding_attention" : "full_attention"));
    return types.map((type) => ({ window: type === "sliding_attention" ? sizes.window : null, rotary }));
  },
  write: writeLater,
});

/** Rotary settings by kind of layer (transformers 5), or one set that is the full layers' (transformers 4). */
const gemma3Rope = {
  rope_parameters: z
    .object({ full_attention: ropeSchema.nullish(), sliding_attention: ropeSchema.nullish() })
    .nullish(),
  rope_local_base_freq: factor.nullish(),
  sliding_window_pattern: z.int().min(1).nullish(),
};

export const gemma3 = defineFamily({
  type: "gemma3_text",
  architecture: "Gemma3ForCausalLM",
  models: "Gemma 3 270M and 1B (text)",
  defaults: { ...DEFAULTS, keyValueHeads: 4, contextLength: 131_072, window: 4096 },
  fields: { ...laterFields, ...gemma3Rope, rope_theta: factor.nullish(), sliding_window: contextSize.nullish() },
  parts: (fields, sizes) => ({
    ...laterParts(fields, sizes, { attentionCap: null, logitCap: null }),
    queryKeyNorm: "head",
  }),
  attention: (fields, sizes) => {
    const { headDim, contextLength, path } = sizes;
    const context = { theta: 0, dimensions: headDim, contextLength, path };
    const nested = fields.rope_parameters;
    const rotaryOf = (rope: Parameters<typeof readRope>[0] | null | undefined, theta: number): Rotary =>
      readRope({ rope_theta: theta, ...rope }, "rope_parameters", {}, context);
    const full = rotaryOf(nested?.full_attention ?? fields.rope_scaling, fields.rope_theta ?? 1_000_000);
    const sliding = rotaryOf(nested?.sliding_attention, fields.rope_local_base_freq ?? 10_000);
    const every = fields.sliding_window_pattern ?? 6;
    return layerTypes(fields, sizes, (layer) =>
      (layer + 1) % every === 0 ? "full_attention" : "sliding_attention",
    ).map(
      (type): LayerAttention =>
        type === "full_attention" ? { window: null, rotary: full } : { window: sizes.window, rotary: sliding },
    );
  },
  write: (config) => {
    const ofKind = (windowed: boolean) => {
      const { rope_theta, rope_scaling } = writeRope(
        config.attention.find(({ window }) => (window !== null) === windowed)?.rotary ?? null,
      );
      return { rope_theta, rope_type: "default", ...(rope_scaling as object | null) };
    };
    return {
      ...writeLater(config),
      rope_theta: undefined,
      rope_scaling: undefined,
      rope_parameters: { full_attention: ofKind(false), sliding_attention: ofKind(true) },
    };
  },
});
