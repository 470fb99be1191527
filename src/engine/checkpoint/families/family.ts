/**
 * What a family's record says, and the fields of config.json that all families share. `defineFamily` turns a record
 * into the two functions that the rest of the program needs: config.json in and out.
 */

import { z } from "zod";
import { shown, UserError } from "../../../errors.js";
import type { Activation, LayerAttention, ModelConfig, ModelParts } from "../model-config.js";
import { llamaParts } from "../model-config.js";
import { parameterCount } from "../model-facts.js";
import type { Rotary } from "../rotary.js";
import { readRotary, ropeFields, writeRope } from "./rope-json.js";

/**
 * Far above any model that fits a machine: a config beyond these is damaged, and would only fail later and less
 * clearly.
 */
const LIMITS = { size: 1 << 20, vocabulary: 1 << 24, layers: 1024, context: 1 << 30, parameters: 1e12 } as const;

const size = (limit: number = LIMITS.size) => z.int().min(1).max(limit);
export const contextSize = size(LIMITS.context);
export const factor = z.number().positive();

const tokenIds = z
  .union([z.int().min(0), z.array(z.int().min(0))])
  .nullish()
  .transform((ids) => (typeof ids === "number" ? [ids] : (ids ?? [])));

/** Features that only some families have. A family that does not list the field itself refuses any value but "off". */
const ABSENT_FEATURES = {
  attention_bias: z.literal(false).nullish(),
  mlp_bias: z.literal(false).nullish(),
  partial_rotary_factor: z.literal(1).nullish(),
  use_bidirectional_attention: z.literal(false).nullish(),
};

/** Names that config.json has for the functions which this engine computes. */
const ACTIVATIONS = {
  silu: "silu",
  swish: "silu",
  gelu: "gelu",
  gelu_new: "gelu-tanh",
  gelu_pytorch_tanh: "gelu-tanh",
} as const satisfies Record<string, Activation>;
type ActivationName = keyof typeof ACTIVATIONS;
export const activationName = z.enum(Object.keys(ACTIVATIONS) as [ActivationName, ...ActivationName[]]);
export const activationOf = (name: ActivationName): Activation => ACTIVATIONS[name];
const WRITTEN_ACTIVATIONS: Readonly<Record<Activation, ActivationName>> = {
  silu: "silu",
  gelu: "gelu",
  "gelu-tanh": "gelu_pytorch_tanh",
};

const COMMON_FIELDS = {
  vocab_size: size(LIMITS.vocabulary),
  hidden_size: size(),
  num_hidden_layers: size(LIMITS.layers),
  num_attention_heads: size(),
  num_key_value_heads: size().nullish(),
  head_dim: size().nullish(),
  intermediate_size: size(),
  hidden_act: activationName.nullish(),
  rms_norm_eps: z.number().positive().max(1).optional(),
  max_position_embeddings: contextSize.nullish(),
  ...ropeFields,
  tie_word_embeddings: z.boolean().optional(),
  sliding_window: contextSize.nullish(),
  layer_types: z.array(z.enum(["full_attention", "sliding_attention"])).nullish(),
  bos_token_id: z.int().min(0).nullish(),
  eos_token_id: tokenIds,
  quantization_config: z.unknown().optional(),
};
export type CommonFields = z.infer<z.ZodObject<typeof COMMON_FIELDS>>;

/** What a family assumes for fields that config.json leaves out (transformers, `configuration_*.py`). */
export interface FamilyDefaults {
  /** Null: as many as query heads. */
  readonly keyValueHeads: number | null;
  /** Null: hidden_size / num_attention_heads. */
  readonly headDim: number | null;
  readonly contextLength: number;
  readonly normEpsilon: number;
  readonly tiedHead: boolean;
  readonly theta: number;
  readonly window: number | null;
}

export const LLAMA_DEFAULTS: FamilyDefaults = {
  keyValueHeads: null,
  headDim: null,
  contextLength: 2048,
  normEpsilon: 1e-6,
  tiedHead: false,
  theta: 10_000,
  window: null,
};

/** What the parts of a model may depend on beside the family's fields. */
export interface Sizes {
  readonly layers: number;
  readonly width: number;
  readonly headDim: number;
  readonly contextLength: number;
  /** `sliding_window`; an explicit null stays null, an absent field is the family's default. */
  readonly window: number | null;
  /** The rotation that the common fields describe. */
  readonly rotary: () => Rotary;
  /** config.json, for messages. */
  readonly path: string;
}

