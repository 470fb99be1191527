/**
 * Every setting of a run: its type and limits, default, unit and meaning. The command line's flags and help, the YAML reader, the resolved
 * config.yaml and the configuration's hash all come from this one table.
 */

import { z } from "zod";
import { VERIFIER_KINDS } from "../../tasks/verifiers/index.js";
import { isVerifierModule } from "../../tasks/verifiers/user-module.js";

/** How a flag's text becomes a value. */
export type FieldKind =
  | "number"
  | "boolean"
  | "text"
  | "path"
  | "list"
  | "number-or-word"
  | "path-or-word"
  | "path-or-hub";

/**
 * What a setting may change. `result`: what the run computes; enters the configuration's hash. `budget`: only how far it goes.
 * `place`: where things are; what lies there is told apart by its content. `means`: only how the work is done or kept.
 */
export type FieldScope = "result" | "budget" | "place" | "means";

export interface Field<T = unknown> {
  readonly schema: z.ZodType<T>;
  readonly kind: FieldKind;
  /** Completes "expected …". */
  readonly expects: string;
  readonly default: T;
  readonly description: string;
  readonly scope: FieldScope;
  /** For help: the allowed words of a choice. */
  readonly choices?: readonly string[];
}

type Values<T> = Pick<Field<T>, "schema" | "kind" | "expects" | "choices">;

const whole = (least: number): Values<number> => ({
  schema: z.int().min(least),
  kind: "number",
  expects: `a whole number of at least ${least}`,
});

const between = (low: number, high: number, open: "closed" | "above-low" | "below-high"): Values<number> => ({
  schema: z
    .number()
    .refine((x) => (open === "above-low" ? x > low : x >= low) && (open === "below-high" ? x < high : x <= high)),
  kind: "number",
  expects: `a number in ${open === "above-low" ? "(" : "["}${low}, ${high}${open === "below-high" ? ")" : "]"}`,
});

const positive: Values<number> = { schema: z.number().positive(), kind: "number", expects: "a number above 0" };
const notNegative: Values<number> = {
  schema: z.number().nonnegative(),
  kind: "number",
  expects: "a number of at least 0",
};
const atLeastOne: Values<number> = { schema: z.number().min(1), kind: "number", expects: "a number of at least 1" };
const yesOrNo: Values<boolean> = { schema: z.boolean(), kind: "boolean", expects: "true or false" };
const text: Values<string> = { schema: z.string().min(1), kind: "text", expects: "a text that is not empty" };
const source: Values<string> = {
  schema: z.string().min(1),
  kind: "path-or-hub",
  expects: "a path or hub:owner/name",
};
const path: Values<string> = { schema: z.string().min(1), kind: "path", expects: "a path" };

function oneOf<const W extends readonly [string, ...string[]]>(...words: W): Values<W[number]> {
  return { schema: z.enum(words), kind: "text", expects: `one of ${words.join(", ")}`, choices: words };
}

const verifier: Values<string> = {
  schema: z.union([z.enum(VERIFIER_KINDS), z.string().refine(isVerifierModule)]),
  kind: "path-or-word",
  expects: `one of ${VERIFIER_KINDS.join(", ")}, or the path of a .js or .mjs module`,
  choices: VERIFIER_KINDS,
};

function wholeOr<const W extends string>(least: number, word: W): Values<number | W> {
  return {
    schema: z.union([z.int().min(least), z.literal(word)]),
    kind: "number-or-word",
    expects: `a whole number of at least ${least}, or ${word}`,
    choices: [word],
  };
}

/** Also takes null: "not set", for settings whose default comes from elsewhere. */
function optional<T>(values: Values<T>): Values<T | null> {
  return { ...values, schema: values.schema.nullable(), expects: `${values.expects}, or null` };
}

function field<T>(
  values: Values<T>,
  fallback: NoInfer<T>,
  description: string,
  scope: FieldScope = "result",
): Field<T> {
  return { ...values, default: fallback, description, scope };
}

/** Some of these words, each at most once, most important first. */
function listOf<const W extends readonly [string, ...string[]]>(...words: W): Values<readonly W[number][]> {
  return {
    schema: z
      .array(z.enum(words))
      .min(1)
      .refine((list) => new Set(list).size === list.length),
    kind: "list",
    expects: `a list of ${words.join(", ")}, each at most once and at least one`,
    choices: words,
  };
}

/** Grouped as `adastar run --help` shows them. */
export const fieldGroups = {
  task: {
    task: field(
      optional(text),
      null,
      "What to learn (see `adastar tasks`); when not set: own data where --data is given, else arithmetic",
    ),
    data: field(
      optional(source),
      null,
      "Training file (.jsonl, .json, .parquet, .csv), or a folder or hub:owner/name with the training and test files; a benchmark's own data set on the Hugging Face hub when not set",
      "place",
    ),
    eval: field(optional(source), null, "Test data, if it is elsewhere: a file, folder or hub:owner/name", "place"),
    questionField: field(optional(text), null, "Own data: the field that holds the question (question)"),
    answerField: field(optional(text), null, "Own data: the field that holds the final answer (answer)"),
    optionsField: field(optional(text), null, "Own data: the field that holds the answer options"),
    verifier: field(
      optional(verifier),
      null,
      "Own data: how answers are compared; any task: a module of your own that judges outputs",
    ),
    verifierTimeout: field(
      optional(positive),
      null,
      "Seconds that such a module may take over one output; 1 when not set",
    ),
    taskSeed: field(optional(whole(0)), null, "Generated tasks: seed of the observations"),
    trainSize: field(optional(whole(1)), null, "Generated tasks: number of training observations"),
    testSize: field(optional(whole(1)), null, "Generated tasks: number of test observations"),
    hardShare: field(
      optional(between(0, 1, "closed")),
      null,
      "Generated tasks: probability that a step of a training question is hard; the task's own mix when not set",
    ),
    trainLimit: field(optional(whole(1)), null, "Read and use only the first so many training observations"),
    evalLimit: field(optional(whole(1)), null, "Read and use only the first so many test observations"),
  },
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

/** The flag of a key: `batchSize` → `--batch-size`. */
export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
