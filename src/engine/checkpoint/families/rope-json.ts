/**
 * Rotary settings of config.json, in both spellings: `rope_theta` and `rope_scaling` (transformers 4),
 * `rope_parameters` (5).
 */

import { z } from "zod";
import { shown, UserError } from "../../../errors.js";
import type { Rotary, RotaryScaling } from "../rotary.js";

const length = z
  .int()
  .min(1)
  .max(1 << 30);
const factors = z.array(z.number().positive());

/** The rope object; which of its fields are needed depends on its type. */
export const ropeSchema = z.object({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().min(1).nullish(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: length.optional(),
  attention_factor: z.number().positive().nullish(),
  beta_fast: z.number().positive().nullish(),
  beta_slow: z.number().positive().nullish(),
  mscale: z.number().nullish(),
  mscale_all_dim: z.number().nullish(),
  truncate: z.boolean().optional(),
  short_factor: factors.optional(),
  long_factor: factors.optional(),
  partial_rotary_factor: z.number().positive().max(1).optional(),
  // Settings by kind of layer, which only families that say so understand.
  full_attention: z.undefined().optional(),
  sliding_attention: z.undefined().optional(),
});
type RopeObject = z.infer<typeof ropeSchema>;

export const ropeFields = {
  rope_theta: z.number().positive().nullish(),
  rope_scaling: ropeSchema.nullish(),
  rope_parameters: ropeSchema.nullish(),
  original_max_position_embeddings: length.nullish(),
};
export type RopeFields = z.infer<z.ZodObject<typeof ropeFields>>;

export interface RopeContext {
  readonly theta: number;
  /** Dimensions that turn where all of a head does. */
  readonly dimensions: number;
  readonly contextLength: number;
  /** config.json, for messages. */
  readonly path: string;
  /** The share of each head that turns, for families whose heads may turn in part. */
  readonly partial?: number;
  /** Names of older configs for a type. */
  readonly aliases?: Readonly<Record<string, string>>;
}

/**
 * @throws UserError for a type that this engine does not compute, and for a field that its type needs and that is not
 * there
 */
export function readRotary(fields: RopeFields, context: RopeContext): Rotary {
  const name = fields.rope_parameters ? "rope_parameters" : "rope_scaling";
  const rope = fields.rope_parameters ?? fields.rope_scaling ?? {};
  return readRope(rope, name, fields, context);
}

/** The same of one rope object, which errors call `name`. */
export function readRope(rope: RopeObject, name: string, fields: RopeFields, context: RopeContext): Rotary {
  const share = rope.partial_rotary_factor ?? context.partial ?? 1;
  if (share !== 1 && context.partial === undefined) {
    throw new UserError(`expected ${name}.partial_rotary_factor of ${context.path} to be 1, got ${share}`);
  }
  const dimensions = Math.trunc(context.dimensions * share);
  if (dimensions % 2 !== 0) {
    throw new UserError(
      `expected partial_rotary_factor of ${context.path} to turn an even number of dimensions of a head, ` +
        `got ${dimensions}`,
    );
  }
  const theta = rope.rope_theta ?? fields.rope_theta ?? context.theta;
  return { theta, dimensions, scaling: readScaling(rope, name, fields, { ...context, dimensions }) };
}

function readScaling(rope: RopeObject, name: string, fields: RopeFields, context: RopeContext): RotaryScaling | null {
  const { path } = context;
  const given = rope.rope_type ?? rope.type ?? "default";
  const type = context.aliases?.[given] ?? given;
  const need = <Field extends keyof RopeObject>(field: Field): NonNullable<RopeObject[Field]> => {
    const value = rope[field];
    if (value == null) {
      throw new UserError(`expected ${name}.${field} in ${path}, which type "${type}" needs, got none`);
    }
    return value;
  };
  const original = () =>
    fields.original_max_position_embeddings ?? rope.original_max_position_embeddings ?? context.contextLength;
  switch (type) {
    case "default":
      return null;
    case "linear":
      return { kind: "linear", factor: need("factor") };
    case "dynamic":
      return { kind: "dynamic", factor: need("factor") };
    case "llama3": {
      const [lowFrequencyFactor, highFrequencyFactor] = [need("low_freq_factor"), need("high_freq_factor")];
      if (highFrequencyFactor <= lowFrequencyFactor) {
        throw new UserError(
          `expected ${name}.high_freq_factor of ${path} to exceed low_freq_factor (${lowFrequencyFactor}), ` +
            `got ${highFrequencyFactor}`,
        );
      }
      const originalContextLength = need("original_max_position_embeddings");
      return { kind: "llama3", factor: need("factor"), lowFrequencyFactor, highFrequencyFactor, originalContextLength };
    }
    case "yarn":
      return yarn(rope, original(), rope.factor ?? context.contextLength / original());
    case "longrope":
      return longRope(rope, need("short_factor"), need("long_factor"), original(), name, context);
    default: {
      const known = "default, linear, dynamic, llama3, yarn or longrope";
      throw new UserError(`expected ${name}.rope_type of ${path} to be ${known}, got ${shown(given)}`);
    }
  }
}

function yarn(rope: RopeObject, originalContextLength: number, factor: number): RotaryScaling {
  const scaled = (mscale: number) => (factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1);
  const derived = rope.mscale && rope.mscale_all_dim ? scaled(rope.mscale) / scaled(rope.mscale_all_dim) : scaled(1);
  return {
    kind: "yarn",
    factor,
    betaFast: rope.beta_fast ?? 32,
    betaSlow: rope.beta_slow ?? 1,
    originalContextLength,
    truncate: rope.truncate ?? true,
    attentionFactor: rope.attention_factor ?? derived,
  };
}

function longRope(
  rope: RopeObject,
  shortFactors: readonly number[],
  longFactors: readonly number[],
  originalContextLength: number,
  name: string,
  { dimensions, contextLength, path }: RopeContext,
): RotaryScaling {
  for (const [field, list] of [
    ["short_factor", shortFactors],
    ["long_factor", longFactors],
  ] as const) {
    if (list.length === dimensions / 2) continue;
    throw new UserError(
      `expected ${name}.${field} of ${path} to have ${dimensions / 2} factors, one for each pair of dimensions ` +
        `that turns, got ${list.length}`,
    );
  }
  const factor = rope.factor ?? contextLength / originalContextLength;
  const derived = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalContextLength));
  const attentionFactor = rope.attention_factor ?? derived;
  return { kind: "longrope", shortFactors, longFactors, originalContextLength, attentionFactor };
}

