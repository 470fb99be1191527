/** What follows from a model's sizes: parameters, and the facts that planning and cost accounting need. */

import type { ModelFacts } from "../engine.js";
import { adapterParameterCount, type Lora } from "./lora.js";
import type { ModelConfig } from "./model-config.js";
import { elementCount, modelTensors } from "./tensors.js";

/** All parameters, embeddings included; a tied head is counted once. */
export function parameterCount(config: ModelConfig): number {
  return modelTensors(config).reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

/**
 * All parameters but the input embedding and the vocabulary head: P of the cost formulas (Kaplan et al. 2020, section
 * 2.1).
 */
export function nonEmbeddingParameterCount(config: ModelConfig): number {
  const embedding = config.vocabularySize * config.width;
  return parameterCount(config) - (config.tiedHead ? embedding : 2 * embedding);
}

/**
 * What the engine's interface says of a model. `name` is what reports call it; with `lora` it has an adapter, which
 * alone is trained.
 */
export function modelFacts(name: string, config: ModelConfig, lora: Lora | null = null): ModelFacts {
  const adapter = lora === null ? 0 : adapterParameterCount(config, lora);
  return {
    name,
    parameters: parameterCount(config) + adapter,
    nonEmbeddingParameters: nonEmbeddingParameterCount(config) + adapter,
    trainableParameters: lora === null ? parameterCount(config) : adapter,
    layers: config.layers,
    attentionWidth: config.heads * config.headDim,
    contextLength: config.contextLength,
    vocabularySize: config.vocabularySize,
  };
}
