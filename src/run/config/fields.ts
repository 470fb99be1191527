/**
 * Every setting of a run: its type and limits, default, unit and meaning. The flags and their help, the YAML reader,
 * config.yaml and the JSON schema all follow from this table, and so do the settings that each command takes. A new
 * setting is a new row.
 */

import type { Method } from "../../algorithm/methods.js";
import { DECAY_NAMES } from "../../algorithm/schedule.js";
import { OPTIMIZER_KINDS } from "../../engine/engine.js";
import { engineFields } from "../../engine/registry.js";
import {
  atLeastOne,
  between,
  type Field,
  field,
  notNegative,
  oneOf,
  optional,
  path,
  positive,
  type Reader,
  text,
  whole,
  wholeOr,
  yesOrNo,
} from "../../settings.js";
import { taskFields } from "../../tasks/task-options.js";
import { partFields } from "./part-fields.js";

/** What makes a method use a setting. */
interface Need {
  readonly holds: (method: Method) => boolean;
  /** Why the setting does nothing where it does not hold. */
  readonly otherwise: string;
}

export interface RunField<T = unknown> extends Field<T> {
  /** A method uses the setting if all of these hold. */
  readonly needs?: readonly Need[];
}

function onlyIf<T>(needs: readonly Need[], spec: Field<T>): RunField<T> {
  return { ...spec, needs };
}

const SAMPLES: Need = {
  holds: ({ completions }) => completions === "sampled",
  otherwise: "gold answers are trained on and nothing is sampled",
};

const SAMPLES_OR_VOTES: Need = {
  holds: ({ completions, evaluations }) => completions === "sampled" || evaluations.includes("self-consistency"),
  otherwise: "gold answers are trained on, and tests are greedy",
};

const FIXED_TEMPERATURE: Need = {
  holds: ({ temperature }) => temperature === "fixed",
  otherwise: "the temperature is chosen by balance score",
};

const CHOSEN_TEMPERATURE: Need = {
  holds: ({ temperature }) => temperature === "balance",
  otherwise: "the temperature is fixed",
};

const QUEUE: Need = { holds: ({ visits }) => visits === "queue", otherwise: "the queue decides nothing" };

const GATE: Need = { holds: ({ curriculum }) => curriculum === "gate", otherwise: "the curriculum has no gate" };

const SCHEDULE: Need = {
  holds: ({ batch }) => batch === "schedule",
  otherwise: "everything correct is trained on once",
};

const VOTES: Need = {
  holds: ({ evaluations }) => evaluations.includes("self-consistency"),
  otherwise: "models are not tested by self-consistency",
};

