/**
 * The plain question-and-answer form that base models take:
 *
 *     Q: <question>
 *     (A) <option> (B) <option>
 *     A: <rationale> The answer is <answer>.
 *
 * A prompt ends right after `A:` without a trailing space and every completion begins with white space, so that a
 * byte-level tokenizer splits at that place anyway: encoding prompt and completion apart gives the tokens of the whole.
 */

import type { AnswerOption, Exemplar, PromptFormat } from "./task.js";

/** What every completion states at its end; the strict verifiers look for it. */
const ANSWER_PHRASE = "The answer is";

export interface PlainFormatOptions {
  /** How a canonical answer is written after "The answer is"; as it is when left out. */
  readonly writeAnswer?: (answer: string) => string;
  /** How options are shown, on lines of their own after the question; `(A) … (B) …` when left out. */
  readonly writeOptions?: (options: readonly AnswerOption[]) => string;
  /**
   * The line that gives the answer away in a hinted prompt, from the statement of the answer; `Hint: …` when left out.
   */
  readonly writeHint?: (statement: string) => string;
  /** White space between `A:` and the rationale, and between the rationale and its closing statement. */
  readonly gap?: string;
  /** Texts that end a generation; the next `Q:` when left out. */
  readonly stop?: readonly string[];
}

/** `(A) one (B) two` */
function inlineOptions(options: readonly AnswerOption[]): string {
  return options.map((option) => `(${option.label}) ${option.text}`).join(" ");
}

/** `B` as the choice tasks write it: `(B)`. Brackets keep choice A apart from the article. */
export function bracketed(label: string): string {
  return `(${label})`;
}

export function plainFormat(options: PlainFormatOptions = {}): PromptFormat {
  const {
    writeAnswer = (answer) => answer,
    writeOptions = inlineOptions,
    gap = " ",
    stop = ["\nQ:"],
    writeHint = (statement) => `Hint: ${statement}`,
  } = options;
  const opening: PromptFormat["prompt"] = (observation) => {
    const listed = observation.options === undefined ? "" : writeOptions(observation.options);
    return `${observation.question}${listed === "" ? "" : `\n${listed}`}`;
  };
  const statement = (answer: string) => `${ANSWER_PHRASE} ${writeAnswer(answer)}.`;
  const hinted: PromptFormat["hintedPrompt"] = (observation) =>
    `${opening(observation)}\n${writeHint(statement(observation.answer))}`;
  return {
    prompt: (observation) => `Q: ${opening(observation)}\nA:`,
    hintedPrompt: (observation) => `Q: ${hinted(observation)}\nA:`,
    message: (observation, hint) => (hint ? hinted(observation) : opening(observation)),
    completion: (rationale, answer) => `${rationale === "" ? "" : gap + rationale}${gap}${statement(answer)}`,
    separator: "\n\n",
    stop,
  };
}

/**
 * The worked examples that stand before every question while sampling; ends with the separator, so the question's
 * prompt follows directly. Empty without exemplars. `hinted` writes them in the form that `hintedPrompt` continues.
 */
export function fewShotPrefix(format: PromptFormat, exemplars: readonly Exemplar[], hinted = false): string {
  return exemplars
    .map((exemplar) => {
      const prompt = hinted ? format.hintedPrompt(exemplar) : format.prompt(exemplar);
      return prompt + format.completion(exemplar.rationale, exemplar.answer) + format.separator;
    })
    .join("");
}
