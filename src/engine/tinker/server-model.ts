/** Which of a server's models is meant, and whether it has the vocabulary that prompts are written in. */

import { UserError } from "../../errors.js";
import { mean } from "../../statistics/descriptive.js";
import type { PromptModel } from "../descriptor.js";
import type { TinkerClient } from "./client.js";
import { modelInput } from "./protocol.js";

/** The model's name on the server: the one that is asked for, or the only one. Throws UserError. */
export async function serverModelOf(client: TinkerClient, asked: string | null): Promise<string> {
  const models = await client.models();
  const listed = models.length === 0 ? "none" : models.slice(0, 20).join(", ");
  if (asked !== null) {
    if (models.includes(asked)) return asked;
    throw new UserError(`--server-model: expected a model that ${client.address} has, got ${asked}; it has ${listed}`);
  }
  const [only] = models;
  if (models.length === 1) return only;
  throw new UserError(`expected --server-model to name one of the models of ${client.address}, which are ${listed}`);
}

const KNOWN_TEXT = "The sun rises in the east and sets in the west. One, two, three, four, five.";
/** Nats a token by which a model may do worse than guessing evenly among all tokens. */
const MARGIN = 1;

/**
 * Throws UserError if the server's model reads our token ids as other text. A server does not say which vocabulary it
 * has; but a model that gets ids of another one finds a plain text less likely than even guessing would.
 */
export async function checkVocabulary(
  client: TinkerClient,
  base: string,
  { tokenizer, model }: PromptModel,
): Promise<void> {
  const tokens = [...tokenizer.startTokens, ...encodable(KNOWN_TEXT, tokenizer)];
  if (tokens.length < 2) return;
  const { prompt_logprobs: found } = await client.sample(
    { base },
    {
      prompt: modelInput(tokens),
      num_samples: 1,
      prompt_logprobs: true,
      sampling_params: { max_tokens: 1, temperature: 0, top_p: 1, seed: 0, stop: tokenizer.endTokens },
    },
    { what: "checking the server's vocabulary" },
  );
  const values = (found ?? []).filter((value) => value !== null);
  const guessing = -Math.log(model.vocabularySize);
  if (values.length === 0 || mean(values) >= guessing - MARGIN) return;
  throw new UserError(
    `expected the server's model ${base} to have the vocabulary of ${model.name} (${model.vocabularySize} tokens): ` +
      `it gives a plain English text ${mean(values).toFixed(2)} nats a token, less than guessing (${guessing.toFixed(2)}). ` +
      "State the checkpoint that the server has (--model), or another model of the server (--server-model)",
  );
}

/** A tokenizer of a small vocabulary may not be able to write the text; its model cannot be checked by it then. */
function encodable(text: string, tokenizer: PromptModel["tokenizer"]): number[] {
  try {
    return tokenizer.encode(text);
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}
