/**
 * The default task: a running balance over a few days, generated from a seed.
 *
 *     Q: Balance 27. Mon -9, Tue +4?
 *     A:
 *     Mon: 27-9=18
 *     Tue: 18+4=22
 *     The answer is 22.
 *
 * Each step is local and carries its day as a label, which is what lets a very small model learn it; a person reads it at once and a
 * program checks every step. An entry is hard when its operand is 5 to 9 and easy when it is 1 to 4; an observation's difficulty is its
 * number of hard entries. Pretraining sees hard entries rarely, self-training has to learn them.
 */

import { seedFor, uniform } from "../algorithm/random.js";
import { UserError } from "../errors.js";
import { numberVerifier } from "./answers/index.js";
import { plainFormat } from "./prompt.js";
import type { Observation, RationaleCheck, Task, TaskDefaults } from "./task.js";

export const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;

/** Balances stay in [0, HIGHEST_BALANCE]. */
const HIGHEST_BALANCE = 99;
const FEWEST_ENTRIES = 2;
const MOST_ENTRIES = 5;

/**
 * Token strings of a tokenizer for this task. Every prompt and completion is a concatenation of them, cut greedily by the longest match;
 * begin-of-text, end-of-text and padding come on top.
 */
export const ARITHMETIC_VOCABULARY: readonly string[] = [
  ..."0123456789",
  ..."+-=,.?",
  " +",
  " -",
  "Q: Balance ",
  "\nA:",
  "\nThe answer is ",
  ...DAYS.map((day) => ` ${day}`),
  ...DAYS.map((day) => `\n${day}: `),
];

/** A question with its worked solution. */
export interface WorkedExample {
  readonly question: string;
  readonly rationale: string;
  readonly answer: string;
  /** Number of hard entries. */
  readonly difficulty: number;
}

export const arithmeticFormat = plainFormat({ gap: "\n", writeHint: (statement) => statement, stop: [] });

/** Chooses which entries of `count` are hard; `draw` gives the next random number in [0, 1). */
type HardEntries = (count: number, draw: () => number) => ReadonlySet<number>;

/** Every number of hard entries, from one to all, equally often: without any there would be nothing to learn. */
const everyDifficulty: HardEntries = (count, draw) => {
  const wanted = 1 + Math.floor(draw() * count);
  const places = Array.from({ length: count }, (_, place) => place);
  const hard = new Set<number>();
  while (hard.size < wanted) {
    const [place] = places.splice(Math.floor(draw() * places.length), 1);
    if (place !== undefined) hard.add(place);
  }
  return hard;
};

/** Each entry for itself, with probability `share`. */
function eachWith(share: number): HardEntries {
  return (count, draw) => {
    const hard = new Set<number>();
    for (let place = 0; place < count; place++) if (draw() < share) hard.add(place);
    return hard;
  };
}

/** The worked example of one seed: an integer in [0, 2^53). */
function workedExample(seed: number, hardEntries: HardEntries): WorkedExample {
  let drawn = 0;
  const draw = () => uniform(seed, drawn++);
  const below = (limit: number) => Math.floor(draw() * limit);

  const count = FEWEST_ENTRIES + below(MOST_ENTRIES - FEWEST_ENTRIES + 1);
  const hard = hardEntries(count, draw);
  const firstDay = below(DAYS.length);
  let balance = below(HIGHEST_BALANCE + 1);
  const opening = balance;
  const entries: string[] = [];
  const steps: string[] = [];
  for (let place = 0; place < count; place++) {
    const day = DAYS[(firstDay + place) % DAYS.length];
    const operand = hard.has(place) ? 5 + below(5) : 1 + below(4);
    const wanted = draw() < 0.5 ? operand : -operand;
    const inRange = balance + wanted >= 0 && balance + wanted <= HIGHEST_BALANCE;
    const change = inRange ? wanted : -wanted;
    const signed = change < 0 ? `${change}` : `+${change}`;
    entries.push(`${day} ${signed}`);
    steps.push(`${day}: ${balance}${signed}=${balance + change}`);
    balance += change;
  }
  return {
    question: `Balance ${opening}. ${entries.join(", ")}?`,
    rationale: steps.join("\n"),
    answer: `${balance}`,
    difficulty: hard.size,
  };
}

/** Splits of generated data; the number is part of each example's random key. */
const SPLIT_CODES = { train: 0, test: 1 } as const;
/** Questions are drawn again when they were drawn before; so many times in a row means that there are no more. */
const MOST_ATTEMPTS = 1000;

/** `count` examples whose questions are not in `taken`; they are added to it. */
function distinctExamples(
  count: number,
  taken: Set<string>,
  hardEntries: HardEntries,
  seedOf: (index: number, attempt: number) => number,
): WorkedExample[] {
  const examples: WorkedExample[] = [];
  for (let index = 0; index < count; index++) {
    let attempt = 0;
    let example = workedExample(seedOf(index, attempt), hardEntries);
    while (taken.has(example.question)) {
      attempt++;
      if (attempt === MOST_ATTEMPTS) {
        throw new UserError(
          `expected fewer generated observations, got ${count}: there are not so many different questions`,
        );
      }
      example = workedExample(seedOf(index, attempt), hardEntries);
    }
    taken.add(example.question);
    examples.push(example);
  }
  return examples;
}

