/** Random weights for a model that is trained from scratch. */

import { gaussian, seedFor } from "../../algorithm/random.js";
import type { ModelConfig } from "../checkpoint/model-config.js";
import { elementCount, modelTensors } from "../checkpoint/tensors.js";
import type { Weights } from "../checkpoint/weights.js";

/** Spread of embedding rows. */
const EMBEDDING_DEVIATION = 0.02;

/**
 * Norms multiply by 1, biases are 0, matrices normal with deviation 1/√(inputs), so that a layer keeps its input's
 * scale at any width.
 */
export function initialWeights(config: ModelConfig, seed: number): Weights {
  const weights: Weights = new Map();
  for (const [place, { name, shape, role }] of modelTensors(config).entries()) {
    const data = new Float32Array(elementCount(shape));
    if (role === "norm") data.fill(1 - config.normOffset);
    if (role === "matrix" || role === "embedding") {
      const deviation = role === "embedding" ? EMBEDDING_DEVIATION : 1 / Math.sqrt(shape[1]);
      const key = seedFor(seed, "pretrain", 0, place);
      for (let i = 0; i < data.length; i++) data[i] = deviation * gaussian(key, i);
    }
    weights.set(name, data);
  }
  return weights;
}
