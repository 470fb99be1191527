/**
 * What the lines of a journal must look like. The seal proves that this program wrote a line, not which version of it,
 * so every line is checked. Values that an earlier version of the format did not write yet get the value that they had
 * then.
 */

import { z } from "zod";
import type { Method } from "../../algorithm/methods.js";
import type { ModelFacts } from "../../engine/engine.js";
import type { FlopsByPurpose, IterationRecord } from "../events.js";

const count = z.int().nonnegative();
const text = z.string();
const number = z.number();
const evaluationKind = z.enum(["zero-shot", "few-shot", "self-consistency"]);

const fileDigest = z.looseObject({ path: text, bytes: count, sha256: text });
const logs = z.array(fileDigest).default([]);
const canary = z.array(number).default([]);
const checkpoint = z.union([
  z.looseObject({ folder: text, weights: text, files: z.array(fileDigest) }),
  z.looseObject({ uri: text, weights: text, files: z.array(fileDigest) }),
]);

/** Before engines could train fewer parameters than they have, all were trained. */
const model = z
  .looseObject({
    name: text,
    parameters: count,
    trainableParameters: count.exactOptional(),
    nonEmbeddingParameters: count,
    layers: count,
    attentionWidth: count,
    contextLength: count,
    vocabularySize: count,
  })
  .transform((facts): ModelFacts => ({ ...facts, trainableParameters: facts.trainableParameters ?? facts.parameters }));

/** The parts that reading depends on; a method of an earlier version may lack others. */
const methodShape = z.looseObject({
  name: text,
  completions: text,
  visits: text,
  tries: count,
  rationalize: z.boolean(),
  batch: text,
  start: text,
  queueKey: z.array(text),
  evaluations: z.array(evaluationKind).min(1),
});
const method = z.custom<Method>((value) => methodShape.safeParse(value).success, "expected a method with its parts");

const evaluationResult = z.looseObject({
  observations: count,
  correct: count,
  accuracy: number,
  strictAccuracy: number,
  lenientAccuracy: number,
  finished: number,
  promptTokens: count,
  generatedTokens: count,
  flops: number,
});

const samplingFlops = {
  sampling: number,
  sharedPrefix: number.default(0),
  prompt: number.default(0),
  generation: number.default(0),
  samplingUnshared: number,
  wasted: number,
  probes: number.default(0),
};
const flops: z.ZodType<FlopsByPurpose> = z.looseObject({ ...samplingFlops, training: number, total: number });

const visitFigures = {
  target: count.nullable(),
  visited: count,
  solved: count,
  alpha: number,
  kept: count,
  wrongSteps: number.nullable(),
  temperature: number,
  sampledTokens: count,
};

const record: z.ZodType<IterationRecord> = z.looseObject({
  ...visitFigures,
  iteration: count,
  popped: count,
  everVisited: count.exactOptional(),
  observations: count.exactOptional(),
  steps: count,
  loss: number.nullable(),
  testAccuracy: number,
  accuracies: z.partialRecord(evaluationKind, number).default({}),
  testFinished: number,
  trainedTokens: count,
  flops,
  cumulativeFlops: flops,
  seconds: z.looseObject({ visit: number, train: number, evaluate: number }),
});

const stamp = { seq: count, time: text };
const seconds = number;
const settings = z.record(text, z.unknown());

/** An entry of format 1. */
export const journalFormat1 = z.discriminatedUnion("kind", [
  z.looseObject({
    ...stamp,
    kind: z.literal("opened"),
    format: count,
    settings,
    data: text,
    weights: text,
    canary,
    model,
    method,
  }),
  z.looseObject({ ...stamp, kind: z.literal("reconfigured"), settings }),
  z.looseObject({
    ...stamp,
    kind: z.literal("visited"),
    iteration: count,
    result: z.looseObject({
      ...visitFigures,
      draws: count,
      balance: z
        .array(z.looseObject({ temperature: number, score: number }))
        .nullable()
        .default(null),
      flops: z.looseObject(samplingFlops),
    }),
    kept: fileDigest,
    logs,
    seconds,
  }),
  z.looseObject({
    ...stamp,
    kind: z.literal("trained"),
    iteration: count,
    result: z.looseObject({
      steps: count,
      loss: number.nullable(),
      tokens: count,
      completionTokens: count,
      flops: number,
    }),
    checkpoint,
    canary,
    logs,
    seconds,
  }),
  z.looseObject({
    ...stamp,
    kind: z.literal("evaluated"),
    iteration: count,
    result: evaluationResult,
    further: z.partialRecord(evaluationKind, evaluationResult).exactOptional(),
    logs,
    seconds,
  }),
  z.looseObject({ ...stamp, kind: z.literal("committed"), iteration: count, record, queue: fileDigest }),
  z.looseObject({ ...stamp, kind: z.literal("finished"), reason: text }),
]);