export interface ArithmeticOptions {
  /** Seed of the observations; an integer in [0, 2^53). */
  readonly taskSeed?: number | undefined;
  readonly trainSize?: number | undefined;
  readonly testSize?: number | undefined;
}

/** Sizes and seed of the default task; the bundled starter model was pretrained without these questions. */
export const ARITHMETIC_DEFAULTS = { taskSeed: 2025, trainSize: 4000, testSize: 500 } as const;

export const arithmeticDefaults: TaskDefaults = {
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

/** The training and test examples with their solutions; no question is in both or twice in one. */
export function arithmeticExamples(options: ArithmeticOptions = {}): { train: WorkedExample[]; test: WorkedExample[] } {
  const {
    taskSeed = ARITHMETIC_DEFAULTS.taskSeed,
    trainSize = ARITHMETIC_DEFAULTS.trainSize,
    testSize = ARITHMETIC_DEFAULTS.testSize,
  } = options;
  const taken = new Set<string>();
  const split = (code: number, count: number) =>
    distinctExamples(count, taken, everyDifficulty, (index, attempt) =>
      seedFor(taskSeed, "data", code, index, attempt),
    );
  // The test split first, so that it stays the same whatever the number of training observations.
  const test = split(SPLIT_CODES.test, testSize);
  return { train: split(SPLIT_CODES.train, trainSize), test };
}

/** Share of hard entries that pretraining sees: few, so that there is something left to learn. */
export const PRETRAINING_HARD_SHARE = 0.09;

export interface PretrainingOptions {
  /** Probability that an entry is hard. */
  readonly hardShare?: number;
  /** Questions that must not appear: those of the task. */
  readonly exclude?: ReadonlySet<string>;
}

/** `count` worked examples to pretrain a starter model on, by default without the questions of the default task. */
export function pretrainingExamples(seed: number, count: number, options: PretrainingOptions = {}): WorkedExample[] {
  const { hardShare = PRETRAINING_HARD_SHARE, exclude = questionsOf(arithmeticExamples()) } = options;
  const hardEntries = eachWith(hardShare);
  return Array.from({ length: count }, (_, index) => {
    // Repeats among the examples are fine here; only the task's own questions are kept out.
    let attempt = 0;
    let example = workedExample(seedFor(seed, "pretrain", 0, index, attempt), hardEntries);
    while (exclude.has(example.question)) {
      attempt++;
      example = workedExample(seedFor(seed, "pretrain", 0, index, attempt), hardEntries);
    }
    return example;
  });
}

function questionsOf(splits: Readonly<Record<string, readonly WorkedExample[]>>): ReadonlySet<string> {
  return new Set(Object.values(splits).flatMap((examples) => examples.map((example) => example.question)));
}

const OPENING = /^Balance (\d+)\. /;
const ENTRY = /([A-Z][a-z]{2}) ([+-]\d+)/g;
const STEP = /^[A-Z][a-z]{2}: /;

/** Recomputes every step: its label, the balance it starts from, its operand and its result. A missing or surplus step is a wrong one. */
export function checkLedger(output: string, question: string): RationaleCheck {
  let balance = Number(OPENING.exec(question)?.[1]);
  const expected = Array.from(question.matchAll(ENTRY), ([, day, signed]) => {
    const before = balance;
    balance += Number(signed);
    return `${day}: ${before}${signed}=${balance}`;
  });
  const written = output.split("\n").filter((line) => STEP.test(line));
  const steps = Math.max(expected.length, written.length);
  for (let step = 0; step < steps; step++) {
    if (written[step] !== expected[step]) return { steps, firstWrong: step };
  }
  return { steps, firstWrong: null };
}

export const ARITHMETIC_DESCRIPTION =
  "a running balance of 2 to 5 entries, with steps that a program checks (generated)";

export function arithmeticTask(options: ArithmeticOptions = {}): Task {
  const { train, test } = arithmeticExamples(options);
  const observations = (examples: readonly WorkedExample[], split: string): Observation[] =>
    examples.map(({ question, answer, difficulty }, index) => ({
      id: `${split}-${index}`,
      question,
      answer,
      difficulty,
    }));
  return {
    name: "arithmetic",
    description: ARITHMETIC_DESCRIPTION,
    train: observations(train, "train"),
    test: observations(test, "test"),
    format: arithmeticFormat,
    exemplars: [],
    verifier: numberVerifier(),
    maxTokens: 64,
    rationalize: false,
    checkRationale: (output, observation) => checkLedger(output, observation.question),
  };
}
