/**
 * What a Hugging Face checkpoint says of its own architecture: config.json and generation_config.json, read into a `ModelConfig`.
 * Anything that this engine would compute differently from transformers is refused by name.
 */
import { join } from "node:path";
import { z } from "zod";
import { shown, UserError } from "../../errors.js";
import { isRecord, parseJson, readIfPresent } from "../files.js";
import { MODEL_TYPES, type ModelConfig, type ModelType, parameterCount } from "./model-config.js";

/** Far above any model that fits a machine; a config beyond these is damaged, and would only fail later and less clearly. */
const LIMITS = { size: 1 << 20, vocabulary: 1 << 24, layers: 1024, context: 1 << 30, parameters: 1e12 } as const;

/** What each family's config class assumes for fields that config.json leaves out (transformers, `configuration_*.py`). */
const FAMILY_DEFAULTS: Record<
  ModelType,
  { keyValueHeads: number | null; contextLength: number; window: number | null }
> = {
  llama: { keyValueHeads: null, contextLength: 2048, window: null },
  mistral: { keyValueHeads: 8, contextLength: 4096 * 32, window: 4096 },
  qwen2: { keyValueHeads: 32, contextLength: 32768, window: 4096 },
};

const size = (limit: number = LIMITS.size) => z.int().min(1).max(limit);
const tokenIds = z
  .union([z.int().min(0), z.array(z.int().min(0))])
  .nullish()
  .transform((ids) => (typeof ids === "number" ? [ids] : (ids ?? [])));

/** The rope object under either of its names; which further fields it needs depends on its type. */
const ropeSchema = z.object({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().min(1).optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: size(LIMITS.context).optional(),
  partial_rotary_factor: z.literal(1).optional(),
});
type Rope = z.infer<typeof ropeSchema>;

const configSchema = z.object({
  model_type: z.enum(MODEL_TYPES),
  vocab_size: size(LIMITS.vocabulary),
  hidden_size: size(),
  num_hidden_layers: size(LIMITS.layers),
  num_attention_heads: size(),
  num_key_value_heads: size().nullish(),
  head_dim: size().nullish(),
  intermediate_size: size(),
  hidden_act: z.enum(["silu", "swish"]).default("silu"),
  rms_norm_eps: z.number().positive().max(1).default(1e-6),
  max_position_embeddings: size(LIMITS.context).nullish(),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: ropeSchema.nullish(),
  rope_parameters: ropeSchema.nullish(),
  partial_rotary_factor: z.literal(1).nullish(),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.literal(false).nullish(),
  mlp_bias: z.literal(false).nullish(),
  sliding_window: size(LIMITS.context).nullish(),
  use_sliding_window: z.boolean().nullish(),
  layer_types: z.array(z.enum(["full_attention", "sliding_attention"])).nullish(),
  bos_token_id: z.int().min(0).nullish(),
  eos_token_id: tokenIds,
  quantization_config: z.unknown().optional(),
});
type ConfigFields = z.infer<typeof configSchema>;

export interface ModelConfigFiles {
  readonly config: ModelConfig;
  /** The parsed config.json, whole. */
  readonly configJson: Readonly<Record<string, unknown>>;
}

/** Reads config.json and generation_config.json (if there) of the checkpoint folder `dir`. Throws UserError naming file and field. */
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
  return { config: parseModelConfig(configJson, generation && parseJson(generation, generationPath), dir), configJson };
}

/** The same from parsed JSON; null stands for an absent generation_config.json, `dir` is named in errors. */
export function parseModelConfig(
  configJson: Readonly<Record<string, unknown>>,
  generationJson: unknown,
  dir: string,
): ModelConfig {
  const path = join(dir, "config.json");
  const wrong = (field: string, expected: string, got: unknown) =>
    new UserError(`expected ${field} of ${path} to be ${expected}, got ${shown(got)}`);

  const fields = check(configSchema, configJson, path);
  if (fields.quantization_config != null) {
    const advice = "dequantize the checkpoint first, or use the unquantized one";
    throw new UserError(`expected unquantized weights, got a quantization_config in ${path}; ${advice}`);
  }
  const heads = fields.num_attention_heads;
  const family = FAMILY_DEFAULTS[fields.model_type];
  const keyValueHeads = fields.num_key_value_heads ?? family.keyValueHeads ?? heads;
  if (heads % keyValueHeads !== 0) {
    throw wrong("num_attention_heads", `a multiple of the ${keyValueHeads} key/value heads`, heads);
  }
  if (fields.head_dim == null && fields.hidden_size % heads !== 0) {
    throw wrong(
      "hidden_size",
      `a multiple of num_attention_heads (${heads}), as there is no head_dim`,
      fields.hidden_size,
    );
  }
  const headDim = fields.head_dim ?? fields.hidden_size / heads;
  if (headDim % 2 !== 0) throw wrong("head_dim", "even, as rotary positions turn pairs of dimensions", headDim);

  const contextLength = fields.max_position_embeddings ?? family.contextLength;
  const generation =
    generationJson == null ? null : check(generationSchema, generationJson, join(dir, "generation_config.json"));
  const config: ModelConfig = {
    modelType: fields.model_type,
    vocabularySize: fields.vocab_size,
    width: fields.hidden_size,
    layers: fields.num_hidden_layers,
    heads,
    keyValueHeads,
    headDim,
    mlpWidth: fields.intermediate_size,
    ...ropeOf(fields, path),
    normEpsilon: fields.rms_norm_eps,
    contextLength: Math.min(contextLength, windowOf(fields, configJson) ?? contextLength),
    tiedHead: fields.tie_word_embeddings,
    attentionBias: fields.model_type === "qwen2",
    startToken: fields.bos_token_id ?? null,
    endTokens: generation?.eos_token_id.length ? generation.eos_token_id : fields.eos_token_id,
  };
  for (const [field, id] of [
    ["bos_token_id", config.startToken],
    ...config.endTokens.map((id) => ["eos_token_id", id]),
  ] as const) {
    if (typeof id === "number" && id >= config.vocabularySize) {
      throw wrong(String(field), `below vocab_size (${config.vocabularySize})`, id);
    }
  }
  const parameters = parameterCount(config);
  if (parameters > LIMITS.parameters) {
    throw new UserError(
      `expected at most ${LIMITS.parameters} parameters from the sizes in ${path}, got ${parameters}`,
    );
  }
  return config;
}

