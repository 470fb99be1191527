/** Random weights for a model that is trained from scratch. */

import { gaussian, seedFor } from "../../algorithm/random.js";
import type { Weights } from "../checkpoint/checkpoint.js";
import { expectedTensors, type ModelConfig } from "../checkpoint/model-config.js";
import { EMBEDDING } from "./llama.js";

/** Spread of embedding rows. */
const EMBEDDING_DEVIATION = 0.02;

/** Norms are 1, biases 0, matrices normal with deviation 1/√(inputs), so that a layer keeps its input's scale at any width. */
export function initialWeights(config: ModelConfig, seed: number): Weights {
  const weights: Weights = new Map();
  for (const [place, { name, shape }] of expectedTensors(config).entries()) {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    if (shape.length === 1) {
      if (name.endsWith("weight")) data.fill(1);
    } else {
      const deviation = name === EMBEDDING ? EMBEDDING_DEVIATION : 1 / Math.sqrt(shape[1] as number);
      const key = seedFor(seed, "pretrain", 0, place);
      for (let i = 0; i < data.length; i++) data[i] = deviation * gaussian(key, i);
    }
    weights.set(name, data);
  }
  return weights;
}
