/**
 * Tasks whose questions are made from a seed, together with worked solutions. So a program can check every step of a
 * rationale, and a small model can be pretrained for the task from nothing.
 *
 * A family says how one question is made; everything else is the same for all. Each has easy and hard parts.
 * Pretraining sees few hard ones, the task has many, and self-training has to learn them.
 */

import { seedFor, uniform } from "../../algorithm/random.js";
import { UserError } from "../../errors.js";
import { plainFormat } from "../prompt.js";
import type { Observation, RationaleCheck, Task, TaskDefaults, Verifier } from "../task.js";
import type { TaskEntry } from "../task-entry.js";
import { READ_BY } from "../task-options.js";

/** A question with its worked solution. */
export interface WorkedExample {
  readonly question: string;
  readonly rationale: string;
  readonly answer: string;
  /** Number of hard steps. */
  readonly difficulty: number;
}

/** The next random number in [0, 1). */
export type Draw = () => number;

export interface Family {
  /** Also the task's name. */
  readonly name: string;
  /** One line for `adastar tasks`. */
  readonly description: string;
  /** Folder of its pretrained model beside the package's code. */
  readonly starter: string;
  /**
   * Token strings of a tokenizer for this task. Every prompt and completion is a concatenation of them, cut greedily by
   * the longest match; begin-of-text, end-of-text and padding come on top.
   */
  readonly vocabulary: readonly string[];
  /** Probability that a step is hard in pretraining: small, so that there is something left to learn. */
  readonly hardShare: number;
  verifier(): Verifier;
  /** @param hardShare probability that a step is hard; null for the task's own mix */
  example(draw: Draw, hardShare: number | null): WorkedExample;
  /** Recomputes every step of what a model wrote. A missing or extra step counts as wrong. */
  check(output: string, question: string): RationaleCheck;
}

export const generatedFormat = plainFormat({ gap: "\n", writeHint: (statement) => statement, stop: [] });

/** Settings that teach the bundled starter models in minutes. */
const DEFAULTS: TaskDefaults = {
  iterations: 6,
  batchSize: 8,
  steps: 80,
  stepsGrowth: 1.2,
  learningRate: 3e-4,
  learningRateSchedule: "linear",
  optimizer: "adamw",
  maxGradientNorm: 1,
  temperature: 1,
  topP: 0.9,
};

export interface GeneratedOptions {
  /** Seed of the observations; an integer in [0, 2^53). */
  readonly taskSeed?: number | undefined;
  readonly trainSize?: number | undefined;
  readonly testSize?: number | undefined;
  /**
   * Probability that a step of a training question is hard; the task's own mix by default. Test questions always have
   * that mix.
   */
  readonly hardShare?: number | undefined;
}

/** Sizes and seed when none are given; the bundled starter models were pretrained without these questions. */
const DEFAULT_OPTIONS = { taskSeed: 2025, trainSize: 4000, testSize: 500 } as const;

/** The number of a split is part of each example's random key. */
const SPLIT_CODES = { train: 0, test: 1 } as const;
/** A question that was drawn before is drawn again, at most this many times in a row: then there are no more. */
const MAX_ATTEMPTS = 1000;

/** The worked example of one seed: an integer in [0, 2^53). */
function exampleOf(family: Family, seed: number, hardShare: number | null): WorkedExample {
  let drawn = 0;
  return family.example(() => uniform(seed, drawn++), hardShare);
}

/**
 * The training and test examples with their solutions; no question is in both or twice in one. Throws UserError when
 * there are too few.
 */
export function workedExamples(
  family: Family,
  options: GeneratedOptions = {},
): { train: WorkedExample[]; test: WorkedExample[] } {
  const {
    taskSeed = DEFAULT_OPTIONS.taskSeed,
    trainSize = DEFAULT_OPTIONS.trainSize,
    testSize = DEFAULT_OPTIONS.testSize,
    hardShare = null,
  } = options;
  const taken = new Set<string>();
  const split = (code: number, count: number, share: number | null) =>
    distinctExamples(family, count, taken, share, (index, attempt) => seedFor(taskSeed, "data", code, index, attempt));
  // The test split comes first, so it does not depend on the number of training observations.
  const test = split(SPLIT_CODES.test, testSize, null);
  return { train: split(SPLIT_CODES.train, trainSize, hardShare), test };
}

