/** Test accuracy: greedy, zero-shot, wave by wave, every answer recorded. */

import { type RunContext, stopIfAsked } from "./context.js";
import { samplingCost, sum } from "./cost.js";
import type { Listener } from "./events.js";
import type { EvaluationResult } from "./journal.js";
import { answerTests, isCorrect, type JudgedSample, type SamplingContext, tellFailures } from "./sampling.js";
import { Tape } from "./tape.js";

/** Answers the whole test set with the engine's present weights; answers that an earlier session recorded are played back. */
export async function evaluate(run: RunContext, iteration: number): Promise<EvaluationResult> {
  const tape = new Tape(run.store.log<JudgedSample>(iteration, "evaluation"));
  const answers = await answerAll(run, iteration, run.emit, ({ from, to }, answer) =>
    tape.next(
      to - from,
      (recorded, i) => recorded.observation === from + i,
      (wave) => {
        stopIfAsked(run);
        return answer(wave);
      },
    ),
  );
  return summarizeAnswers(run, answers);
}

/** Where the answers of one wave come from: from `answer`, or from what was recorded of it. */
type AnswerSource = (
  range: { readonly from: number; readonly to: number },
  answer: (wave: number) => Promise<readonly JudgedSample[]>,
) => Promise<readonly JudgedSample[]>;

/** Answers the test set wave by wave and tells of every answer. */
export async function answerAll(
  context: SamplingContext,
  iteration: number,
  emit: Listener,
  source: AnswerSource,
): Promise<JudgedSample[]> {
  const { test, config } = context;
  const clock = performance.now();
  const answers: JudgedSample[] = [];
  let done = 0;
  let correct = 0;
  let tokens = 0;
  const tell = () => {
    const seconds = (performance.now() - clock) / 1000;
    const judged = answers.length;
    emit({ kind: "evaluating", iteration, done, total: test.length, judged, correct, tokens, seconds });
  };
  for (let from = 0; from < test.length; from += config.samplingBatch) {
    const range = { from, to: Math.min(from + config.samplingBatch, test.length) };
    const wave = await source(range, (number) =>
      answerTests(context, range, { iteration, wave: number }, (sample) => {
        done++;
        tokens += sample.generatedTokens;
        tell();
      }),
    );
    answers.push(...wave);
    done = answers.length;
    correct = answers.filter((answer) => answer.correct).length;
    tell();
  }
  tellFailures(emit, `iteration ${iteration}, test`, "test", answers);
  return answers;
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
