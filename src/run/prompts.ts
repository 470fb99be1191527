/** Every prompt of a run as tokens, encoded once and checked against the model's context before anything is spent. */

import type { Method } from "../algorithm/methods.js";
import type { Engine, TrainingExample } from "../engine/engine.js";
import { UserError } from "../errors.js";
import { fewShotPrefix } from "../tasks/prompt.js";
import type { Exemplar, Observation, Task } from "../tasks/task.js";

export interface Prompts {
  /** Start tokens and worked examples, put before every question while sampling; in the plain and in the hinted form. */
  readonly prefix: readonly number[];
  readonly hintedPrefix: readonly number[];
  /** What stands before every question in training and evaluation: start tokens only. */
  readonly zeroShotPrefix: readonly number[];
  /** The zero-shot prompt of each training and test observation. */
  readonly train: readonly (readonly number[])[];
  readonly test: readonly (readonly number[])[];
  /** Each training observation's prompt with its answer as a hint; empty where the method gives no hints. */
  readonly hinted: readonly (readonly number[])[];
}

export interface PromptSources {
  readonly task: Pick<Task, "format">;
  readonly exemplars: readonly Exemplar[];
  readonly train: readonly Observation[];
  readonly test: readonly Observation[];
  readonly method: Method;
  readonly maxTokens: number;
}

/** Encodes all prompts. Throws UserError naming the first observation whose prompt leaves no room for `maxTokens` new tokens. */
export function encodePrompts(engine: Engine, sources: PromptSources): Prompts {
  const { task, exemplars, train, test, method } = sources;
  const { format } = task;
  const { tokenizer } = engine;
  const start = tokenizer.startTokens;
  const givesHints = method.rationalize && method.tries > 1;
  const prefixed = (hinted: boolean) => [...start, ...tokenizer.encode(fewShotPrefix(format, exemplars, hinted))];
  const prompts: Prompts = {
    prefix: prefixed(false),
    hintedPrefix: givesHints ? prefixed(true) : [],
    zeroShotPrefix: start,
    train: train.map((observation) => tokenizer.encode(format.prompt(observation))),
    test: test.map((observation) => tokenizer.encode(format.prompt(observation))),
    hinted: givesHints ? train.map((observation) => tokenizer.encode(format.hintedPrompt(observation))) : [],
  };
  checkLengths(engine.model.contextLength, prompts, sources);
  return prompts;
}

function checkLengths(context: number, prompts: Prompts, { train, test, exemplars, maxTokens }: PromptSources): void {
  const check = (
    split: string,
    all: Prompts["train"],
    observations: readonly Observation[],
    prefix: number,
    hint: string,
  ) => {
    for (const [index, prompt] of all.entries()) {
      // One more than is generated, for the end-of-text token that training puts behind.
      const needed = prefix + prompt.length + maxTokens + 1;
      if (needed <= context) continue;
      throw new UserError(
        `${nameOf(split, index, observations[index])}: expected at most ${context} tokens (the model's context), got ${needed}: ` +
          `${prefix} before the question, ${prompt.length} of the question${hint}, ${maxTokens} to generate and 1 to end. ` +
          `Lower --max-tokens${exemplars.length > 0 && prefix > prompts.zeroShotPrefix.length ? " or --few-shot" : ""}, take the observation out, or choose a model with a longer context.`,
      );
    }
  };
  check("train", prompts.train, train, prompts.prefix.length, "");
  check("train", prompts.hinted, train, prompts.hintedPrefix.length, " with its hint");
  check("test", prompts.test, test, prompts.zeroShotPrefix.length, "");
}

/** How errors name an observation: `train[12] (chal-480)`. */
export function nameOf(split: string, index: number, observation: Observation): string {
  return `${split}[${index}] (${observation.id})`;
}

/**
 * A correct sample as a training example: the zero-shot prompt, exactly the tokens that were sampled, end-of-text. Exemplars and hint are
 * left out, so the model learns to do without (STaR, section 3).
 */
export function trainingExample(
  engine: Engine,
  prompts: Prompts,
  name: string,
  observation: number,
  completion: readonly number[],
): TrainingExample {
  const context = [...prompts.zeroShotPrefix, ...prompts.train[observation]];
  return { name, tokens: [...context, ...completion, engine.tokenizer.endTokens[0]], completionStart: context.length };
}
