/**
 * Makes a starter model: a small Llama, trained from random weights on worked examples of a generated task. Most of the
 * examples are easy, so it learns the form, and the hard cases are left for it to teach itself.
 */

import { resolve } from "node:path";
import { learningRateAt } from "../../algorithm/schedule.js";
import { writeNewCheckpoint } from "../../engine/checkpoint/checkpoint.js";
import { type ModelConfig, newLlama } from "../../engine/checkpoint/model-config.js";
import { wordTokenizer } from "../../engine/checkpoint/word-tokenizer.js";
import type { OptimizerParams, Tokenizer, TrainingExample } from "../../engine/engine.js";
import { initialWeights } from "../../engine/onnx/initialize.js";
import { UserError } from "../../errors.js";
import { type Family, generatedFormat, pretrainingExamples, type WorkedExample } from "../../tasks/generated/family.js";
import { familyNamed } from "../../tasks/registry.js";
import { openCheckpoint } from "../open-engine.js";
import type { PretrainOptions } from "./starter-recipe.js";

export interface PretrainProgress {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  /** Tokens trained so far. */
  readonly tokens: number;
  readonly seconds: number;
}

const OPTIMIZER: Omit<OptimizerParams, "learningRate"> = {
  kind: "adamw",
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0.01,
  maxGradientNorm: 1,
};

/**
 * Trains a starter model and saves it in `folder` as a Hugging Face checkpoint. The same options give the same weights
 * on the same machine.
 *
 * @returns the loss of the last step, in nats a token
 * @throws UserError if the sizes do not fit together
 */
export async function pretrain(
  folder: string,
  options: PretrainOptions,
  listener: (progress: PretrainProgress) => void = () => {},
): Promise<{ readonly loss: number; readonly tokens: number; readonly seconds: number }> {
  const clock = performance.now();
  const family = familyNamed(options.task);
  const config = modelConfig(options, family);
  const { tokenizerJson, tokenizerConfig } = wordTokenizer(family.vocabulary, SPECIAL_TOKENS);
  const weights = initialWeights(config, options.seed);
  await writeNewCheckpoint(folder, { config, weights, dtype: "float32", tokenizerJson, tokenizerConfig });
  const engine = await openCheckpoint({ model: folder, threads: options.threads });
  try {
    const { steps, batchSize, learningRate: peak, warmupSteps, hardShare, seed } = options;
    const worked = pretrainingExamples(family, seed, steps * batchSize, { hardShare: hardShare ?? undefined });
    const examples = worked.map((example) => trainingExample(engine.tokenizer, example));
    let tokens = 0;
    let loss = Number.NaN;
    for (let step = 0; step < steps; step++) {
      const batch = examples.slice(step * batchSize, (step + 1) * batchSize);
      const learningRate = learningRateAt(step, steps, { peak, warmupSteps, decay: "cosine", final: 0.1 });
      const result = await engine.trainStep(batch, { ...OPTIMIZER, learningRate });
      loss = result.loss;
      tokens += result.tokens;
      listener({ step: step + 1, steps, loss, tokens, seconds: (performance.now() - clock) / 1000 });
    }
    await engine.save({ folder: resolve(folder), name: "starter" });
    return { loss, tokens, seconds: (performance.now() - clock) / 1000 };
  } finally {
    await engine.close();
  }
}

const SPECIAL_TOKENS = { end: "<end>", pad: "<pad>" } as const;

function modelConfig(
  { width, layers, heads, mlpWidth, contextLength }: PretrainOptions,
  { vocabulary }: Family,
): ModelConfig {
  if (width % (2 * heads) !== 0) {
    throw new UserError(`expected a width that is a multiple of twice the ${heads} heads, got ${width}`);
  }
  const { vocabularySize } = wordTokenizer(vocabulary, SPECIAL_TOKENS);
  return newLlama({
    ...{ vocabularySize, width, layers, heads, mlpWidth, contextLength },
    keyValueHeads: heads,
    headDim: width / heads,
  });
}

function trainingExample(tokenizer: Tokenizer, example: WorkedExample): TrainingExample {
  const prompt = [...tokenizer.startTokens, ...tokenizer.encode(generatedFormat.prompt(example))];
  const completion = tokenizer.encode(generatedFormat.completion(example.rationale, example.answer));
  return {
    name: example.question,
    tokens: [...prompt, ...completion, tokenizer.endTokens[0]],
    completionStart: prompt.length,
  };
}
