/** A user's own questions with answers. */

import { shown, UserError } from "../errors.js";
import { VERIFIER_KINDS, type VerifierKind, verifierOf } from "./answers/index.js";
import { type Dataset, openDataset } from "./datasets.js";
import type { TaskEntry, TaskOptions } from "./entry.js";
import { readOptions } from "./options.js";
import { bracketed, plainFormat } from "./prompt.js";
import { column, textColumn } from "./rows.js";
import type { Task } from "./task.js";

const DESCRIPTION = "your own questions and answers from .jsonl files (--data, --eval, --verifier)";

function kindOf({ verifier, optionsField }: TaskOptions): VerifierKind {
  const kind = verifier ?? (optionsField === undefined || optionsField === null ? "number" : "choice");
  if (!VERIFIER_KINDS.includes(kind)) {
    throw new UserError(`verifier: expected one of ${VERIFIER_KINDS.join(", ")}, got ${shown(kind)}`);
  }
  if (kind !== "choice" && optionsField !== undefined && optionsField !== null) {
    throw new UserError(`optionsField: expected the verifier choice beside it, got ${kind}; leave one of them out`);
  }
  return kind;
}

function dataset(options: TaskOptions): Dataset {
  const kind = kindOf(options);
  const questionField = options.questionField ?? "question";
  const answerField = options.answerField ?? "answer";
  const optionsField = options.optionsField ?? "options";
  return {
    name: "jsonl",
    description: DESCRIPTION,
    defaults: {},
    format: plainFormat(kind === "choice" ? { writeAnswer: bracketed } : {}),
    exemplars: [],
    verifier: verifierOf(kind),
    maxTokens: 256,
    // Hints hurt where the rationale is a calculation (paper, section 4.1).
    rationalize: kind !== "number",
    idColumns: ["id"],
    trainFiles: ["train"],
    testFiles: ["test", "dev"],
    observation(row) {
      const question = textColumn(row, questionField);
      const answer = textColumn(row, answerField);
      return kind === "choice"
        ? { question, answer, options: readOptions(column(row, optionsField), row) }
        : { question, answer };
    },
  };
}

export const jsonl: TaskEntry = {
  name: "jsonl",
  description: DESCRIPTION,
  defaults: {},
  options: ["data", "eval", "questionField", "answerField", "optionsField", "verifier"],
  open: async (options): Promise<Task> => openDataset(dataset(options), options),
};
