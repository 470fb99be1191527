/** How long the prompts of a task are, and whether a run's prompts fit the model. */

import type { Method } from "../../algorithm/methods.js";
import type { Engine } from "../../engine/engine.js";
import type { Exemplar, Observation, Task } from "../../tasks/task.js";
import { encodeAnyLength, promptLengths } from "./prompts.js";

/** Zero-shot prompts of one split by length. */
export type Lengths = ReadonlyMap<number, number>;

/** A prompt that a run would sample with. */
interface PromptNeed {
  readonly split: "train" | "test";
  readonly index: number;
  /** Worked examples, question, generation and end-of-text, in tokens. */
  readonly tokens: number;
}

export interface PromptLengths {
  readonly unit: "tokens" | "words";
  readonly train: Lengths;
  readonly test: Lengths;
  /** Null where lengths are in words: a context is in tokens. */
  readonly context: {
    readonly model: string;
    /** The longest sequence that the model takes, in tokens. */
    readonly limit: number;
    readonly longest: PromptNeed;
    /** How many prompts need more than there is. A run refuses the first of them. */
    readonly tooLong: number;
  } | null;
}

export interface LengthSources {
  readonly task: Pick<Task, "format" | "train" | "test">;
  readonly exemplars: readonly Exemplar[];
  readonly method: Method;
  readonly maxTokens: number;
  readonly chat: boolean;
}

/** Prompts are encoded so many at a time, and only their lengths are kept. */
const BATCH = 1000;

/** Throws UserError for text that the tokenizer cannot write. */
export function lengthsInTokens(
  engine: Pick<Engine, "tokenizer" | "model">,
  { task, ...sources }: LengthSources,
): PromptLengths {
  const { name, contextLength: limit } = engine.model;
  const lengths = { train: new Map<number, number>(), test: new Map<number, number>() };
  let longest: PromptNeed = { split: "train", index: 0, tokens: 0 };
  let tooLong = 0;
  for (const split of ["train", "test"] as const) {
    for (let first = 0; first < task[split].length; first += BATCH) {
      const batch = task[split].slice(first, first + BATCH);
      const prompts = encodeAnyLength(engine, { task, train: [], test: [], [split]: batch, ...sources });
      for (const prompt of prompts[split === "train" ? "trainZeroShot" : "test"]) {
        count(lengths[split], prompts.zeroShotPrefix.length + prompt.length);
      }
      for (const { index, needed } of promptLengths(prompts, sources.maxTokens)) {
        if (needed > longest.tokens) longest = { split, index: first + index, tokens: needed };
        if (needed > limit) tooLong++;
      }
    }
  }
  return { unit: "tokens", ...lengths, context: { model: name, limit, longest, tooLong } };
}

/** For texts that no tokenizer at hand can write. */
export function lengthsInWords({ format, train, test }: Pick<Task, "format" | "train" | "test">): PromptLengths {
  const measure = (observations: readonly Observation[]) => {
    const lengths = new Map<number, number>();
    for (const observation of observations) count(lengths, format.prompt(observation).match(/\S+/g)?.length ?? 0);
    return lengths;
  };
  return { unit: "words", train: measure(train), test: measure(test), context: null };
}

function count(lengths: Map<number, number>, length: number): void {
  lengths.set(length, (lengths.get(length) ?? 0) + 1);
}
