/**
 * Forecasts what a run takes before anything is spent: tokens, FLOPs, memory and time, from a short calibration with
 * the run's own model, prompts and settings. Writes nothing. It assumes that the model stays as it is; a better model
 * visits fewer observations and may write shorter answers.
 */

import { BALANCE_TEMPERATURES } from "../../algorithm/balance.js";
import { trainedFlops } from "../../algorithm/flops.js";
import type { Method } from "../../algorithm/methods.js";
import { seedFor, shuffled } from "../../algorithm/random.js";
import { stepsAt, targetAt } from "../../algorithm/schedule.js";
import type { Engine } from "../../engine/engine.js";
import { sum } from "../../statistics/descriptive.js";
import type { RunConfig } from "../config/fields.js";
import { expectedSamplingCost, isBudgetSpent, iterationCosts, type SamplingFacts } from "../cost.js";
import type { RunOptions, RunParts } from "../loop/context.js";
import { mannerOf } from "../loop/evaluation.js";
import { goldSamples } from "../loop/gold.js";
import { openParts } from "../loop/open-parts.js";
import { answerTests, drawTries } from "../loop/sampling.js";
import { optimizerParams, scheduleOf } from "../loop/training.js";
import { trainingExample } from "../prompts/prompts.js";

/** What the calibration measured with the base model. */
export interface Calibration {
  /** Training samples and test answers that were drawn for it. */
  readonly samples: number;
  /** Share of correct samples, kept away from 0 and 1, because so few samples cannot tell. */
  readonly solveRate: number;
  /** Means, in tokens. */
  readonly promptTokens: number;
  readonly generatedTokens: number;
  /** Tokens of a training example: prompt and completion. */
  readonly exampleTokens: number;
  /** Seconds per sample, in a batch as large as the calibration's. */
  readonly sampleSeconds: number;
  readonly testSeconds: number;
  /** Seconds per optimizer step. */
  readonly stepSeconds: number;
}

/** What a run's size follows from. */
export interface ForecastFacts extends SamplingFacts {
  readonly method: Method;
  readonly config: Pick<
    RunConfig,
    | "iterations"
    | "steps"
    | "stepsGrowth"
    | "stepsRounding"
    | "batchSize"
    | "samplingBatch"
    | "probes"
    | "maxFlops"
    | "consistencySamples"
  >;
  /** Tokens before every question while sampling. */
  readonly prefixTokens: number;
  /** N and the number of test observations. */
  readonly observations: number;
  readonly tests: number;
}

export interface IterationForecast {
  readonly iteration: number;
  readonly target: number | null;
  readonly visited: number;
  /** Samples, probes included. */
  readonly draws: number;
  readonly steps: number;
  readonly sampledTokens: number;
  readonly trainedTokens: number;
  readonly flops: { readonly sampling: number; readonly training: number; readonly total: number };
  readonly seconds: number;
}

export interface Forecast {
  readonly calibration: Calibration;
  readonly iterations: readonly IterationForecast[];
  readonly flops: { readonly sampling: number; readonly training: number; readonly total: number };
  /** Includes the evaluations, and that of the base model. */
  readonly seconds: number;
  /** Largest memory of the process during calibration, in bytes: a run needs at least as much. */
  readonly memory: number;
  /** As the model reads them, without special tokens. Null if the method has no such prompt. */
  readonly prompts: {
    readonly sampling: string | null;
    readonly hinted: string | null;
    readonly training: string;
    readonly test: string;
  };
}

/** Largest number of seconds for a call of the calibration, as far as that can be predicted. */
const PATIENCE = 10;

/**
 * Opens everything that a run with this configuration would open, measures, and closes it. Throws UserError if
 * configuration, data or model cannot work.
 */
