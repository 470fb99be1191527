/**
 * Test accuracy, wave by wave, with every answer recorded: one greedy answer without worked examples (zero-shot) or
 * with them (few-shot), or the majority of several sampled answers (self-consistency; Wang et al. 2023).
 */

import type { EvaluationKind } from "../../algorithm/methods.js";
import { sum } from "../../statistics/descriptive.js";
import { samplingCost } from "../cost.js";
import type { EvaluationResult } from "../directory/journal.js";
import { EVALUATION_LOGS } from "../directory/paths.js";
import type { VerifiedSample } from "../directory/records.js";
import { Tape } from "../directory/tape.js";
import type { Listener } from "../events.js";
import { groupBy } from "../group.js";
import { type RunContext, stopIfAsked } from "./context.js";
import { refuseFailingVerifier } from "./progress-checks.js";
import { type AnswerManner, answerTests, isCorrect, reportFailures, type SamplingContext } from "./sampling.js";

/**
 * Answers the whole test set with the engine's present weights. Answers that an earlier session recorded are reused.
 */
export async function evaluate(run: RunContext, iteration: number, kind: EvaluationKind): Promise<EvaluationResult> {
  const tape = new Tape(run.store.log<VerifiedSample>(iteration, EVALUATION_LOGS[kind]));
  const manner = mannerOf(run, kind);
  const answers = await answerAll(run, iteration, manner, run.emit, ({ from, to }, answer) =>
    tape.next(
      (to - from) * manner.samples,
      (recorded, i) => recorded.observation === from + Math.floor(i / manner.samples),
      (wave) => {
        stopIfAsked(run);
        return answer(wave);
      },
    ),
  );
  return summarizeAnswers(run, answers);
}

/** How an evaluation of this kind answers. Few-shot prompts are encoded only for methods that have that evaluation. */
export function mannerOf(
  { prompts, config }: Pick<SamplingContext, "prompts" | "config">,
  kind: EvaluationKind,
): AnswerManner {
  const greedy = { temperature: 0, topP: 1, samples: 1 };
  const zeroShot = { prefix: prompts.zeroShotPrefix, prompts: prompts.test };
  if (kind === "zero-shot") return { ...greedy, ...zeroShot };
  if (kind === "self-consistency") {
    const { consistencyTemperature: temperature, consistencySamples: samples, topP } = config;
    return { ...zeroShot, temperature, topP, samples };
  }
  if (prompts.fewShotTest === null) throw new Error("expected few-shot prompts of the test set, got none");
  return { ...greedy, ...prompts.fewShotTest };
}

/** Where the answers of one wave come from: `answer` gets them from the engine; they may also be recorded already. */
type AnswerSource = (
  range: { readonly from: number; readonly to: number },
  answer: (wave: number) => Promise<readonly VerifiedSample[]>,
) => Promise<readonly VerifiedSample[]>;

/** Answers the test set wave by wave and emits an event for every answer. */
export async function answerAll(
  context: SamplingContext,
  iteration: number,
  manner: AnswerManner,
  emit: Listener,
  source: AnswerSource,
): Promise<VerifiedSample[]> {
  const { test, config } = context;
  const clock = performance.now();
  const answers: VerifiedSample[] = [];
  let done = 0;
  let correct = 0;
  let tokens = 0;
  const report = () => {
    const seconds = (performance.now() - clock) / 1000;
    const verified = answers.length;
    const total = test.length * manner.samples;
    emit({ kind: "evaluating", iteration, done, total, verified, correct, tokens, seconds });
  };
  for (let from = 0; from < test.length; from += config.samplingBatch) {
    const range = { from, to: Math.min(from + config.samplingBatch, test.length) };
    const wave = await source(range, async (number) => {
      const samples = await answerTests(context, range, { iteration, wave: number }, manner, (sample) => {
        done++;
        tokens += sample.generatedTokens;
        report();
      });
      emit({ kind: "samples", iteration, split: "test", samples });
      return samples;
    });
    answers.push(...wave);
    if (iteration === 0) refuseFailingVerifier(answers, test.length * manner.samples);
    done = answers.length;
    correct = answers.filter((answer) => answer.correct).length;
    report();
  }
  reportFailures(emit, `iteration ${iteration}, test`, "test", answers);
  return answers;
}

/**
 * Counts and accuracies of a test set's answers. With several answers to an observation, each reading takes its
 * majority.
 */
export function summarizeAnswers(
  { engine, config }: Pick<RunContext, "engine" | "config">,
  answers: readonly VerifiedSample[],
): EvaluationResult {
  const byObservation = [...groupBy(answers, ({ observation }) => observation).values()];
  const share = (holds: (group: readonly VerifiedSample[]) => boolean) =>
    byObservation.filter(holds).length / byObservation.length;
  const right = (reading: Reading) => (group: readonly VerifiedSample[]) => {
    const elected = majority(group, reading);
    return elected !== null && isCorrect(elected, reading);
  };
  return {
    observations: byObservation.length,
    correct: byObservation.filter(right(config.accept)).length,
    accuracy: share(right(config.accept)),
    strictAccuracy: share(right("strict")),
    lenientAccuracy: share(right("lenient")),
    finished: share((group) => majority(group, config.accept) !== null),
    promptTokens: sum(answers.map(({ promptTokens }) => promptTokens)),
    generatedTokens: sum(answers.map(({ generatedTokens }) => generatedTokens)),
    flops: samplingCost(engine, answers).sampling,
  };
}

type Reading = RunContext["config"]["accept"];

/** The majority answer among finished outputs that state one; ties go to the first. Null if no output states one. */
export function majority(answers: readonly VerifiedSample[], reading: Reading): VerifiedSample | null {
  const voters = answers.filter((answer) => answer.stop !== "length" && answer[reading] !== "none");
  let elected: readonly VerifiedSample[] = [];
  for (const group of groupBy(voters, ({ extracted }) => extracted).values()) {
    if (group.length > elected.length) elected = group;
  }
  return elected[0] ?? null;
}