/** `count` examples whose questions are not in `taken`; they are added to it. */
function distinctExamples(
  family: Family,
  count: number,
  taken: Set<string>,
  hardShare: number | null,
  seedOf: (index: number, attempt: number) => number,
): WorkedExample[] {
  const examples: WorkedExample[] = [];
  for (let index = 0; index < count; index++) {
    let attempt = 0;
    let example = exampleOf(family, seedOf(index, attempt), hardShare);
    while (taken.has(example.question)) {
      attempt++;
      if (attempt === MAX_ATTEMPTS) {
        throw new UserError(
          `expected fewer generated observations, got ${count}: there are not that many different questions`,
        );
      }
      example = exampleOf(family, seedOf(index, attempt), hardShare);
    }
    taken.add(example.question);
    examples.push(example);
  }
  return examples;
}

export interface PretrainingOptions {
  /** Probability that a step is hard; the family's own by default. */
  readonly hardShare?: number | undefined;
  /** Questions that must not appear; by default those of the task in its default size. */
  readonly exclude?: ReadonlySet<string>;
}

/** `count` worked examples to pretrain a starter model on. A question may occur more than once. */
export function pretrainingExamples(
  family: Family,
  seed: number,
  count: number,
  options: PretrainingOptions = {},
): WorkedExample[] {
  const { hardShare = family.hardShare, exclude = questionsOf(workedExamples(family)) } = options;
  return Array.from({ length: count }, (_, index) => {
    let attempt = 0;
    let example = exampleOf(family, seedFor(seed, "pretrain", 0, index, attempt), hardShare);
    while (exclude.has(example.question)) {
      attempt++;
      example = exampleOf(family, seedFor(seed, "pretrain", 0, index, attempt), hardShare);
    }
    return example;
  });
}

function questionsOf(splits: Readonly<Record<string, readonly WorkedExample[]>>): ReadonlySet<string> {
  return new Set(Object.values(splits).flatMap((examples) => examples.map((example) => example.question)));
}

export function generatedTask(family: Family, options: GeneratedOptions = {}): Task {
  const { train, test } = workedExamples(family, options);
  const observations = (examples: readonly WorkedExample[], split: string): Observation[] =>
    examples.map(({ question, answer, difficulty }, index) => ({
      id: `${split}-${index}`,
      question,
      answer,
      difficulty,
    }));
  return {
    name: family.name,
    description: family.description,
    train: observations(train, "train"),
    test: observations(test, "test"),
    format: generatedFormat,
    exemplars: [],
    verifier: family.verifier(),
    maxTokens: 64,
    rationalize: false,
    checkRationale: (output, observation) => family.check(output, observation.question),
  };
}

export function generatedEntry(family: Family): TaskEntry {
  return {
    name: family.name,
    description: family.description,
    defaults: DEFAULTS,
    starter: family.starter,
    options: READ_BY.generated,
    ownVerifier: () => family.verifier(),
    open: async ({ taskSeed, trainSize, testSize, hardShare }, verifier) => {
      const task = generatedTask(family, {
        taskSeed: taskSeed ?? undefined,
        trainSize: trainSize ?? undefined,
        testSize: testSize ?? undefined,
        hardShare: hardShare ?? undefined,
      });
      return verifier === undefined ? task : { ...task, verifier };
    },
  };
}

/** Compares the steps that were written with those that should be. */
export function checkSteps(written: readonly string[], expected: readonly string[]): RationaleCheck {
  const steps = Math.max(expected.length, written.length);
  for (let step = 0; step < steps; step++) {
    if (written[step] !== expected[step]) return { steps, firstWrong: step };
  }
  return { steps, firstWrong: null };
}

/**
 * Positions of hard steps. Each number of them, from one to all, is equally likely; without any there would be nothing
 * to learn.
 */
export function everyDifficulty(count: number, draw: Draw): ReadonlySet<number> {
  const wanted = 1 + Math.floor(draw() * count);
  const places = Array.from({ length: count }, (_, place) => place);
  const hard = new Set<number>();
  while (hard.size < wanted) {
    const [place] = places.splice(Math.floor(draw() * places.length), 1);
    hard.add(place);
  }
  return hard;
}

/** Positions of hard steps: each step is hard with probability `share`, independently. */
export function eachWith(share: number, count: number, draw: Draw): ReadonlySet<number> {
  const hard = new Set<number>();
  for (let place = 0; place < count; place++) if (draw() < share) hard.add(place);
  return hard;
}