export async function forecastRun(config: RunConfig, options: RunOptions = {}): Promise<Forecast> {
  const parts = await openParts(config, options);
  try {
    const { calibration, completion } = await calibrate(parts);
    const { engine, prompts, method, train, test } = parts;
    const facts: ForecastFacts = {
      method,
      config: parts.config,
      model: engine.model,
      capabilities: engine.capabilities,
      prefixTokens: prompts.prefix.length,
      observations: train.length,
      tests: test.length,
    };
    const iterations = forecastIterations(facts, calibration);
    const total = (purpose: "sampling" | "training" | "total") => sum(iterations.map(({ flops }) => flops[purpose]));
    return {
      calibration,
      iterations,
      flops: { sampling: total("sampling"), training: total("training"), total: total("total") },
      seconds: sum(iterations.map(({ seconds }) => seconds)) + testSeconds(facts, calibration),
      memory: process.resourceUsage().maxRSS * 1024,
      prompts: renderedPrompts(parts, completion),
    };
  } finally {
    await options.engine?.reset();
    await parts.close();
  }
}

/** The sizes of every iteration that the budget of FLOPs pays for. */
export function forecastIterations(facts: ForecastFacts, calibration: Calibration): IterationForecast[] {
  const { iterations: most, maxFlops } = facts.config;
  const iterations: IterationForecast[] = [];
  while (iterations.length < most && !isBudgetSpent(maxFlops, iterationCosts(iterations))) {
    iterations.push(forecastIteration(facts, calibration, iterations.length + 1));
  }
  return iterations;
}

function forecastIteration(facts: ForecastFacts, calibration: Calibration, iteration: number): IterationForecast {
  const { method, config, model, prefixTokens, observations } = facts;
  const { promptTokens, generatedTokens, exampleTokens } = calibration;
  const schedule = scheduleOf(config);
  const target = targetAt(iteration, schedule, method);
  const { draws: drawsPerVisit, usable } = expectedTries(method, calibration.solveRate);
  const visited =
    method.visits !== "all" && target !== null ? Math.min(observations, Math.ceil(target / usable)) : observations;
  const gold = method.completions === "gold";
  /** Number of observations that are probed, and at how many temperatures. */
  const [probed, temperatures] =
    method.temperature === "balance" ? [Math.min(config.probes, observations), BALANCE_TEMPERATURES.length] : [0, 0];
  const probes = probed * method.tries * temperatures;
  const draws = gold ? 0 : Math.round(visited * drawsPerVisit) + probes;
  // A call draws one try of a wave of observations, or one of its probes at one temperature.
  const calls = (observed: number) => Math.ceil(observed / config.samplingBatch) * method.tries;
  const sampling = expectedSamplingCost(
    facts,
    { prefix: prefixTokens, prompt: promptTokens, generated: generatedTokens },
    { samples: draws, calls: gold ? 0 : calls(visited) + calls(probed) * temperatures },
  );
  const kept = gold ? observations : visited * usable;
  const steps = method.batch === "schedule" ? stepsAt(iteration, schedule) : Math.ceil(kept / config.batchSize);
  const examples = method.batch === "schedule" ? steps * config.batchSize : kept;
  const training = examples * trainedFlops(model, exampleTokens);
  return {
    iteration,
    target,
    visited,
    draws,
    steps,
    sampledTokens: draws * generatedTokens,
    trainedTokens: examples * exampleTokens,
    flops: { sampling, training, total: sampling + training },
    seconds: draws * calibration.sampleSeconds + steps * calibration.stepSeconds + testSeconds(facts, calibration),
  };
}

/** Samples per observation, and how many of them D₊ takes, if every try is right with the same probability. */
export function expectedTries(
  {
    tries,
    retry,
    keepPerObservation,
    completions,
  }: Pick<Method, "tries" | "retry" | "keepPerObservation" | "completions">,
  solveRate: number,
): { readonly draws: number; readonly usable: number } {
  if (completions === "gold") return { draws: 0, usable: 1 };
  if (retry === "failures") {
    // Geometric: try k is drawn when the k − 1 before it failed.
    const failed = (1 - solveRate) ** tries;
    return { draws: (1 - failed) / solveRate, usable: 1 - failed };
  }
  let usable = 0;
  let probability = (1 - solveRate) ** tries;
  for (let right = 0; right <= tries; right++) {
    usable += probability * Math.min(right, keepPerObservation ?? right);
    probability *= ((tries - right) / (right + 1)) * (solveRate / (1 - solveRate));
  }
  return { draws: tries, usable };
}

