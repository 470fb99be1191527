import type { Capabilities, ModelFacts } from "../engine.js";
import { VOCABULARY_SIZE } from "./code-point-tokenizer.js";

export const SCRIPTED_CAPABILITIES: Capabilities = {
  exactRestore: true,
  // Its log-probabilities are sums in a fixed order: the same weights give the same ones.
  canaryTolerance: 1e-9,
  checkpoints: "folder",
  sharesPrefix: true,
  maxInFlight: 64,
  stepsInFlight: 1,
  simulated: true,
};

/** The size of model that the simulated learner stands for in costs. */
export const SCRIPTED_MODEL: ModelFacts = {
  name: "scripted",
  parameters: 1_000_000,
  nonEmbeddingParameters: 900_000,
  trainableParameters: 1_000_000,
  layers: 4,
  attentionWidth: 128,
  contextLength: 4_096,
  vocabularySize: VOCABULARY_SIZE,
};