/** `rope_theta` and `rope_scaling` of config.json. */
export function writeRope(rotary: Rotary | null): Record<string, unknown> {
  if (rotary === null) return {};
  return { rope_theta: rotary.theta, rope_scaling: rotary.scaling && writeScaling(rotary.scaling) };
}

function writeScaling(scaling: RotaryScaling): Record<string, unknown> {
  const type = { rope_type: scaling.kind };
  switch (scaling.kind) {
    case "linear":
    case "dynamic":
      return { ...type, factor: scaling.factor };
    case "llama3":
      return {
        ...type,
        factor: scaling.factor,
        low_freq_factor: scaling.lowFrequencyFactor,
        high_freq_factor: scaling.highFrequencyFactor,
        original_max_position_embeddings: scaling.originalContextLength,
      };
    case "yarn":
      return {
        ...type,
        factor: scaling.factor,
        beta_fast: scaling.betaFast,
        beta_slow: scaling.betaSlow,
        original_max_position_embeddings: scaling.originalContextLength,
        truncate: scaling.truncate,
        attention_factor: scaling.attentionFactor,
      };
    case "longrope":
      return {
        ...type,
        short_factor: scaling.shortFactors,
        long_factor: scaling.longFactors,
        original_max_position_embeddings: scaling.originalContextLength,
        attention_factor: scaling.attentionFactor,
      };
  }
}
