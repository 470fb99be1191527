/** Test accuracy: greedy, zero-shot, wave by wave, every answer recorded. */

import { type RunContext, stopIfAsked } from "./context.js";
import { samplingCost, sum } from "./cost.js";
import type { EvaluationResult } from "./journal.js";
import { answerTests, isCorrect, type JudgedSample } from "./sampling.js";
import { Tape } from "./tape.js";

/** Answers the whole test set with the engine's present weights. */
export async function evaluate(run: RunContext, iteration: number): Promise<EvaluationResult> {
  const { test, config, store, emit } = run;
  const tape = new Tape(store.log<JudgedSample>(iteration, "evaluation"));
  const clock = performance.now();
  let tokens = 0;
  for (let from = 0; from < test.length; from += config.samplingBatch) {
    const to = Math.min(from + config.samplingBatch, test.length);
    await tape.next(
      to - from,
      (answer, i) => answer.observation === from + i,
      async (wave) => {
        stopIfAsked(run);
        const answers = await answerTests(run, { from, to }, { iteration, wave });
        tokens += sum(answers.map(({ generatedTokens }) => generatedTokens));
        return answers;
      },
    );
    const correct = tape.played.filter((answer) => answer.correct).length;
    const seconds = (performance.now() - clock) / 1000;
    emit({ kind: "evaluating", iteration, done: to, total: test.length, correct, tokens, seconds });
  }
  return summarizeAnswers(run, tape.played);
}

/** Counts and accuracies of a test set's answers. */
export function summarizeAnswers(
  { engine, config }: Pick<RunContext, "engine" | "config">,
  answers: readonly JudgedSample[],
): EvaluationResult {
  const share = (holds: (answer: JudgedSample) => boolean) => answers.filter(holds).length / answers.length;
  return {
    observations: answers.length,
    correct: answers.filter(({ correct }) => correct).length,
    accuracy: share(({ correct }) => correct),
    strictAccuracy: share((answer) => isCorrect(answer, "strict")),
    lenientAccuracy: share((answer) => isCorrect(answer, "lenient")),
    finished: share((answer) => answer.stop !== "length" && answer[config.accept] !== "none"),
    promptTokens: sum(answers.map(({ promptTokens }) => promptTokens)),
    generatedTokens: sum(answers.map(({ generatedTokens }) => generatedTokens)),
    flops: samplingCost(engine, answers).sampling,
  };
}
