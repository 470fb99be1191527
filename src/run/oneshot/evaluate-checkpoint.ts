/** Test accuracy of a checkpoint by itself, as a run would measure it, without a run directory. */

import type { ModelFacts } from "../../engine/engine.js";
import type { RunConfig } from "../config/fields.js";
import type { EvaluationResult } from "../directory/journal.js";
import { type Listeners, tee } from "../listeners.js";
import { type RunOptions, stopIfAsked } from "../loop/context.js";
import { answerAll, mannerOf, summarizeAnswers } from "../loop/evaluation.js";
import { openParts } from "../loop/open-parts.js";

export interface CheckpointEvaluation extends EvaluationResult {
  readonly task: string;
  readonly model: ModelFacts;
  readonly seconds: number;
}

/**
 * Answers the test set greedily and zero-shot. Reads these settings: task, data, model, engine, `accept`, `maxTokens`
 * and `evalLimit`. Throws UserError for anything in them that cannot work.
 */
export async function evaluateCheckpoint(
  config: RunConfig,
  listeners: Listeners = [],
  options: RunOptions = {},
): Promise<CheckpointEvaluation> {
  // Nothing is trained or sampled with worked examples. So neither is encoded, and neither can be too long.
  const parts = await openParts({ ...config, trainLimit: 1, fewShot: 0, exemplars: null }, options);
  const emit = tee(listeners);
  for (const text of parts.task.notices ?? []) emit({ kind: "notice", text });
  const clock = performance.now();
  try {
    let wave = 0;
    const context = { ...parts, signal: options.signal };
    const answers = await answerAll(context, 0, mannerOf(parts, "zero-shot"), emit, (_range, answer) => {
      stopIfAsked(context);
      return answer(wave++);
    });
    const seconds = (performance.now() - clock) / 1000;
    return { task: parts.task.name, model: parts.engine.model, ...summarizeAnswers(parts, answers), seconds };
  } finally {
    await parts.close();
  }
}
