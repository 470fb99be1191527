/** From the algorithm's requests to judged samples: the only place where prompts, engine and verifier meet. */

import type { Outcome, TryRequest } from "../algorithm/iteration.js";
import { seedFor } from "../algorithm/random.js";
import type { Engine, Sample, SampleRequest, SamplingParams, StopReason } from "../engine/engine.js";
import type { Judgement, Observation, Task } from "../tasks/task.js";
import type { RunConfig } from "./config-fields.js";
import { nameOf, type Prompts } from "./prompts.js";
import type { TapeRecord } from "./tape.js";

/** A sample and what the verifier made of it: a line of evaluation.jsonl, and most of one of samples.jsonl. */
export interface JudgedSample extends TapeRecord, Outcome {
  /** Index of the observation in its split. */
  readonly observation: number;
  readonly id: string;
  readonly tokens: readonly number[];
  readonly text: string;
  readonly stop: StopReason;
  readonly prefixTokens: number;
  readonly promptTokens: number;
  readonly generatedTokens: number;
  readonly strict: Judgement;
  readonly lenient: Judgement;
  readonly extracted: string | null;
  /** Ended, and correct by the run's `accept`. */
  readonly correct: boolean;
}

/** A line of samples.jsonl. */
export interface DrawnSample extends JudgedSample, TryRequest {}

/** What drawing needs of a run. */
export interface SamplingContext {
  readonly engine: Engine;
  readonly config: RunConfig;
  readonly task: Pick<Task, "verifier" | "format">;
  readonly prompts: Prompts;
  readonly train: readonly Observation[];
  readonly test: readonly Observation[];
  readonly maxTokens: number;
}

/**
 * Draws one sample for each try of iteration `iteration`. All requests must agree on `hinted`, since they share the worked examples.
 *
 * @param onSample called as each sample is finished, in no certain order
 */
export async function drawTries(
  context: SamplingContext,
  requests: readonly TryRequest[],
  place: { readonly iteration: number; readonly wave: number; readonly temperature: number },
  onSample?: (sample: Sample) => void,
): Promise<DrawnSample[]> {
  const { engine, config, prompts, train } = context;
  const hinted = requests[0].hinted;
  const params: SamplingParams = {
    prefix: hinted ? prompts.hintedPrefix : prompts.prefix,
    temperature: place.temperature,
    topP: config.topP,
    maxTokens: context.maxTokens,
    stop: context.task.format.stop,
  };
  const samples = await sampleAll(
    engine,
    requests.map(({ observation, attempt }) => ({
      name: `${nameOf("train", observation, train[observation])}, try ${attempt}`,
      prompt: (hinted ? prompts.hinted : prompts.train)[observation],
      seed: seedFor(config.seed, "sample", place.iteration, observation, attempt),
    })),
    params,
    onSample,
  );
  return requests.map((request, i) => ({
    ...judged(context, place.wave, request.observation, train[request.observation], samples[i], params.prefix),
    promptTokens: (hinted ? prompts.hinted : prompts.train)[request.observation].length,
    attempt: request.attempt,
    hinted,
  }));
}

/** Greedy zero-shot answers to test observations `from` … `to` − 1. */
export async function answerTests(
  context: SamplingContext,
  range: { readonly from: number; readonly to: number },
  place: { readonly iteration: number; readonly wave: number },
  onSample?: (sample: Sample) => void,
): Promise<JudgedSample[]> {
  const { engine, config, prompts, test } = context;
  const indices = Array.from({ length: range.to - range.from }, (_, i) => range.from + i);
  const params: SamplingParams = {
    prefix: prompts.zeroShotPrefix,
    temperature: 0,
    topP: 1,
    maxTokens: context.maxTokens,
    stop: context.task.format.stop,
  };
  const samples = await sampleAll(
    engine,
    indices.map((index) => ({
      name: nameOf("test", index, test[index]),
      prompt: prompts.test[index],
      seed: seedFor(config.seed, "evaluate", place.iteration, index),
    })),
    params,
    onSample,
  );
  return indices.map((index, i) => ({
    ...judged(context, place.wave, index, test[index], samples[i], params.prefix),
    promptTokens: prompts.test[index].length,
  }));
}

/** A generation that was cut by the token limit is unfinished, whatever it states. */
export function isCorrect(
  { stop, ...verdict }: Pick<JudgedSample, "stop" | "strict" | "lenient">,
  accept: RunConfig["accept"],
): boolean {
  return stop !== "length" && verdict[accept] === "correct";
}

function judged(
  { task, config }: SamplingContext,
  wave: number,
  index: number,
  observation: Observation,
  sample: Sample,
  prefix: readonly number[],
): Omit<JudgedSample, "promptTokens"> {
  const { strict, lenient, extracted } = task.verifier.judge(sample.text, observation);
  return {
    wave,
    observation: index,
    id: observation.id,
    tokens: sample.tokens,
    text: sample.text,
    stop: sample.stop,
    prefixTokens: prefix.length,
    generatedTokens: sample.generatedTokens,
    strict,
    lenient,
    extracted,
    correct: isCorrect({ stop: sample.stop, strict, lenient }, config.accept),
  };
}

/** The samples of all requests, in their order. */
async function sampleAll(
  engine: Engine,
  requests: readonly SampleRequest[],
  params: SamplingParams,
  onSample: (sample: Sample) => void = () => {},
): Promise<Sample[]> {
  const samples: Sample[] = [];
  let count = 0;
  for await (const sample of engine.sample(requests, params)) {
    samples[sample.index] = sample;
    count++;
    onSample(sample);
  }
  if (count !== requests.length || Object.keys(samples).length !== requests.length) {
    throw new Error(`expected each of ${requests.length} requests answered once, got ${count} samples`);
  }
  return samples;
}
