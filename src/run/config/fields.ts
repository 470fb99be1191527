/**
 * Every setting of a run: its type and limits, default, unit and meaning. The command line's flags and help, the YAML reader, the resolved
 * config.yaml and the configuration's hash all come from this one table.
 */

import {
  atLeastOne,
  between,
  type Field,
  field,
  listOf,
  notNegative,
  oneOf,
  optional,
  path,
  positive,
  text,
  whole,
  wholeOr,
  yesOrNo,
} from "../../settings.js";
import { taskFields } from "../../tasks/task-options.js";

/** Grouped as `adastar run --help` shows them. */
export const fieldGroups = {
  task: taskFields,
  model: {
    model: field(
      optional(path),
      null,
      "Folder of a Hugging Face checkpoint; the bundled starter model when not set",
      "place",
    ),
    engine: field(oneOf("onnx", "scripted"), "onnx", "What samples and trains: a real model, or a simulated learner"),
    threads: field(optional(whole(1)), null, "Processor threads of the engine; all cores when not set", "means"),
  },
  method: {
    method: field(text, "adastar", "Which observations are visited and what is kept (see `adastar methods`)"),
    seed: field(whole(0), 1, "Seed of everything random"),
    completions: field(
      optional(oneOf("sampled", "gold")),
      null,
      "Train on what the model wrote and got right, or on the bare gold answers; the method's when not set",
    ),
    visits: field(
      optional(oneOf("queue", "random", "all")),
      null,
      "Visit observations in the queue's order or at random until enough samples are correct, or all; the method's when not set",
    ),
    tries: field(optional(whole(1)), null, "K, samples an observation may get; the method's when not set"),
    retry: field(
      optional(oneOf("failures", "always")),
      null,
      "When to draw a further sample; the method's when not set",
    ),
    rationalize: field(
      optional(yesOrNo),
      null,
      "Give further tries the answer as a hint; when not set: if the method does and it suits the task",
    ),
    keepPerObservation: field(
      optional(wholeOr(1, "all")),
      null,
      "Most correct samples kept of one observation; the method's when not set",
    ),
    batch: field(
      optional(oneOf("schedule", "all")),
      null,
      "Train on batchSize × steps samples, or on all correct ones; the method's when not set",
    ),
    start: field(
      optional(oneOf("reset", "accumulate")),
      null,
      "Model that an iteration trains: the base model or the latest; the method's when not set",
    ),
    queueKey: field(
      optional(listOf("lastSampled", "winRate")),
      null,
      "Order of the observation queue; the method's when not set",
    ),
    curriculum: field(
      optional(oneOf("gate", "all")),
      null,
      "Update the statistics of the first ⌊m·αᵖ⌋ visited, or of all m; the method's when not set",
    ),
    curriculumPower: field(notNegative, 2, "p of the curriculum's gate αᵖ"),
    temperaturePolicy: field(
      optional(oneOf("fixed", "balance")),
      null,
      "Sample at the temperature set, or at the one with the best balance score before each iteration; the method's when not set",
    ),
    probes: field(whole(1), 64, "Observations probed at each temperature to choose one by its balance score"),
    evaluations: field(
      optional(listOf("zero-shot", "few-shot", "self-consistency")),
      null,
      "How models are tested, the deciding one first: zero-shot, few-shot, self-consistency; the method's when not set",
    ),
  },
  sampling: {
    temperature: field(notNegative, 1, "Sampling temperature; 0 is greedy"),
    topP: field(between(0, 1, "above-low"), 0.9, "Sample among the most likely tokens of this total probability"),
    maxTokens: field(optional(whole(1)), null, "Longest generation, in tokens; the task's when not set"),
    exemplars: field(
      optional(path),
      null,
      "JSON Lines of question, rationale, answer and options where there are any, instead of the task's worked examples",
      "place",
    ),
    chat: field(yesOrNo, false, "Put questions in the checkpoint's own chat form (its chat template)"),
    fewShot: field(wholeOr(0, "all"), "all", "Worked examples put before the question while sampling"),
    consistencySamples: field(whole(2), 5, "Answers whose majority self-consistency takes"),
    consistencyTemperature: field(positive, 0.7, "Temperature of self-consistency's answers"),
    accept: field(
      oneOf("strict", "lenient"),
      "strict",
      "Accept answers only in the format asked for, or also by last-resort extraction",
    ),
    samplingBatch: field(
      whole(1),
      256,
      "Observations sampled together at most; after a kill at most so many are drawn again",
    ),
  },
  training: {
    iterations: field(whole(0), 10, "Rounds of sampling and training", "budget"),
    batchSize: field(whole(1), 8, "β, examples of an optimizer step"),
    steps: field(whole(1), 40, "σ¹, optimizer steps of the first iteration"),
    stepsGrowth: field(atLeastOne, 1.2, "Factor by which the steps grow each iteration"),
    learningRate: field(positive, 1e-5, "Peak learning rate"),
    learningRateSchedule: field(
      oneOf("constant", "linear", "cosine"),
      "constant",
      "Learning rate behind the warm-up, within each iteration: constant, or decaying to zero",
    ),
    warmupSteps: field(whole(0), 0, "Steps of each iteration in which the learning rate rises from zero"),
    optimizer: field(oneOf("adam", "adamw"), "adam", "Adam, with weight decay in the gradient or decoupled"),
    beta1: field(between(0, 1, "below-high"), 0.9, "Adam's decay of the first moment"),
    beta2: field(between(0, 1, "below-high"), 0.999, "Adam's decay of the second moment"),
    epsilon: field(positive, 1e-8, "Adam's ε"),
    weightDecay: field(notNegative, 0, "Weight decay"),
    maxGradientNorm: field(optional(positive), null, "Clip gradients to this global L2 norm; no clipping when not set"),
  },
  run: {
    targetAccuracy: field(
      optional(between(0, 1, "closed")),
      null,
      "Stop once this test accuracy, in [0, 1], is reached",
      "budget",
    ),
    maxFlops: field(
      optional(positive),
      null,
      "Training FLOPs to spend: no iteration is begun that would go beyond, judged by the last one",
      "budget",
    ),
    runDir: field(optional(path), null, "Folder of the run; a new one under ./runs when not set", "place"),
    keepCheckpoints: field(
      oneOf("all", "best", "last"),
      "best",
      "Which models to keep: every iteration's, the best and the last, or the last",
      "means",
    ),
    keepEvery: field(optional(whole(1)), null, "Keep every n-th iteration's model as well", "means"),
    checkpointSteps: field(
      optional(whole(1)),
      null,
      "Save every so many optimizer steps, so that a kill costs no more; when not set: after each iteration",
      "means",
    ),
    preset: field(
      optional(oneOf("paper", "quick")),
      null,
      "Settings to start from: the paper's, or a quick look",
      "means",
    ),
  },
} as const;

type Groups = typeof fieldGroups;
type Fields = Groups["task"] &
  Groups["model"] &
  Groups["method"] &
  Groups["sampling"] &
  Groups["training"] &
  Groups["run"];

/** Every setting by its key. */
export const fields: Fields = Object.assign({}, ...Object.values(fieldGroups)) as Fields;

/** A full configuration. Paths are absolute. null: left to the method, task or program. */
export type RunConfig = { readonly [K in keyof Fields]: Fields[K] extends Field<infer T> ? T : never };
export type ConfigKey = keyof RunConfig;

export const configKeys = Object.keys(fields) as ConfigKey[];
