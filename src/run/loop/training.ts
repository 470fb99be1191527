/**
 * Training on D₊: optimizer steps on zero-shot prompts with the sampled completions. It can be resumed between any two
 * steps.
 */

import { trainedFlops } from "../../algorithm/flops.js";
import { seedFor } from "../../algorithm/random.js";
import { learningRateAt, stepsAt } from "../../algorithm/schedule.js";
import { trainingBatches, trainingSteps } from "../../algorithm/training-order.js";
import type { OptimizerParams, TrainingExample } from "../../engine/engine.js";
import { messageOf, UserError } from "../../errors.js";
import { sum } from "../../statistics/descriptive.js";
import { explainedMemory } from "../../system-errors.js";
import type { RunConfig } from "../config/fields.js";
import type { TrainingResult } from "../directory/journal.js";
import type { KeptSample, StepRecord } from "../directory/records.js";
import type { TrainingState } from "../directory/store.js";
import { nameOf, trainingExample } from "../prompts/prompts.js";
import { isStop, type RunContext, stopIfAsked } from "./context.js";

/**
 * Trains the engine on D₊; afterwards it holds the iteration's new weights. Continues from a state that an earlier
 * session saved, if there is one.
 *
 * @returns totals over all steps, including those of earlier sessions
 */
export async function trainOn(
  run: RunContext,
  iteration: number,
  kept: readonly KeptSample[],
): Promise<TrainingResult> {
  const { config, store } = run;
  const plan = planOf(run, iteration, kept);
  const { steps } = plan;
  const log = store.log<StepRecord>(iteration, "training");
  const done = await startingPoint(run, iteration, log.records.length);
  log.truncate(done);
  if (config.warmupSteps >= steps) {
    run.emit({
      kind: "notice",
      text: `iteration ${iteration}: the warm-up of ${config.warmupSteps} steps is longer than the training of ${steps} steps`,
    });
  }

  const save = async (step: number) => {
    log.sync();
    await store.saveTrainingState(iteration, step, run.engine);
  };
  for await (const record of takeSteps(run, plan, { done, saveEvery: config.checkpointSteps })) {
    const { step } = record;
    log.append([record], { durable: false });
    if (step < steps && step % (config.checkpointSteps ?? steps) === 0) await save(step);
  }
  const taken = log.records.length;
  if (taken < steps) {
    if (taken > done) await save(taken);
    stopIfAsked(run);
  }
  log.sync();
  return totals(log.records);
}

/**
 * For an empty D₊, which gives no new model: a method that trains the base model goes back to it, others keep the model
 * that they have.
 */
export async function trainOnNothing({ method, engine, emit }: RunContext, iteration: number): Promise<TrainingResult> {
  const reset = method.start === "reset";
  if (reset) await engine.reset();
  emit({
    kind: "notice",
    text: `iteration ${iteration}: no sample is correct, so nothing is trained and the model ${reset ? "goes back to the base model" : "stays as it is"}`,
  });
  return { steps: 0, loss: null, tokens: 0, completionTokens: 0, flops: 0 };
}

/**
 * Repeats a training from the weights that the engine holds; writes nothing. Throws the signal's reason when asked to
 * stop.
 */
export async function retrain(run: RunContext, iteration: number, kept: readonly KeptSample[]): Promise<void> {
  await begin(run);
  for await (const _ of takeSteps(run, planOf(run, iteration, kept), { done: 0, saveEvery: null })) stopIfAsked(run);
  stopIfAsked(run);
}

/** An iteration's training: what is trained on, and in which order. */
interface Plan {
  readonly iteration: number;
  readonly examples: readonly TrainingExample[];
  readonly order: Parameters<typeof trainingBatches>[0];
  readonly steps: number;
}

function planOf(run: RunContext, iteration: number, kept: readonly KeptSample[]): Plan {
  const { config, method } = run;
  const examples = kept.map(({ observation, attempt, tokens }) =>
    trainingExample(
      run.prompts,
      `${nameOf("train", observation, run.train[observation])}, try ${attempt}`,
      observation,
      tokens,
    ),
  );
  const order = {
    size: examples.length,
    batchSize: config.batchSize,
    steps: method.batch === "schedule" ? stepsAt(iteration, scheduleOf(config)) : null,
    seed: config.seed,
    iteration,
  };
  return { iteration, examples, order, steps: trainingSteps(order) };
}

/**
 * Takes the steps after the first `done` and emits an event for each. As many steps are submitted ahead as the engine
 * can use, but none beyond a step after which the state is saved. Ends early when the run is asked to stop, once the
 * steps that had begun are finished.
 */
