/** Test accuracy of a checkpoint by itself, as a run would measure it, without a run directory. */

import type { ModelFacts } from "../engine/engine.js";
import type { RunConfig } from "./config-fields.js";
import { openParts, type RunOptions } from "./context.js";
import { summarizeAnswers } from "./evaluation.js";
import type { Listener } from "./events.js";
import type { EvaluationResult } from "./journal.js";
import { answerTests, type JudgedSample } from "./sampling.js";

export interface CheckpointEvaluation extends EvaluationResult {
  readonly task: string;
  readonly model: ModelFacts;
  readonly seconds: number;
}

/**
 * Answers the test set greedily and zero-shot. Of the configuration it reads task, data, model, engine, `accept`, `maxTokens` and
 * `evalLimit`. Throws UserError for anything in them that cannot work.
 */
export async function evaluateCheckpoint(
  config: RunConfig,
  listener: Listener = () => {},
  options: RunOptions = {},
): Promise<CheckpointEvaluation> {
  // Nothing is trained and nothing sampled with worked examples, so neither is worth encoding, or an error when it is too long.
  const parts = await openParts({ ...config, trainLimit: 1, fewShot: 0 }, options);
  const clock = performance.now();
  const secondsSince = () => (performance.now() - clock) / 1000;
  try {
    const { task, test, engine } = parts;
    const answers: JudgedSample[] = [];
    let correct = 0;
    let tokens = 0;
    for (let from = 0, wave = 0; from < test.length; from += config.samplingBatch, wave++) {
      options.signal?.throwIfAborted();
      const to = Math.min(from + config.samplingBatch, test.length);
      for (const answer of await answerTests(parts, { from, to }, { iteration: 0, wave })) {
        answers.push(answer);
        correct += answer.correct ? 1 : 0;
        tokens += answer.generatedTokens;
      }
      const seconds = secondsSince();
      listener({ kind: "evaluating", iteration: 0, done: to, total: test.length, correct, tokens, seconds });
    }
    return { task: task.name, model: engine.model, ...summarizeAnswers(parts, answers), seconds: secondsSince() };
  } finally {
    await parts.close();
  }
}
