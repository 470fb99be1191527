/**
 * LoRA (Hu et al. 2022): a frozen matrix W [outputs, inputs] gets an adapter of two small ones, and computes x · Wᵀ +
 * α/r · dropout(x) · Aᵀ · Bᵀ with A [r, inputs] and B [outputs, r]. Only A and B are trained. Names are PEFT's.
 */

import { UserError } from "../../errors.js";
import type { ModelConfig } from "./model-config.js";
import { elementCount, modelTensors } from "./tensors.js";

/** The linear maps of a layer, by the last part of their names. */
export const LORA_TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] as const;
type LoraTarget = (typeof LORA_TARGETS)[number];

export interface Lora {
  readonly rank: number;
  readonly alpha: number;
  /** Share of the adapters' inputs that are set to zero in training, in [0, 1). */
  readonly dropout: number;
  /** The linear maps that get an adapter, in every layer. */
  readonly targets: readonly LoraTarget[];
}

interface AdapterTensor {
  /** As PEFT stores it. */
  readonly name: string;
  readonly shape: readonly [number, number];
}

/** The adapter of one matrix. */
export interface AdapterPair {
  /** Name of the matrix, without `.weight`. */
  readonly map: string;
  /** [rank, inputs] and [outputs, rank] */
  readonly a: AdapterTensor;
  readonly b: AdapterTensor;
}

/** Factor on an adapter's output. */
export function loraScale({ alpha, rank }: Pick<Lora, "alpha" | "rank">): number {
  return alpha / rank;
}

/** The adapters of a model, in the order of its matrices. Throws UserError for a target that files hold fused. */
export function adapterPairs(config: ModelConfig, { rank, targets }: Pick<Lora, "rank" | "targets">): AdapterPair[] {
  refuseFused(config, targets);
  return modelTensors(config).flatMap(({ name, shape, role }) => {
    const target = /\.(\w+)\.weight$/.exec(name)?.[1];
    if (role !== "matrix" || !targets.some((wanted) => wanted === target)) return [];
    const map = name.replace(/\.weight$/, "");
    const [outputs, inputs] = shape;
    const stored = (part: "A" | "B") => `base_model.model.${map}.lora_${part}.weight`;
    return { map, a: { name: stored("A"), shape: [rank, inputs] }, b: { name: stored("B"), shape: [outputs, rank] } };
  });
}

/** Where q, k, v are one matrix in files, PEFT gives them one adapter together, which is another model. */
function refuseFused({ fusedWeights, family }: ModelConfig, targets: readonly LoraTarget[]): void {
  const whole: readonly LoraTarget[] = ["o_proj", "down_proj"];
  const fused = fusedWeights ? targets.filter((target) => !whole.includes(target)) : [];
  if (fused.length === 0) return;
  throw new UserError(
    `expected LoRA targets among ${whole.join(", ")} for a ${family} model, whose files hold the other matrices fused, ` +
      `got ${fused.join(", ")}; use --lora-targets ${whole.join(",")}`,
  );
}

/** Parameters of a model's adapters. */
export function adapterParameterCount(config: ModelConfig, lora: Lora): number {
  return adapterPairs(config, lora).reduce((sum, { a, b }) => sum + elementCount(a.shape) + elementCount(b.shape), 0);
}