async function* takeSteps(
  run: RunContext,
  plan: Plan,
  { done, saveEvery }: { readonly done: number; readonly saveEvery: number | null },
): AsyncGenerator<StepRecord> {
  const { iteration, examples, order, steps } = plan;
  const clock = performance.now();
  const batches = trainingBatches(order);
  for (let step = 0; step < done; step++) batches.next();
  const submitted: Promise<StepRecord>[] = [];
  let last = done;
  const submit = () => {
    const batch = batches.next();
    if (batch.done === true) return;
    const record = trainStep(
      run,
      { iteration, step: ++last, steps },
      batch.value.map((index) => examples[index]),
    );
    // A failure is thrown in its turn; the steps after it are not awaited then.
    record.catch(() => {});
    submitted.push(record);
  };
  let tokens = 0;
  for (let step = done + 1; step <= steps; step++) {
    const pause = saveEvery === null ? steps : Math.ceil(step / saveEvery) * saveEvery;
    const ahead = Math.min(steps, pause, step + run.engine.capabilities.stepsInFlight - 1);
    while (last < ahead && !run.signal?.aborted) submit();
    const record = await submitted.shift()?.catch((error: unknown) => {
      if (isStop(error, run)) return undefined;
      throw error;
    });
    if (record === undefined) return;
    tokens += record.tokens;
    const { loss, learningRate, gradientNorm } = record;
    const seconds = (performance.now() - clock) / 1000;
    run.emit({ kind: "training", iteration, step, steps, loss, learningRate, gradientNorm, tokens, seconds });
    yield record;
  }
}

/**
 * Puts the engine where training starts: at a saved state of this iteration, or at its beginning. Returns the number of
 * steps that are done.
 */
async function startingPoint(run: RunContext, iteration: number, recorded: number): Promise<number> {
  const { store, emit } = run;
  const state = store.trainingState(iteration);
  if (state !== null && state.step <= recorded && (await restored(run, state))) return state.step;
  if (state !== null) {
    emit({
      kind: "notice",
      text: `iteration ${iteration}: the saved state of its training cannot be used; training starts over from the iteration's first step`,
    });
  }
  await begin(run);
  return 0;
}

/**
 * Starts an iteration's training with a fresh optimizer: from the base model, or from the weights that the engine
 * holds.
 */
async function begin({ engine, method }: RunContext): Promise<void> {
  if (method.start === "reset") await engine.reset();
  else await engine.resetOptimizer();
}

async function restored({ store, engine }: RunContext, state: TrainingState): Promise<boolean> {
  try {
    await store.restore(state.checkpoint, engine);
    return true;
  } catch (error) {
    // The store checks all files before it changes the engine, so the weights are unchanged.
    if (error instanceof UserError) return false;
    throw error;
  }
}

async function trainStep(
  run: RunContext,
  place: { readonly iteration: number; readonly step: number; readonly steps: number },
  examples: readonly TrainingExample[],
): Promise<StepRecord> {
  const params = optimizerParams(run.config, place.step, place.steps);
  const { engine, signal } = run;
  const seed = seedFor(run.config.seed, "dropout", place.iteration, 0, place.step);
  const result = await engine.trainStep(examples, params, { signal, seed }).catch((error: unknown) => {
    if (isStop(error, run)) throw error;
    if (error instanceof UserError) throw new UserError(stopped(place, messageOf(error)));
    throw explainedMemory(error, `training in iteration ${place.iteration}`, LOWER);
  });
  if (!Number.isFinite(result.loss)) throw new UserError(stopped(place, `expected a finite loss, got ${result.loss}`));
  return {
    step: place.step,
    learningRate: params.learningRate,
    loss: result.loss,
    gradientNorm: result.gradientNorm,
    tokens: result.tokens,
    completionTokens: result.completionTokens,
    flops: sum(examples.map((example) => trainedFlops(engine.model, example.tokens.length))),
  };
}

const LOWER = "resume with fewer --threads, or start a new run with a lower --max-tokens or --batch-size";

function stopped({ iteration, step }: { readonly iteration: number; readonly step: number }, reason: string): string {
  return (
    `training stopped in iteration ${iteration}, step ${step}: ${reason}. ` +
    "The models of earlier iterations are kept. If the loss diverged, start a new run with a lower --learning-rate or with --max-gradient-norm 1."
  );
}

/** The schedule of σ that the configuration states. */
export function scheduleOf(config: Pick<RunConfig, "steps" | "stepsGrowth" | "stepsRounding" | "batchSize">) {
  return {
    initialSteps: config.steps,
    growth: config.stepsGrowth,
    rounding: config.stepsRounding,
    batchSize: config.batchSize,
  };
}

/** The settings of optimizer step `step` = 1 … `steps` of an iteration. */
export function optimizerParams(config: RunConfig, step: number, steps: number): OptimizerParams {
  return {
    kind: config.optimizer,
    learningRate: learningRateAt(step - 1, steps, {
      peak: config.learningRate,
      warmupSteps: config.warmupSteps,
      decay: config.learningRateSchedule,
    }),
    beta1: config.beta1,
    beta2: config.beta2,
    epsilon: config.epsilon,
    weightDecay: config.weightDecay,
    ...(config.maxGradientNorm === null ? {} : { maxGradientNorm: config.maxGradientNorm }),
  };
}

function totals(records: readonly StepRecord[]): TrainingResult {
  return {
    steps: records.length,
    loss: sum(records.map(({ loss }) => loss)) / records.length,
    tokens: sum(records.map((record) => record.tokens)),
    completionTokens: sum(records.map((record) => record.completionTokens)),
    flops: sum(records.map((record) => record.flops)),
  };
}
