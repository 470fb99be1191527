/**
 * The simulated learner's lessons for a task: the task's prompts, with completions that its verifier accepts and
 * refuses.
 */

import type { Lesson } from "../engine/scripted/lesson.js";
import { UserError } from "../errors.js";
import type { Observation, Task } from "../tasks/task.js";

const RATIONALE = "From memory.";

/**
 * One lesson for each training and test observation; those of one difficulty are alike. Throws UserError naming the
 * observation when the verifier does not accept its right completion, or accepts a wrong one.
 */
export function lessonsOf(task: Pick<Task, "train" | "test" | "format" | "verifier">): readonly Lesson[] {
  const { format, verifier } = task;
  return [...task.train, ...task.test].map((observation): Lesson => {
    const completion = format.completion(RATIONALE, observation.answer);
    const wrong = wrongAnswers(observation).map((answer) => format.completion(RATIONALE, answer));
    const accepted = wrong.find((output) => verifier.verify(output, observation).strict === "correct");
    if (verifier.verify(completion, observation).strict !== "correct" || accepted !== undefined) {
      throw new UserError(
        `observation ${observation.id}: expected the task's verifier to accept ${JSON.stringify(completion)} and to refuse ${JSON.stringify(accepted ?? wrong[0])}, got otherwise`,
      );
    }
    return {
      prompt: format.prompt(observation),
      hintedPrompt: format.hintedPrompt(observation),
      completion,
      // Training on bare answers has completions without a rationale.
      alsoRight: [format.completion("", observation.answer)],
      wrong,
      group: String(observation.difficulty ?? 0),
      difficulty: observation.difficulty ?? 0,
    };
  });
}

/** Wrong answers of the same kind. */
function wrongAnswers({ answer, options }: Observation): readonly string[] {
  if (options !== undefined) return options.map(({ label }) => label).filter((label) => label !== answer);
  if (answer === "yes") return ["no"];
  if (answer === "no") return ["yes"];
  const number = Number(answer);
  if (Number.isSafeInteger(number)) return [String(number + 1), String(number - 1), String(number + 10)];
  if (Number.isFinite(number)) return [String(number + 1)];
  return [`not ${answer}`];
}