const generationSchema = z.object({ eos_token_id: tokenIds });

/** Validates against a schema; the first issue becomes a UserError with its field's path. */
function check<T>(schema: z.ZodType<T>, json: unknown, path: string): T {
  const result = schema.safeParse(json, { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.map(String).join(".") ?? "";
  const expected = issue?.message
    .replace(/^(Invalid|Too) \w+: expected (number to be )?/, "")
    .replace(/, received .*$/, "");
  throw new UserError(
    `expected ${field} of ${path} to be ${expected}, got ${issue?.input === undefined ? "nothing" : shown(issue.input)}`,
  );
}

/** Both spellings: `rope_theta` and `rope_scaling` (transformers 4), `rope_parameters` (5). */
function ropeOf(fields: ConfigFields, path: string): Pick<ModelConfig, "ropeTheta" | "ropeScaling"> {
  const name = fields.rope_parameters ? "rope_parameters" : "rope_scaling";
  const rope = fields.rope_parameters ?? fields.rope_scaling ?? null;
  const ropeTheta = rope?.rope_theta ?? fields.rope_theta ?? 10000;
  const type = rope?.rope_type ?? rope?.type ?? "default";
  const need = <Field extends keyof Rope>(field: Field): NonNullable<Rope[Field]> => {
    const value = rope?.[field];
    if (value == null)
      throw new UserError(`expected ${name}.${field} in ${path}, which type "${type}" needs, got none`);
    return value;
  };
  switch (type) {
    case "default":
      return { ropeTheta, ropeScaling: null };
    case "linear":
      return { ropeTheta, ropeScaling: { kind: "linear", factor: need("factor") } };
    case "llama3": {
      const lowFrequencyFactor = need("low_freq_factor");
      const highFrequencyFactor = need("high_freq_factor");
      if (highFrequencyFactor <= lowFrequencyFactor) {
        throw new UserError(
          `expected ${name}.high_freq_factor of ${path} to exceed low_freq_factor (${lowFrequencyFactor}), got ${highFrequencyFactor}`,
        );
      }
      const originalContextLength = need("original_max_position_embeddings");
      const scaling = {
        kind: "llama3",
        factor: need("factor"),
        lowFrequencyFactor,
        highFrequencyFactor,
        originalContextLength,
      } as const;
      return { ropeTheta, ropeScaling: scaling };
    }
    default:
      throw new UserError(`expected ${name}.rope_type of ${path} to be default, linear or llama3, got ${shown(type)}`);
  }
}

/** The length within which a sliding window changes nothing; null when attention reaches back without bound. */
function windowOf(fields: ConfigFields, configJson: Readonly<Record<string, unknown>>): number | null {
  const { window } = FAMILY_DEFAULTS[fields.model_type];
  if (fields.model_type === "llama" || (fields.model_type === "qwen2" && fields.use_sliding_window !== true))
    return null;
  if (fields.layer_types?.every((type) => type === "full_attention")) return null;
  // An explicit null turns the window off; only an absent field falls back to the family's default.
  const present = "sliding_window" in configJson;
  return present ? (fields.sliding_window ?? null) : window;
}

/** config.json of a new checkpoint, in the spelling that transformers 4 and 5 both read. */
export function toConfigJson(config: ModelConfig, dtype: string, padToken: number | null): Record<string, unknown> {
  const scaling = config.ropeScaling;
  const llama3 = scaling?.kind === "llama3" && {
    low_freq_factor: scaling.lowFrequencyFactor,
    high_freq_factor: scaling.highFrequencyFactor,
    original_max_position_embeddings: scaling.originalContextLength,
  };
  return {
    architectures: [
      { llama: "LlamaForCausalLM", mistral: "MistralForCausalLM", qwen2: "Qwen2ForCausalLM" }[config.modelType],
    ],
    model_type: config.modelType,
    vocab_size: config.vocabularySize,
    hidden_size: config.width,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.keyValueHeads,
    head_dim: config.headDim,
    intermediate_size: config.mlpWidth,
    hidden_act: "silu",
    rms_norm_eps: config.normEpsilon,
    max_position_embeddings: config.contextLength,
    rope_theta: config.ropeTheta,
    rope_scaling: scaling && { rope_type: scaling.kind, factor: scaling.factor, ...llama3 },
    tie_word_embeddings: config.tiedHead,
    ...(config.modelType === "llama" ? { attention_bias: false, mlp_bias: false } : {}),
    ...(config.modelType === "mistral" ? { sliding_window: null } : {}),
    ...(config.modelType === "qwen2" ? { use_sliding_window: false } : {}),
    bos_token_id: config.startToken,
    eos_token_id: config.endTokens.length === 1 ? config.endTokens[0] : config.endTokens,
    pad_token_id: padToken,
    torch_dtype: dtype,
  };
}
