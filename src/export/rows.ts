/** What a run left, as rows for other programs: each sample with its question, frequencies, the learning curve. */

import { trainingCounts } from "../analysis/training-frequency.js";
import { UserError } from "../errors.js";
import { taskOptions } from "../run/config/config.js";
import type { RunReader } from "../run/directory/reader.js";
import { openTask } from "../tasks/registry.js";
import type { Observation, Task } from "../tasks/task.js";

export type Cell = string | number | boolean | null;
export type Row = Readonly<Record<string, Cell>>;

export type Content = "kept" | "samples" | "frequencies" | "curve";

/** The rows of a run, in the order of its iterations; every row has the same columns. Throws UserError. */
export async function* exportRows(run: RunReader, content: Content): AsyncGenerator<Row> {
  if (content === "curve") yield* curveRows(run);
  else {
    const questions = await openQuestions(run);
    if (content === "kept") yield* keptRows(run, questions);
    else if (content === "samples") yield* sampleRows(run, questions);
    else yield* frequencyRows(run, questions);
  }
}

/** Training observations by their index. */
interface Questions {
  readonly task: Task;
  /** Throws UserError where the data has another observation there than the run. @param id null: not known */
  readonly at: (index: number, id: string | null) => Observation;
}

async function openQuestions(run: RunReader): Promise<Questions> {
  const task = await openTask(taskOptions(run.config));
  await task.verifier.module?.close();
  return {
    task,
    at: (index, id) => {
      const observation = task.train[index];
      if (observation !== undefined && (id === null || observation.id === id)) return observation;
      throw new UserError(
        `${run.dir}: expected the data that the run began with, got ${observation === undefined ? "fewer observations" : "others"} (observation ${index}). Restore its data files; questions are in them and not in the run`,
      );
    },
  };
}

/** The question as a chat's user asks it: its options on lines of their own, and nothing of a prompt around it. */
function questionText({ format }: Task, observation: Observation): string {
  return format.message?.(observation, false) ?? observation.question;
}

function finished(run: RunReader): number[] {
  return run.records.map(({ iteration }) => iteration);
}

function* keptRows(run: RunReader, { task, at }: Questions): Generator<Row> {
  for (const iteration of finished(run)) {
    for (const { observation, id, attempt, hinted, text } of run.kept(iteration)) {
      const asked = at(observation, id);
      const question = questionText(task, asked);
      yield { iteration, observation, id, question, answer: asked.answer, attempt, hinted, text: text.trim() };
    }
  }
}

function* sampleRows(run: RunReader, { task, at }: Questions): Generator<Row> {
  for (const iteration of finished(run)) {
    for (const draw of run.draws(iteration)) {
      const { observation, id, gold, attempt, hinted, text, extracted, strict, lenient, correct, stop } = draw;
      yield {
        iteration,
        observation,
        id,
        question: questionText(task, at(observation, id)),
        answer: gold,
        attempt,
        hinted,
        text: text.trim(),
        extracted,
        strict,
        lenient,
        correct,
        stop,
        wrong_step: draw.wrongStep ?? null,
        generated_tokens: draw.generatedTokens,
      };
    }
  }
}

function* frequencyRows(run: RunReader, { task, at }: Questions): Generator<Row> {
  let last: ArrayLike<number> = [];
  for (const counts of trainingCounts(run, run.records.length)) last = counts;
  for (let observation = 0; observation < last.length; observation++) {
    const asked = at(observation, null);
    const question = questionText(task, asked);
    yield { observation, id: asked.id, question, answer: asked.answer, times_trained: last[observation] };
  }
}

function* curveRows(run: RunReader): Generator<Row> {
  const { baseAccuracy } = run.overview;
  if (baseAccuracy === null) return;
  yield { step: 0, test_accuracy: baseAccuracy, flops: 0, seconds: 0, alpha: null, loss: null };
  let seconds = 0;
  for (const { iteration, testAccuracy, cumulativeFlops, alpha, loss, seconds: own } of run.records) {
    seconds += own.visit + own.train + own.evaluate;
    yield { step: iteration, test_accuracy: testAccuracy, flops: cumulativeFlops.total, seconds, alpha, loss };
  }
}

/** D₊ of all iterations as conversations of one turn, as TRL, Axolotl and LLaMA-Factory read them; each one once. */
export async function* conversations(run: RunReader): AsyncGenerator<object> {
  const seen = new Set<string>();
  for await (const { question, text } of exportRows(run, "kept")) {
    const messages = [
      { role: "user", content: question },
      { role: "assistant", content: text },
    ];
    const key = JSON.stringify(messages);
    if (seen.has(key)) continue;
    seen.add(key);
    yield { messages };
  }
}
