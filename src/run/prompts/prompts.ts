/** Every prompt of a run as tokens, encoded once and checked against the model's context before anything is spent. */

import type { Engine, TrainingExample } from "../../engine/engine.js";
import { UserError } from "../../errors.js";
import { fewShotPrefix } from "../../tasks/prompt.js";
import type { Observation } from "../../tasks/task.js";
import { encodeChatPrompts } from "./chat-prompts.js";
import type { PromptSources, Prompts } from "./encoded-prompts.js";

/**
 * Encodes all prompts. Throws UserError naming the first observation whose prompt leaves no room for `maxTokens` new
 * tokens.
 */
export function encodePrompts(engine: Pick<Engine, "model" | "tokenizer">, sources: PromptSources): Prompts {
  const prompts = encodeAnyLength(engine, sources);
  checkLengths(engine.model.contextLength, prompts, sources);
  return prompts;
}

/** The same, whatever the lengths. */
export function encodeAnyLength(engine: Pick<Engine, "model" | "tokenizer">, sources: PromptSources): Prompts {
  const givesHints = sources.method.rationalize && sources.method.tries > 1;
  const encode = sources.chat ? encodeChatPrompts : encodePlainPrompts;
  return encode(engine, { ...sources, givesHints });
}

function encodePlainPrompts(
  { tokenizer }: Pick<Engine, "tokenizer">,
  { task, exemplars, train, test, method, givesHints }: PromptSources & { readonly givesHints: boolean },
): Prompts {
  const { format } = task;
  const start = tokenizer.startTokens;
  const prefixed = (hinted: boolean) => [...start, ...tokenizer.encode(fewShotPrefix(format, exemplars, hinted))];
  const asked = train.map((observation) => tokenizer.encode(format.prompt(observation)));
  const tested = test.map((observation) => tokenizer.encode(format.prompt(observation)));
  return {
    prefix: prefixed(false),
    hintedPrefix: givesHints ? prefixed(true) : [],
    train: asked,
    hinted: givesHints ? train.map((observation) => tokenizer.encode(format.hintedPrompt(observation))) : [],
    zeroShotPrefix: start,
    trainZeroShot: asked,
    test: tested,
    fewShotTest: method.evaluations.includes("few-shot") ? { prefix: prefixed(false), prompts: tested } : null,
    endToken: tokenizer.endTokens[0],
    notices: [],
  };
}

/** Tokens of a prompt that the model is given. */
export interface PromptLength {
  readonly split: "train" | "test";
  readonly index: number;
  readonly hinted: boolean;
  /** Start tokens and worked examples. */
  readonly before: number;
  readonly question: number;
  /** Tokens that must fit the context: one more than is generated, for the end-of-text token that training adds. */
  readonly needed: number;
}

/** Of every prompt, with room for `maxTokens` new tokens. */
export function* promptLengths(prompts: Prompts, maxTokens: number): Generator<PromptLength> {
  const { prefix, hintedPrefix, zeroShotPrefix, fewShotTest } = prompts;
  const kinds = [
    { split: "train", hinted: false, before: prefix.length, all: prompts.train },
    { split: "train", hinted: true, before: hintedPrefix.length, all: prompts.hinted },
    { split: "test", hinted: false, before: zeroShotPrefix.length, all: prompts.test },
    { split: "test", hinted: false, before: fewShotTest?.prefix.length ?? 0, all: fewShotTest?.prompts ?? [] },
  ] as const;
  for (const { all, split, hinted, before } of kinds) {
    for (const [index, { length: question }] of all.entries()) {
      yield { split, index, hinted, before, question, needed: before + question + maxTokens + 1 };
    }
  }
}

function checkLengths(context: number, prompts: Prompts, { train, test, exemplars, maxTokens }: PromptSources): void {
  for (const { split, index, hinted, before, question, needed } of promptLengths(prompts, maxTokens)) {
    if (needed <= context) continue;
    const observation = (split === "train" ? train : test)[index];
    throw new UserError(
      `${nameOf(split, index, observation)}: expected at most ${context} tokens (the model's context), got ${needed}: ` +
        `${before} before the question, ${question} of the question${hinted ? " with its hint" : ""}, ${maxTokens} to generate and 1 to end. ` +
        `Lower --max-tokens${exemplars.length > 0 && before > prompts.zeroShotPrefix.length ? " or --few-shot" : ""}, take the observation out, or choose a model with a longer context.`,
    );
  }
}

/** How errors name an observation: `train[12] (chal-480)`. */
export function nameOf(split: string, index: number, { id }: Pick<Observation, "id">): string {
  return `${split}[${index}] (${id})`;
}

/**
 * A correct sample as a training example: the zero-shot prompt, exactly the tokens that were sampled, end-of-text.
 * Exemplars and hint are left out, so the model learns to do without (STaR, section 3).
 */
export function trainingExample(
  { zeroShotPrefix, trainZeroShot, endToken }: Pick<Prompts, "zeroShotPrefix" | "trainZeroShot" | "endToken">,
  name: string,
  observation: number,
  completion: readonly number[],
): TrainingExample {
  const context = [...zeroShotPrefix, ...trainZeroShot[observation]];
  return { name, tokens: [...context, ...completion, endToken], completionStart: context.length };
}
