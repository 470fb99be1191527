/** The simulated learner's lessons for a task: its own prompts, with completions that its own verifier finds right and wrong. */

import { UserError } from "../../errors.js";
import type { Observation, Task } from "../../tasks/task.js";
import type { Lesson } from "./lesson.js";

const RATIONALE = "From memory.";

/**
 * One lesson for each training and test observation. `groupOf` says which observations are alike; those of the same difficulty when left
 * out. Throws UserError naming the observation when the verifier does not find the completions right and wrong as they are meant.
 */
export function lessonsOf(
  task: Pick<Task, "train" | "test" | "format" | "verifier">,
  groupOf: (observation: Observation) => string = ({ difficulty }) => String(difficulty ?? 0),
): readonly Lesson[] {
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
      // What training on bare answers states.
      alsoRight: [format.completion("", observation.answer)],
      wrong,
      group: groupOf(observation),
      difficulty: observation.difficulty ?? 0,
    };
  });
}

/** Answers of the same kind that are not the right one. */
function wrongAnswers({ answer, options }: Observation): readonly string[] {
  if (options !== undefined) return options.map(({ label }) => label).filter((label) => label !== answer);
  if (answer === "yes") return ["no"];
  if (answer === "no") return ["yes"];
  const number = Number(answer);
  if (Number.isSafeInteger(number)) return [String(number + 1), String(number - 1), String(number + 10)];
  if (Number.isFinite(number)) return [String(number + 1)];
  return [`not ${answer}`];
}
