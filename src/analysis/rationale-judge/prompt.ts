/** What a judge of rationales is asked, and how its reply is read. */

import type { Observation } from "../../tasks/task.js";
import type { RationaleVerdict } from "./log.js";

/**
 * To be raised with every change of the question or of how replies are read: verdicts under another version are not
 * used again.
 */
export const PROMPT_VERSION = 1;

/**
 * One message, since not every chat template takes a system's. The gold answer is not given separately: the solution
 * states it.
 */
export function questionAbout({ question, options }: Pick<Observation, "question" | "options">, text: string): string {
  const listed = (options ?? []).map((option) => `\n(${option.label}) ${option.text}`).join("");
  return `Check the reasoning of a solution that a language model wrote. Its final answer is known to be right. That does not make its reasoning right: an answer can be right by luck, or by errors that cancel out.

<question>
${question.trim()}${listed}
</question>

<solution>
${text.trim()}
</solution>

Go through the solution step by step, and recompute every calculation. A step is wrong if it says something false, contradicts the question, copies or calculates something wrong, or does not follow from what stands before it. The reasoning is FLAWED if any step is wrong, if a step that the answer depends on is missing, or if there is no reasoning. Otherwise it is SOUND. Wording and style do not matter.

Be brief. End your reply with a line that is exactly one of these two:
VERDICT: SOUND
VERDICT: FLAWED`;
}

/** A line that is nothing but a verdict, with the marks that models put around such lines: `**Verdict:** flawed.` */
const VERDICT = /^[^\p{L}\p{N}]*verdict[^\p{L}\p{N}]+(sound|flawed)[^\p{L}\p{N}]*$/iu;

/** What reasoning models think before they reply. */
const THOUGHTS = /<think>[\s\S]*?<\/think>/gi;

/**
 * The verdict that a reply states on a line of its own. None where there is no such line, where two contradict each
 * other, or where the reply was cut (by the limit of tokens or a filter), whatever it says until then.
 */
export function verdictIn(reply: string, finish: string | null): RationaleVerdict {
  if (finish === "length" || finish === "content_filter") return "none";
  // Some templates put the opening tag into the prompt.
  const spoken = reply.replace(THOUGHTS, "").replace(/^[\s\S]*<\/think>/i, "");
  // A thought that never ended is not a reply.
  const said = spoken.replace(/<think>[\s\S]*$/i, "").split(/\r?\n/);
  const found = new Set(said.flatMap((line) => VERDICT.exec(line)?.[1]?.toLowerCase() ?? []));
  const [verdict] = found;
  return found.size === 1 && (verdict === "sound" || verdict === "flawed") ? verdict : "none";
}
