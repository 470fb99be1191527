/** What every engine refuses before it computes anything. */

import { UserError } from "../errors.js";
import type { ModelFacts, SampleRequest, SamplingParams, TrainingExample } from "./engine.js";

type Sizes = Pick<ModelFacts, "name" | "contextLength" | "vocabularySize">;

export function checkSampling(model: Sizes, { prefix, maxTokens, temperature, topP }: SamplingParams): void {
  if (!(temperature >= 0 && Number.isFinite(temperature)))
    throw new UserError(`expected a temperature of at least 0, got ${temperature}`);
  if (!(topP > 0 && topP <= 1)) throw new UserError(`expected top-p in (0, 1], got ${topP}`);
  if (!Number.isSafeInteger(maxTokens) || maxTokens < 1)
    throw new UserError(`expected at least 1 new token, got ${maxTokens}`);
  checkTokens(model, "the shared prefix", prefix);
}

export function checkRequest(model: Sizes, request: SampleRequest, { prefix, maxTokens }: SamplingParams): void {
  const { contextLength, name } = model;
  const prompt = prefix.length + request.prompt.length;
  if (prompt === 0)
    throw new UserError(`expected a prompt of at least one token for ${request.name}, got an empty one`);
  if (prompt + maxTokens > contextLength) {
    throw new UserError(
      `expected prompt and generation of ${request.name} within the ${contextLength} tokens of ${name}, ` +
        `got ${prompt} of prompt and up to ${maxTokens} new ones: use fewer exemplars, fewer new tokens or a shorter question`,
    );
  }
  checkTokens(model, request.name, request.prompt);
}

export function checkExamples(model: Sizes, examples: readonly TrainingExample[]): void {
  if (examples.length === 0) throw new Error("trainStep needs at least one example");
  for (const { name, tokens, completionStart } of examples) {
    if (tokens.length > model.contextLength) {
      throw new UserError(
        `expected at most ${model.contextLength} tokens in the training example ${name}, got ${tokens.length}`,
      );
    }
    if (!(completionStart >= 1 && completionStart < tokens.length)) {
      throw new Error(`training example ${name}: completion starts at ${completionStart} of ${tokens.length} tokens`);
    }
    checkTokens(model, name, tokens);
  }
}

export function checkTokens({ vocabularySize }: Sizes, name: string, tokens: readonly number[]): void {
  const foreign = tokens.find((token) => !Number.isSafeInteger(token) || token < 0 || token >= vocabularySize);
  if (foreign !== undefined)
    throw new UserError(`expected token ids below ${vocabularySize} in ${name}, got ${foreign}`);
}
