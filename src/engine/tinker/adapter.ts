/** The adapter that a server trains (LoRA, Hu et al. 2022): its size, for cost accounting. */

import type { ModelConfig } from "../checkpoint/model-config.js";
import { modelFacts } from "../checkpoint/model-facts.js";
import { modelTensors } from "../checkpoint/tensors.js";
import type { ModelFacts } from "../engine.js";

export interface AdapterOptions {
  readonly rank: number;
  /** Of the random matrices A; the matrices B are zero at the start. */
  readonly seed: number;
}

/** Facts of a model with an adapter of that rank beside every matrix of attention and MLP. */
export function adaptedFacts(name: string, config: ModelConfig, { rank }: Pick<AdapterOptions, "rank">): ModelFacts {
  const facts = modelFacts(name, config);
  const adapted = modelTensors(config).filter(
    ({ name: tensor, role }) => role === "matrix" && tensor.includes("_proj"),
  );
  // A is [rank, columns], B is [rows, rank].
  const adapter = adapted.reduce((sum, { shape: [rows, columns] }) => sum + rank * (rows + columns), 0);
  return {
    ...facts,
    parameters: facts.parameters + adapter,
    nonEmbeddingParameters: facts.nonEmbeddingParameters + adapter,
    trainableParameters: adapter,
  };
}
