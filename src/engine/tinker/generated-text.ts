/** From the tokens that a server sends to a sample: end-of-text and stop texts. */

import type { Sample, SamplingParams, Tokenizer } from "../engine.js";
import { firstStop } from "../stop-texts.js";

export interface ServerSequence {
  readonly tokens: readonly number[];
  readonly logProbabilities: readonly number[] | undefined;
  /** Whether the server stopped at a token, and not at the limit. */
  readonly stopped: boolean;
}

/**
 * The sample of a sequence. Stop texts are cut here, because a server ends at tokens; what it wrote after one counts in
 * `generatedTokens`, as it was computed.
 */
export function sampleOf(
  index: number,
  { tokens: sent, logProbabilities, stopped }: ServerSequence,
  { stop, maxTokens }: SamplingParams,
  tokenizer: Tokenizer,
): Sample {
  const end = sent.findIndex((token) => tokenizer.endTokens.includes(token));
  const tokens = end < 0 ? sent : sent.slice(0, end);
  const text = tokenizer.decode(tokens);
  // A server may leave out the token that it stopped at, which it computed all the same.
  const generatedTokens = end < 0 && stopped ? Math.min(maxTokens, sent.length + 1) : sent.length;
  const found = firstStop(text, stop);
  if (found !== undefined) {
    const cut = cutAt(tokens, text, found.start, tokenizer);
    return { index, ...cut, stop: "stop", generatedTokens };
  }
  const ended = end >= 0 || stopped;
  const probabilities = logProbabilities?.slice(0, tokens.length);
  return {
    index,
    tokens,
    text,
    stop: ended ? "end" : "length",
    generatedTokens,
    ...(probabilities === undefined ? {} : { logProbabilities: probabilities }),
  };
}

/**
 * The tokens before character `end` of their text. If that lies inside a token, the part that is kept is encoded anew.
 */
function cutAt(tokens: readonly number[], text: string, end: number, tokenizer: Tokenizer) {
  const kept = text.slice(0, end);
  let count = tokens.length;
  while (count > 0 && !kept.startsWith(tokenizer.decode(tokens.slice(0, count)))) count--;
  const whole = tokenizer.decode(tokens.slice(0, count));
  const rest = kept.slice(whole.length);
  return { tokens: [...tokens.slice(0, count), ...(rest === "" ? [] : tokenizer.encode(rest))], text: kept };
}
