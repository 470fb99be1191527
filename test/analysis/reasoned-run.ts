/** A run of the default task whose samples carry worked rationales, right or wrong, made by the simulated learner. */

import type { Lesson } from "../../src/engine/scripted/lesson.js";
import { openScriptedEngine } from "../../src/engine/scripted/scripted-engine.js";
import type { RunConfig } from "../../src/run/config/fields.js";
import { lessonsOf } from "../../src/run/lessons.js";
import { startRun } from "../../src/run/loop/runner.js";
import { arithmetic } from "../../src/tasks/generated/arithmetic.js";
import { generatedTask, workedExamples } from "../../src/tasks/generated/family.js";
import type { Task } from "../../src/tasks/task.js";
import { smallConfig } from "../run/small-run.js";

const SIZES = { taskSeed: 7, trainSize: 60, testSize: 20 };

/** What the run's own configuration opens. */
export const reasonedTask: Task = generatedTask(arithmetic, SIZES);

/**
 * The index of every third observation; their rationales miscalculate the first step and end on the right answer all
 * the same.
 */
export const misreasoned = (index: number): boolean => index % 3 === 0;

/** Lessons whose right completions are worked: the learner then writes them, and the run judges them as any other. */
function workedLessons(): Lesson[] {
  const { train, test } = workedExamples(arithmetic, SIZES);
  return lessonsOf(reasonedTask).map((lesson, index) => {
    const { rationale, answer } = [...train, ...test][index];
    const written = misreasoned(index)
      ? rationale.replace(/=(\d+)/, (_, result: string) => `=${Number(result) + 1}`)
      : rationale;
    return { ...lesson, completion: reasonedTask.format.completion(written, answer), alsoRight: [] };
  });
}

/** The directory of a finished run of two iterations, which the command line can open by itself. */
export async function reasonedRun(values: Partial<RunConfig> = {}, task = reasonedTask): Promise<string> {
  const config = smallConfig({ task: "arithmetic", ...SIZES, iterations: 2, steps: 10, ...values });
  const engine = await openScriptedEngine({ lessons: workedLessons(), ability: 3 });
  const { runDir } = await startRun(config, () => {}, { task, engine });
  return runDir;
}
