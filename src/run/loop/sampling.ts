/** From the algorithm's requests to verified samples: the only place where prompts, engine and verifier meet. */

import type { TryRequest } from "../../algorithm/iteration.js";
import { seedFor } from "../../algorithm/random.js";
import type { Engine, Sample, SampleRequest, SamplingParams } from "../../engine/engine.js";
import { explainedMemory } from "../../system-errors.js";
import type { Observation, Task } from "../../tasks/task.js";
import { verifyAll } from "../../tasks/verifiers/verify-all.js";
import type { RunConfig } from "../config/fields.js";
import type { DrawnSample, VerifiedSample } from "../directory/records.js";
import type { Listener } from "../events.js";
import type { Prompts } from "../prompts/encoded-prompts.js";
import { nameOf } from "../prompts/prompts.js";

/** The parts of a run that sampling needs. */
export interface SamplingContext {
  readonly engine: Engine;
  readonly config: RunConfig;
  readonly task: Pick<Task, "verifier" | "format" | "checkRationale">;
  readonly prompts: Prompts;
  readonly train: readonly Observation[];
  readonly test: readonly Observation[];
  readonly maxTokens: number;
  /** Ends sampling early when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Draws one sample for each try of an iteration. All requests must agree on `hinted`, because they share the worked
 * examples.
 *
 * @param onSample called when a sample is finished, in any order
 */
export async function drawTries(
  context: SamplingContext,
  requests: readonly TryRequest[],
  place: {
    readonly iteration: number;
    readonly wave: number;
    readonly temperature: number;
    /** Purpose of the samples; each purpose has its own random numbers. */
    readonly purpose: "sample" | "probe";
  },
  onSample?: (sample: Sample) => void,
): Promise<DrawnSample[]> {
  const { config, prompts, train } = context;
  const hinted = requests[0].hinted;
  const params: SamplingParams = {
    prefix: hinted ? prompts.hintedPrefix : prompts.prefix,
    temperature: place.temperature,
    topP: config.topP,
    maxTokens: context.maxTokens,
    stop: context.task.format.stop,
  };
  const asked = requests.map(({ observation: index, attempt }) => ({
    index,
    observation: train[index],
    name: `${nameOf("train", index, train[index])}, try ${attempt}`,
    prompt: (hinted ? prompts.hinted : prompts.train)[index],
    seed: seedFor(config.seed, place.purpose, place.iteration, index, attempt),
  }));
  const samples = await sampleAll(context, asked, params, onSample);
  const records = await verified(context, place.wave, params, asked, samples);
  return records.map((record, i) => ({ ...record, attempt: requests[i].attempt, hinted }));
}

/** How the test set is answered. */
export interface AnswerManner {
  /** Tokens before every question, and those after them for each test observation. */
  readonly prefix: readonly number[];
  readonly prompts: readonly (readonly number[])[];
  readonly temperature: number;
  readonly topP: number;
  /** Answers per observation. */
  readonly samples: number;
}

/** Answers to test observations `from` … `to` − 1: all of the first observation, then all of the next. */
export async function answerTests(
  context: SamplingContext,
  range: { readonly from: number; readonly to: number },
  place: { readonly iteration: number; readonly wave: number },
  manner: AnswerManner,
  onSample?: (sample: Sample) => void,
): Promise<VerifiedSample[]> {
  const { config, test } = context;
  const params: SamplingParams = {
    prefix: manner.prefix,
    temperature: manner.temperature,
    topP: manner.topP,
    maxTokens: context.maxTokens,
    stop: context.task.format.stop,
  };
  const asked = Array.from({ length: (range.to - range.from) * manner.samples }, (_, i) => {
    const index = range.from + Math.floor(i / manner.samples);
    const attempt = i % manner.samples;
    return {
      index,
      observation: test[index],
      name: nameOf("test", index, test[index]),
      prompt: manner.prompts[index],
      seed: seedFor(config.seed, "evaluate", place.iteration, index, attempt),
    };
  });
  const samples = await sampleAll(context, asked, params, onSample);
  return verified(context, place.wave, params, asked, samples);
}

/** A generation that the token limit cut off is unfinished, whatever it states. */
export function isCorrect(
  { stop, ...verdict }: Pick<VerifiedSample, "stop" | "strict" | "lenient">,
  accept: RunConfig["accept"],
): boolean {
  return stop !== "length" && verdict[accept] === "correct";
}

/** Emits a notice about outputs for which the custom verifier reached no verdict. */
export function reportFailures(
  emit: Listener,
  phase: string,
  split: "train" | "test",
  samples: readonly VerifiedSample[],
): void {
  const failures = samples.filter(({ failure }) => failure !== undefined);
  const [first] = failures;
  if (first === undefined) return;
  emit({
    kind: "notice",
    text: `${phase}: the verifier failed on ${failures.length} of ${samples.length} outputs, which count as wrong; first on ${nameOf(split, first.observation, first)}: ${first.failure}`,
  });
}

/** A request and the observation that it asks about. */
interface Asked extends SampleRequest {
  /** Index of the observation in its split. */
  readonly index: number;
  readonly observation: Observation;
}

/** The samples with their verdicts, as they are recorded. */
async function verified(
  { task, config }: SamplingContext,
  wave: number,
  { prefix }: SamplingParams,
  asked: readonly Asked[],
  samples: readonly Sample[],
): Promise<VerifiedSample[]> {
  const verdicts = await verifyAll(
    task.verifier,
    asked.map(({ observation }, i) => ({ output: samples[i].text, observation })),
  );
  return asked.map(({ index, observation, prompt }, i) => {
    const { tokens, text, stop, generatedTokens } = samples[i];
    const verdict = verdicts[i];
    const correct = isCorrect({ stop, ...verdict }, config.accept);
    return {
      wave,
      observation: index,
      id: observation.id,
      gold: observation.answer,
      tokens,
      text,
      stop,
      prefixTokens: prefix.length,
      promptTokens: prompt.length,
      generatedTokens,
      ...verdict,
      correct,
      ...(correct && task.checkRationale !== undefined
        ? { wrongStep: task.checkRationale(text, observation).firstWrong }
        : {}),
    };
  });
}

const LOWER =
  "resume with fewer --threads, or start a new run with a lower --sampling-batch, --max-tokens or --few-shot";

/** The samples of all requests, in their order. */
async function sampleAll(
  { engine, signal }: Pick<SamplingContext, "engine" | "signal">,
  requests: readonly SampleRequest[],
  params: SamplingParams,
  onSample: (sample: Sample) => void = () => {},
): Promise<Sample[]> {
  const samples: Sample[] = [];
  let count = 0;
  try {
    for await (const sample of engine.sample(requests, params, { signal })) {
      samples[sample.index] = sample;
      count++;
      onSample(sample);
    }
  } catch (error) {
    throw explainedMemory(error, `sampling ${requests.length} sequences at once`, LOWER);
  }
  if (count !== requests.length || Object.keys(samples).length !== requests.length) {
    throw new Error(`expected each of ${requests.length} requests answered once, got ${count} samples`);
  }
  return samples;
}
