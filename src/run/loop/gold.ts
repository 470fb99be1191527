/** Gold answers as D₊, for methods that train on (x → y) without a rationale. */

import type { TryRequest } from "../../algorithm/iteration.js";
import type { DrawnSample } from "../directory/records.js";
import type { RunContext } from "./context.js";

/** What the model would have written if it had stated only the gold answer. It costs nothing and is not verified. */
export function goldSamples(
  { task, train, engine, config }: Pick<RunContext, "task" | "train" | "engine" | "config">,
  requests: readonly TryRequest[],
): DrawnSample[] {
  return requests.map(({ observation, attempt, hinted }) => {
    const { id, answer } = train[observation];
    const stated = task.format.completion("", answer);
    const text = config.chat ? stated.trim() : stated;
    return {
      wave: 0,
      observation,
      id,
      gold: answer,
      tokens: engine.tokenizer.encode(text),
      text,
      stop: "end",
      prefixTokens: 0,
      promptTokens: 0,
      generatedTokens: 0,
      strict: "correct",
      lenient: "correct",
      extracted: answer,
      correct: true,
      attempt,
      hinted,
    };
  });
}