export interface FamilyDefinition<Shape extends z.ZodRawShape> {
  /** `model_type` of config.json. */
  readonly type: string;
  /** The class that transformers loads it with. */
  readonly architecture: string;
  /** Its best known models, in a user's words. */
  readonly models: string;
  readonly defaults: FamilyDefaults;
  /** Fields beyond the common ones, or with other limits. */
  readonly fields: Shape;
  /** Where its layers differ from Llama's. */
  readonly parts?: (fields: CommonFields & z.infer<z.ZodObject<Shape>>, sizes: Sizes) => Partial<ModelParts>;
  /** How each layer attends; when left out, all of them to everything before, rotated. */
  readonly attention?: (fields: CommonFields & z.infer<z.ZodObject<Shape>>, sizes: Sizes) => readonly LayerAttention[];
  /**
   * The longest sequence that this engine computes as transformers does, where that is less than the context length.
   */
  readonly longestExact?: (fields: CommonFields & z.infer<z.ZodObject<Shape>>, sizes: Sizes) => number;
  /** The family's own fields for a config that it has read. */
  readonly write: (config: ModelConfig) => Readonly<Record<string, unknown>>;
}

export interface Family {
  readonly type: string;
  readonly architecture: string;
  readonly models: string;
  /**
   * Reads a parsed config.json.
   *
   * @param generationEnds ids of generation_config.json that end a generation; empty where it names none
   * @param path names the file in errors
   * @throws UserError naming the field that is wrong or asks for what this engine does not compute
   */
  readonly read: (json: unknown, generationEnds: readonly number[], path: string) => ModelConfig;
  /** config.json of a model that `read` gives back, in the spelling that transformers 4 and 5 both read. */
  readonly write: (config: ModelConfig) => Record<string, unknown>;
}

export function defineFamily<Shape extends z.ZodRawShape>(definition: FamilyDefinition<Shape>): Family {
  const { type, architecture, models } = definition;
  const schema = z.object({ ...ABSENT_FEATURES, ...COMMON_FIELDS, ...definition.fields });
  return {
    type,
    architecture,
    models,
    read: (json, generationEnds, path) => {
      // The spread of shapes above is this intersection; zod's own type of it cannot be followed for a type parameter.
      const fields = checkedBy(schema, json, path) as CommonFields & z.infer<z.ZodObject<Shape>>;
      const config = modelOf(definition, fields, generationEnds, "sliding_window" in (json as object), path);
      checkModel(config, path);
      return config;
    },
    write: (config) => ({ architectures: [architecture], ...commonJson(config), ...definition.write(config) }),
  };
}

function modelOf<Shape extends z.ZodRawShape>(
  { type, defaults, ...definition }: FamilyDefinition<Shape>,
  fields: CommonFields & z.infer<z.ZodObject<Shape>>,
  generationEnds: readonly number[],
  windowGiven: boolean,
  path: string,
): ModelConfig {
  const { heads, keyValueHeads, headDim } = headSizes(fields, defaults, path);
  const contextLength = fields.max_position_embeddings ?? defaults.contextLength;
  const sizes: Sizes = {
    layers: fields.num_hidden_layers,
    width: fields.hidden_size,
    headDim,
    contextLength,
    window: windowGiven ? (fields.sliding_window ?? null) : defaults.window,
    rotary: () => readRotary(fields, { theta: defaults.theta, dimensions: headDim, contextLength, path }),
    path,
  };
  const attention =
    definition.attention?.(fields, sizes) ?? everyLayer(sizes, { window: null, rotary: sizes.rotary() });
  return {
    ...llamaParts(headDim),
    ...(fields.hidden_act == null ? {} : { activation: activationOf(fields.hidden_act) }),
    ...definition.parts?.(fields, sizes),
    family: type,
    vocabularySize: fields.vocab_size,
    width: fields.hidden_size,
    layers: fields.num_hidden_layers,
    heads,
    keyValueHeads,
    headDim,
    mlpWidth: fields.intermediate_size,
    attention: attention.map((layer) => withoutIdleWindow(layer, contextLength)),
    normEpsilon: fields.rms_norm_eps ?? defaults.normEpsilon,
    contextLength: Math.min(contextLength, definition.longestExact?.(fields, sizes) ?? contextLength),
    tiedHead: fields.tie_word_embeddings ?? defaults.tiedHead,
    startToken: fields.bos_token_id ?? null,
    endTokens: generationEnds.length > 0 ? generationEnds : fields.eos_token_id,
  };
}

