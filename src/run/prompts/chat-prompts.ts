/**
 * Prompts in a checkpoint's own chat form: worked examples as turns of user and assistant, the question as the user's
 * last turn. The template writes every special token, begin-of-text included.
 */

import type { ChatMessage, ChatTemplate, Engine, Tokenizer } from "../../engine/engine.js";
import { shown, UserError } from "../../errors.js";
import type { Exemplar, Observation, PromptFormat } from "../../tasks/task.js";
import type { PromptSources, Prompts } from "./encoded-prompts.js";

/** Throws UserError when the checkpoint has no chat template, or one that does not end turns. */
export function encodeChatPrompts(
  { tokenizer, model }: Pick<Engine, "tokenizer" | "model">,
  { task, exemplars, train, test, method, givesHints }: PromptSources & { readonly givesHints: boolean },
): Prompts {
  const { format } = task;
  const { chat } = tokenizer;
  if (chat === undefined) {
    throw new UserError(
      `chat: expected a checkpoint with a chat template (chat_template.jinja, or chat_template in tokenizer_config.json), got ${model.name}, which has none. ` +
        "Leave chat out, or choose a model that was trained on conversations.",
    );
  }
  const after = (before: readonly ChatMessage[], observations: readonly Observation[], hinted = false) =>
    encodeAfter(
      tokenizer,
      chat,
      before,
      observations.map((observation) => said(format, observation, hinted)),
    );
  const plain = after(turns(format, exemplars, false), train);
  const hinted = givesHints ? after(turns(format, exemplars, true), train, true) : NONE;
  const unshared = [plain, hinted].some(({ shared }) => !shared);
  return {
    prefix: plain.prefix,
    train: plain.prompts,
    hintedPrefix: hinted.prefix,
    hinted: hinted.prompts,
    zeroShotPrefix: [],
    trainZeroShot: exemplars.length === 0 ? plain.prompts : after([], train).prompts,
    test: after([], test).prompts,
    fewShotTest: method.evaluations.includes("few-shot") ? after(turns(format, exemplars, false), test) : null,
    endToken: endOfTurn(tokenizer, chat, model.name),
    notices: unshared
      ? [
          `the chat template of ${model.name} writes worked examples in a way that depends on what follows; every prompt computes them anew, which takes longer`,
        ]
      : [],
  };
}

/** The conversation that a try begins with, as the template writes it. */
export function chatText(
  chat: ChatTemplate,
  format: PromptFormat,
  exemplars: readonly Exemplar[],
  observation: Observation,
  hinted = false,
): string {
  const question: ChatMessage = { role: "user", content: said(format, observation, hinted) };
  return chat.render([...turns(format, exemplars, hinted), question], true);
}

function said(format: PromptFormat, observation: Observation | Exemplar, hinted: boolean): string {
  if (format.message !== undefined) return format.message(observation, hinted);
  return hinted ? format.hintedPrompt(observation) : format.prompt(observation);
}

function turns(format: PromptFormat, exemplars: readonly Exemplar[], hinted: boolean): ChatMessage[] {
  return exemplars.flatMap((exemplar) => [
    { role: "user", content: said(format, exemplar, hinted) },
    { role: "assistant", content: format.completion(exemplar.rationale, exemplar.answer).trim() },
  ]);
}

interface Encoded {
  /** Tokens of the turns before the questions, where they are the same before every one of them; else empty. */
  readonly prefix: readonly number[];
  /** What follows the prefix, for each question. */
  readonly prompts: readonly (readonly number[])[];
  readonly shared: boolean;
}

const NONE: Encoded = { prefix: [], prompts: [], shared: true };

/** The conversations that end with these questions of the user, and with the opening of the assistant's turn. */
function encodeAfter(
  tokenizer: Tokenizer,
  chat: ChatTemplate,
  before: readonly ChatMessage[],
  questions: readonly string[],
): Encoded {
  const texts = questions.map((content) => chat.render([...before, { role: "user", content }], true));
  const whole = () => texts.map((text) => tokenizer.encode(text));
  if (before.length === 0) return { prefix: [], prompts: whole(), shared: true };
  return sharedOpening(tokenizer, chat, before, texts) ?? { prefix: [], prompts: whole(), shared: false };
}

/**
 * The tokens of the earlier turns alone; null unless they and the rest give exactly the tokens of the whole. Tokenizers
 * first split a text at special tokens. So if each question's part begins with one, the split is right for all of them.
 */
function sharedOpening(
  tokenizer: Tokenizer,
  chat: ChatTemplate,
  before: readonly ChatMessage[],
  texts: readonly string[],
): Encoded | null {
  const opening = openingOf(chat, before);
  if (opening === null || !texts.every((text) => text.startsWith(opening))) return null;
  const prefix = tokenizer.encode(opening);
  const prompts = texts.map((text) => tokenizer.encode(text.slice(opening.length)));
  const split = prompts.every(([first]) => first !== undefined && tokenizer.decode([first]) === "");
  const [text] = texts;
  const same =
    text === undefined || JSON.stringify(tokenizer.encode(text)) === JSON.stringify([...prefix, ...(prompts[0] ?? [])]);
  return split && same ? { prefix, prompts, shared: true } : null;
}

/** Null for templates that refuse a conversation without a question at its end. */
function openingOf(chat: ChatTemplate, before: readonly ChatMessage[]): string | null {
  try {
    return chat.render(before, false);
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

const REPLY = "The answer is 7.";

/** The token that the template puts after the assistant's words. Throws UserError unless it ends a generation. */
function endOfTurn(tokenizer: Tokenizer, chat: ChatTemplate, model: string): number {
  const question: ChatMessage = { role: "user", content: "How many?" };
  const text = chat.render([question, { role: "assistant", content: REPLY }], false);
  const behind = text.slice(text.lastIndexOf(REPLY) + REPLY.length);
  const end = tokenizer.encode(behind).find((token) => tokenizer.endTokens.includes(token));
  if (end !== undefined) return end;
  throw new UserError(
    `expected the chat template of ${model} to end the assistant's turn with one of the tokens that end a generation (${tokenizer.endTokens.join(", ")}), got ${shown(behind)}. ` +
      "Add the id of the token that ends a turn to eos_token_id in its generation_config.json.",
  );
}