function testSeconds({ method, config, tests }: ForecastFacts, { testSeconds: one }: Calibration): number {
  const answers = method.evaluations.map((kind) => (kind === "self-consistency" ? config.consistencySamples : 1));
  return tests * one * sum(answers);
}

/** Measures calls after a first one of their kind, which also opens sessions and touches new memory. */
async function calibrate(
  parts: RunParts,
): Promise<{ calibration: Calibration; completion: { observation: number; tokens: readonly number[] } }> {
  const { engine, config, train, test, prompts } = parts;
  const order = shuffled(train.length, seedFor(config.seed, "probe"));
  const requests = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ observation: order[i], attempt: 1, hinted: false }));
  const place = { iteration: 0, wave: 0, temperature: config.temperature, purpose: "probe" } as const;
  const drawn = await growing(Math.min(config.samplingBatch, train.length), (count) =>
    drawTries(parts, requests(count), place),
  );
  const zeroShot = mannerOf(parts, "zero-shot");
  const answered = await growing(Math.min(config.samplingBatch, test.length), (count) =>
    answerTests(parts, { from: 0, to: count }, { iteration: 0, wave: 0 }, zeroShot),
  );
  const learned =
    parts.method.completions === "gold" ? goldSamples(parts, requests(drawn.result.length)) : drawn.result;
  const examples = learned.map(({ observation, tokens }) =>
    trainingExample(prompts, "calibration", observation, tokens),
  );
  const batch = Array.from({ length: config.batchSize }, (_, i) => examples[i % examples.length]);
  const step = () => engine.trainStep(batch, optimizerParams(config, 1, 1));
  await engine.resetOptimizer();
  await step();
  const trained = await timed(step);
  const average = (values: readonly number[]) => sum(values) / values.length;
  const right = drawn.result.filter(({ correct }) => correct).length;
  const [completion] = learned;
  return {
    calibration: {
      samples: drawn.result.length + answered.result.length,
      solveRate: (right + 0.5) / (drawn.result.length + 1),
      promptTokens: average(drawn.result.map(({ promptTokens }) => promptTokens)),
      generatedTokens: average(drawn.result.map(({ generatedTokens }) => generatedTokens)),
      exampleTokens: average(examples.map(({ tokens }) => tokens.length)),
      sampleSeconds: drawn.seconds / drawn.result.length,
      testSeconds: answered.seconds / answered.result.length,
      stepSeconds: trained.seconds,
    },
    completion,
  };
}

/**
 * Calls with more and more requests, up to `most`, as long as the next call is expected to take at most PATIENCE.
 * Returns the last call, because a sample takes less time in a larger batch.
 */
async function growing<T>(most: number, call: (count: number) => Promise<T>) {
  await call(Math.min(2, most));
  for (let count = Math.min(8, most); ; ) {
    const last = await timed(() => call(count));
    const larger = Math.min(most, 4 * count);
    if (larger === count || (last.seconds * larger) / count > PATIENCE) return last;
    count = larger;
  }
}

async function timed<T>(action: () => Promise<T>): Promise<{ readonly result: T; readonly seconds: number }> {
  const start = performance.now();
  const result = await action();
  return { result, seconds: (performance.now() - start) / 1000 };
}

function renderedPrompts(
  { engine, prompts, method }: RunParts,
  { observation, tokens }: { readonly observation: number; readonly tokens: readonly number[] },
): Forecast["prompts"] {
  const text = (...parts: (readonly number[])[]) => decodeAll(engine, parts);
  const hinted = prompts.hinted.at(0);
  return {
    sampling: method.completions === "gold" ? null : text(prompts.prefix, prompts.train[0]),
    hinted: hinted === undefined ? null : text(prompts.hintedPrefix, hinted),
    training: text(trainingExample(prompts, "calibration", observation, tokens).tokens),
    test: text(prompts.zeroShotPrefix, prompts.test[0]),
  };
}

function decodeAll({ tokenizer }: Engine, parts: readonly (readonly number[])[]): string {
  return tokenizer.decode(parts.flat());
}
