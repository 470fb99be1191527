/**
 * The options with which a task is opened. This is the one place of a task's options: `TaskOptions`, the options each
 * kind of task reads, the settings of a run and the flags of the commands are derived from it.
 */

import { z } from "zod";
import { between, type Field, field, optional, positive, source, text, type Values, whole } from "../settings.js";
import { DEFAULT_TAGS } from "./verifiers/final-text.js";
import { VERIFIER_KINDS } from "./verifiers/index.js";
import { isVerifierModule } from "./verifiers/user-module.js";

const verifier: Values<string> = {
  schema: z.union([z.enum(VERIFIER_KINDS), z.string().refine(isVerifierModule)]),
  kind: "path-or-word",
  expects: `one of ${VERIFIER_KINDS.join(", ")}, or the path of a .js or .mjs module`,
  choices: VERIFIER_KINDS,
};

const tagNames: Values<readonly string[]> = {
  schema: z.array(z.string().regex(/^[\p{L}_][\p{L}\p{N}_:.-]{0,40}$/u)).min(1),
  kind: "list",
  expects: "names of tags, such as think,reasoning for <think> and <reasoning>",
};

const share: Values<number> = {
  schema: z.number().gt(0).lt(1),
  kind: "number",
  expects: "a number above 0 and below 1",
};

/** Where rows are read. */
const files = {
  data: field(
    optional(source),
    null,
    "Training file (.jsonl, .json, .parquet, .csv), or a folder or hub:owner/name with the training and test files; a benchmark's own data set on the Hugging Face hub when not set",
    { scope: "place" },
  ),
  eval: field(optional(source), null, "Test data, if it is elsewhere: a file, folder or hub:owner/name", {
    scope: "place",
  }),
};

/** What the columns of a user's own data mean, and which rows are for testing. */
const columns = {
  questionField: field(optional(text), null, "Own data: the field that holds the question (question)"),
  answerField: field(optional(text), null, "Own data: the field that holds the final answer (answer)"),
  optionsField: field(optional(text), null, "Own data: the field that holds the answer options"),
  evalShare: field(
    optional(share),
    null,
    "Own data in one file: share of the questions to test on, chosen by what they say, so that adding rows moves none from one part to the other",
  ),
};

/** Own data takes the words, every task takes a module (verifiers/user-module.ts). */
const verifying = {
  verifier: field(
    optional(verifier),
    null,
    "Own data: how answers are compared, by default as suits the gold answers; any task: a custom module that verifies outputs",
  ),
  verifierTimeout: field(
    optional(positive),
    null,
    "Seconds that such a module may take for one output; 1 when not set",
  ),
};

/**
 * What marks thinking and answers in outputs; read by the tasks' own verifiers, while a module gets outputs as they
 * are.
 */
const tags = {
  thinkingTags: field(
    optional(tagNames),
    null,
    `Tags around thinking, in which nothing counts, as names: ${DEFAULT_TAGS.thinking.join(", ")} when not set`,
  ),
  answerTags: field(
    optional(tagNames),
    null,
    `Tags around the answer, of which the last counts, as names: ${DEFAULT_TAGS.answer.join(", ")} when not set`,
  ),
};

/** How questions are generated. Their seed is apart from the run's, so that runs of several seeds share their data. */
const generation = {
  taskSeed: field(optional(whole(0)), null, "Generated tasks: seed of the observations"),
  trainSize: field(optional(whole(1)), null, "Generated tasks: number of training observations"),
  testSize: field(optional(whole(1)), null, "Generated tasks: number of test observations"),
  hardShare: field(
    optional(between(0, 1, "closed")),
    null,
    "Generated tasks: probability that a step of a training question is hard; the task's own mix when not set",
  ),
};

/** Every task takes these; generated tasks may read more. */
const limits = {
  trainLimit: field(optional(whole(1)), null, "Read and use only this many training observations, the first ones"),
  evalLimit: field(optional(whole(1)), null, "Read and use only this many test observations, the first ones"),
};

/** Every option as a setting, in the order in which help shows them. */
export const taskFields = {
  task: field(
    optional(text),
    null,
    "What to learn (see `adastar tasks`); when not set: own data where --data is given, else arithmetic",
  ),
  ...files,
  ...columns,
  ...verifying,
  ...tags,
  ...generation,
  ...limits,
};

type TaskFields = typeof taskFields;

/**
 * Says which observations to load. Null and undefined leave an option out; a task refuses options that it does not
 * read.
 */
export type TaskOptions = {
  readonly [K in keyof TaskFields]?: (TaskFields[K] extends Field<infer T> ? T : never) | undefined;
};

export type TaskOption = Exclude<keyof TaskOptions, "task">;

const keysOf = <T extends object>(group: T) => Object.keys(group) as (keyof T)[];

export const taskOptionKeys: readonly (keyof TaskOptions)[] = keysOf(taskFields);

/** Options by the tasks that read them. */
export const READ_BY = {
  everyTask: keysOf(limits),
  moduleVerifiers: keysOf(verifying),
  ownVerifiers: keysOf(tags),
  datasets: keysOf(files),
  ownData: [...keysOf(files), ...keysOf(columns), "verifier"],
  generated: keysOf(generation),
} as const satisfies Readonly<Record<string, readonly TaskOption[]>>;

const TRAINING_ONLY: readonly (keyof TaskOptions)[] = ["trainSize", "hardShare", "trainLimit"];

/** The options that decide what the test questions are. */
export const testOptionKeys = taskOptionKeys.filter((key) => !TRAINING_ONLY.includes(key));
