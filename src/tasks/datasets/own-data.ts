/** A user's own questions with answers. */

import { shown, UserError } from "../../errors.js";
import { bracketed, plainFormat } from "../prompt.js";
import { column, textColumn } from "../sources/rows.js";
import type { Task } from "../task.js";
import type { TaskEntry } from "../task-entry.js";
import { READ_BY, type TaskOptions } from "../task-options.js";
import { VERIFIER_KINDS, type VerifierKind, verifierOf } from "../verifiers/index.js";
import { isVerifierModule } from "../verifiers/user-module.js";
import { readOptions } from "./answer-options.js";
import type { Dataset } from "./dataset.js";
import { openDataset, verifiedBy } from "./open-dataset.js";

const DESCRIPTION = "your own questions and answers, from files or the hub (--data, --eval, --verifier)";

/** A module of the user's own verifies options where a column for them is named. */
function kindOf({ verifier, optionsField }: TaskOptions): VerifierKind {
  const named = isVerifierModule(verifier) ? (optionsField == null ? "exact" : "choice") : verifier;
  const kind = VERIFIER_KINDS.find((one) => one === (named ?? (optionsField == null ? "number" : "choice")));
  if (kind === undefined) {
    throw new UserError(
      `verifier: expected one of ${VERIFIER_KINDS.join(", ")}, or the path of a .js or .mjs module, got ${shown(verifier)}`,
    );
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
    train: [["train"]],
    test: ["test", "dev", "validation"],
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
  options: READ_BY.ownData,
  ownVerifier: (options) => verifierOf(kindOf(options)),
  open: async (options, verifier, onRefused): Promise<Task> =>
    openDataset(verifiedBy(dataset(options), verifier), options, onRefused),
};