function headSizes(fields: CommonFields, defaults: FamilyDefaults, path: string) {
  const heads = fields.num_attention_heads;
  const keyValueHeads = fields.num_key_value_heads ?? defaults.keyValueHeads ?? heads;
  if (heads % keyValueHeads !== 0) {
    throw wrongField("num_attention_heads", path, `a multiple of the ${keyValueHeads} key/value heads`, heads);
  }
  const given = fields.head_dim ?? defaults.headDim;
  if (given === null && fields.hidden_size % heads !== 0) {
    const expected = `a multiple of num_attention_heads (${heads}), as there is no head_dim`;
    throw wrongField("hidden_size", path, expected, fields.hidden_size);
  }
  const headDim = given ?? fields.hidden_size / heads;
  if (headDim % 2 !== 0) {
    throw wrongField("head_dim", path, "even, as rotary positions turn pairs of dimensions", headDim);
  }
  return { heads, keyValueHeads, headDim };
}

/** A window as long as the context hides nothing. */
function withoutIdleWindow(layer: LayerAttention, contextLength: number): LayerAttention {
  return layer.window !== null && layer.window >= contextLength ? { ...layer, window: null } : layer;
}

function checkModel(config: ModelConfig, path: string): void {
  const specialIds: readonly (readonly [string, number])[] = [
    ...(config.startToken === null ? [] : [["bos_token_id", config.startToken] as const]),
    ...config.endTokens.map((id) => ["eos_token_id", id] as const),
  ];
  for (const [field, id] of specialIds) {
    if (id >= config.vocabularySize) {
      throw wrongField(field, path, `below vocab_size (${config.vocabularySize})`, id);
    }
  }
  const parameters = parameterCount(config);
  if (parameters > LIMITS.parameters) {
    throw new UserError(
      `expected at most ${LIMITS.parameters} parameters from the sizes in ${path}, got ${parameters}`,
    );
  }
}

/** The same attention in every layer. */
export function everyLayer({ layers }: Pick<Sizes, "layers">, attention: LayerAttention): LayerAttention[] {
  return Array.from({ length: layers }, () => attention);
}

/** `layer_types` where config.json has it, else what the family computes; checked to name every layer. */
export function layerTypes(
  { layer_types: given }: CommonFields,
  { layers, path }: Sizes,
  otherwise: (layer: number) => "full_attention" | "sliding_attention",
): readonly ("full_attention" | "sliding_attention")[] {
  if (given == null) return Array.from({ length: layers }, (_, layer) => otherwise(layer));
  if (given.length !== layers) throw wrongField("layer_types", path, `a list of ${layers} layers`, given.length);
  return given;
}

/** Fields that mean the same in every family, for a config that is written anew. */
function commonJson(config: ModelConfig): Record<string, unknown> {
  return {
    model_type: config.family,
    vocab_size: config.vocabularySize,
    hidden_size: config.width,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.keyValueHeads,
    head_dim: config.headDim,
    intermediate_size: config.mlpWidth,
    hidden_act: WRITTEN_ACTIVATIONS[config.activation],
    rms_norm_eps: config.normEpsilon,
    max_position_embeddings: config.contextLength,
    ...writeRope(config.attention.find(({ rotary }) => rotary !== null)?.rotary ?? null),
    tie_word_embeddings: config.tiedHead,
    bos_token_id: config.startToken,
    eos_token_id: config.endTokens.length === 1 ? config.endTokens[0] : config.endTokens,
  };
}

/** The window of the layers that have one; null when none has. */
export function windowOf({ attention }: ModelConfig): number | null {
  return attention.find(({ window }) => window !== null)?.window ?? null;
}

/** Each layer's kind in the words of config.json. */
export function writtenLayerTypes({ attention }: ModelConfig): string[] {
  return attention.map(({ window }) => (window === null ? "full_attention" : "sliding_attention"));
}

/** Validates against a schema; the first issue becomes a UserError with its field's path. */
export function checkedBy<T>(schema: z.ZodType<T>, json: unknown, path: string): T {
  const result = schema.safeParse(json, { reportInput: true });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const expected = issue.message
    .replace(/^(Invalid|Too) \w+: expected (number to be )?/, "")
    .replace(/, received .*$/, "");
  throw wrongField(issue.path.map(String).join("."), path, expected, issue.input);
}

export function wrongField(field: string, path: string, expected: string, got: unknown): UserError {
  return new UserError(
    `expected ${field} of ${path} to be ${expected}, got ${got === undefined ? "nothing" : shown(got)}`,
  );
}

export const generationSchema = z.object({ eos_token_id: tokenIds });
