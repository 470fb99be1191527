/** What the simulated learner can be asked: prompts, and what it writes after them. */

import { shown, UserError } from "../../errors.js";

/** One thing to learn. */
export interface Lesson {
  /** The text at the end of a prompt that asks for this lesson. */
  readonly prompt: string;
  /** The same with a hint; the learner is then right more often. */
  readonly hintedPrompt?: string;
  /** What it writes when it is right. */
  readonly completion: string;
  /** Right answers in other words: never written, and equally good to learn from. */
  readonly alsoRight?: readonly string[];
  /** What it writes when it is wrong, one of them at random. At least one; the right completion is not among them. */
  readonly wrong: readonly string[];
  /** Lessons of one group are similar: learning one helps with the others. */
  readonly group: string;
  /** 0 or more; every level is harder than the one before by the same amount. */
  readonly difficulty: number;
}

/** A lesson that was recognized. */
export interface Asked {
  /** Its index in the list of lessons. */
  readonly lesson: number;
  readonly hinted: boolean;
}

/** Recognizes lessons by the end of a text. */
export class LessonBook {
  /** 2 · lesson by prompt, 2 · lesson + 1 by hinted prompt. */
  readonly #byPrompt = new Map<string, number>();
  /** Lengths of all prompts, longest first. */
  readonly #lengths: readonly number[];

  /** Throws UserError for lessons that are incomplete or have the same prompt with different completions. */
  constructor(lessons: readonly Lesson[]) {
    const lengths = new Set<number>();
    for (const [index, lesson] of lessons.entries()) {
      checkLesson(lesson, index);
      for (const [prompt, code] of [
        [lesson.prompt, 2 * index],
        [lesson.hintedPrompt, 2 * index + 1],
      ] as const) {
        if (prompt === undefined) continue;
        const other = this.#byPrompt.get(prompt);
        if (other === undefined) {
          this.#byPrompt.set(prompt, code);
          lengths.add(prompt.length);
        } else if (lessons[other >> 1].completion !== lesson.completion) {
          throw new UserError(
            `expected every lesson to have a prompt of its own, got ${shown(prompt)} for lessons ${other >> 1} and ${index}, which have different completions`,
          );
        }
      }
    }
    this.#lengths = [...lengths].sort((a, b) => b - a);
  }

  /** The lesson with the longest prompt, plain or hinted, that `text` ends with. */
  askedBy(text: string): Asked | undefined {
    for (const length of this.#lengths) {
      if (length > text.length) continue;
      const code = this.#byPrompt.get(text.slice(text.length - length));
      if (code !== undefined) return { lesson: code >> 1, hinted: (code & 1) === 1 };
    }
    return undefined;
  }

  /** Length of the longest prompt. Only so much of the end of a text needs to be searched. */
  get longest(): number {
    return this.#lengths[0] ?? 0;
  }
}

function checkLesson({ prompt, completion, wrong, difficulty }: Lesson, index: number): void {
  if (prompt === "") throw new UserError(`expected a prompt for lesson ${index}, got an empty text`);
  if (wrong.length === 0 || wrong.includes(completion)) {
    throw new UserError(
      `expected wrong completions for lesson ${index} (${shown(prompt)}) other than the right one, got ${shown(wrong)}`,
    );
  }
  if (!(difficulty >= 0 && Number.isFinite(difficulty))) {
    throw new UserError(
      `expected a difficulty of 0 or more for lesson ${index} (${shown(prompt)}), got ${shown(difficulty)}`,
    );
  }
}