/** Grouped as `adastar run --help` shows them. */
export const fieldGroups = {
  task: taskFields,
  model: engineFields,
  method: {
    method: field(text, "adastar", "Which observations are visited and what is kept (see `adastar methods`)", {
      readBy: ["tasks check", "replay"],
    }),
    seed: field(whole(0), 1, "Seed of everything random", { readBy: ["replay"] }),
    ...partFields,
    curriculumPower: onlyIf([GATE], field(notNegative, 2, "p of the curriculum's gate αᵖ", { readBy: ["replay"] })),
    queueTies: onlyIf(
      [QUEUE],
      field(
        oneOf("shuffled", "index"),
        "shuffled",
        "Order among equal keys of the queue: a rank drawn once from the seed, or the order of the data",
        { readBy: ["replay", "replay --simulate"], before: "index" },
      ),
    ),
    probes: onlyIf(
      [CHOSEN_TEMPERATURE],
      field(whole(1), 64, "Observations probed at each temperature to choose one by its balance score"),
    ),
  },
  sampling: {
    temperature: onlyIf([FIXED_TEMPERATURE, SAMPLES], field(notNegative, 1, "Sampling temperature; 0 is greedy")),
    topP: onlyIf(
      [SAMPLES_OR_VOTES],
      field(between(0, 1, "above-low"), 0.9, "Sample among the most likely tokens of this total probability"),
    ),
    maxTokens: field(optional(whole(1)), null, "Longest generation, in tokens; the task's when not set", {
      readBy: ["eval", "tasks check"],
    }),
    exemplars: field(
      optional(path),
      null,
      "JSON Lines of question, rationale, answer and options where there are any, instead of the task's worked examples",
      { scope: "place", readBy: ["tasks check"] },
    ),
    chat: field(yesOrNo, false, "Put questions in the checkpoint's own chat form (its chat template)", {
      readBy: ["eval", "tasks check"],
    }),
    fewShot: field(wholeOr(0, "all"), "all", "Worked examples put before the question while sampling", {
      readBy: ["tasks check"],
    }),
    consistencySamples: onlyIf([VOTES], field(whole(2), 5, "Answers whose majority self-consistency takes")),
    consistencyTemperature: onlyIf([VOTES], field(positive, 0.7, "Temperature of self-consistency's answers")),
    accept: field(
      oneOf("strict", "lenient"),
      "strict",
      "Accept answers only in the format asked for, or also by last-resort extraction",
      { readBy: ["eval"] },
    ),
    samplingBatch: field(
      whole(1),
      256,
      "Observations sampled together at most; after a kill at most this many are drawn again",
      { readBy: ["eval", "replay"] },
    ),
  },
  training: {
    iterations: field(whole(0), 10, "Rounds of sampling and training", {
      scope: "budget",
      readBy: ["replay --simulate"],
    }),
    batchSize: field(whole(1), 8, "β, examples of an optimizer step", { readBy: ["replay"] }),
    steps: onlyIf(
      [SCHEDULE],
      field(whole(1), 40, "σ¹, optimizer steps of the first iteration", { readBy: ["replay"] }),
    ),
    stepsGrowth: onlyIf(
      [SCHEDULE],
      field(atLeastOne, 1.2, "Factor by which the steps grow each iteration", { readBy: ["replay"] }),
    ),
    stepsRounding: onlyIf(
      [SCHEDULE],
      field(
        oneOf("once", "each"),
        "once",
        "Round σ¹ · growth^(t−1) down once, or round down again in each iteration, as runs of earlier versions do",
        { readBy: ["replay"], before: "each" },
      ),
    ),
    learningRate: field(positive, 1e-5, "Peak learning rate", { readBy: ["replay --simulate"] }),
    learningRateSchedule: field(
      oneOf(...DECAY_NAMES),
      "constant",
      "Learning rate after the warm-up, within each iteration: constant, or decaying to zero",
      { readBy: ["replay --simulate"] },
    ),
    warmupSteps: field(whole(0), 0, "Steps of each iteration in which the learning rate rises from zero"),
    optimizer: field(oneOf(...OPTIMIZER_KINDS), "adam", "Adam, with weight decay in the gradient or decoupled"),
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
      { scope: "budget" },
    ),
    maxFlops: field(
      optional(positive),
      null,
      "Training FLOPs to spend: no iteration starts that would exceed them, estimated from the last one",
      { scope: "budget" },
    ),
    runDir: field(optional(path), null, "Folder of the run; a new one under ./runs when not set", { scope: "place" }),
    keepCheckpoints: field(
      oneOf("all", "best", "last"),
      "best",
      "Which models to keep: every iteration's, the best and the last, or the last",
      { scope: "means" },
    ),
    keepEvery: field(optional(whole(1)), null, "Keep every n-th iteration's model as well", { scope: "means" }),
    checkpointSteps: field(
      optional(whole(1)),
      null,
      "Save every so many optimizer steps, so that a kill costs no more; when not set: after each iteration",
      { scope: "means" },
    ),
    preset: field(optional(oneOf("paper", "quick")), null, "Settings to start from: the paper's, or a quick look", {
      scope: "means",
    }),
  },
} as const;

export const GROUP_HEADINGS: Readonly<Record<keyof typeof fieldGroups, string>> = {
  task: "Task and data:",
  model: "Model and engine:",
  method: "Method:",
  sampling: "Sampling:",
  training: "Training:",
  run: "Run:",
};

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

/** A row of the table, whatever its type. */
export function fieldOf(key: ConfigKey): RunField {
  return fields[key];
}

export const configKeys = Object.keys(fields) as ConfigKey[];

/** The settings that a command takes, in the order of the table. */
export function keysReadBy(...readers: readonly Reader[]): readonly ConfigKey[] {
  return configKeys.filter((key) => readers.some((reader) => fields[key].readBy.includes(reader)));
}
