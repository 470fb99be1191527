/** A user's worked examples, instead of a task's. */

import { shown, UserError } from "../../errors.js";
import { type Row, readRows, textColumn } from "../sources/rows.js";
import type { Exemplar, Task } from "../task.js";
import { readOptions } from "./answer-options.js";

const COLUMNS: readonly string[] = ["question", "rationale", "answer", "options"];

/**
 * Reads rows of `question`, `rationale`, `answer` and, for multiple choice, `options`. Throws UserError naming the row
 * for anything else, and for an example that the task's verifier would not accept as an answer to its own question: a
 * model learns the form from them.
 */
export async function readExemplars(
  path: string,
  { format, verifier }: Pick<Task, "format" | "verifier">,
): Promise<Exemplar[]> {
  const exemplars: Exemplar[] = [];
  for await (const row of readRows(path)) {
    const exemplar = exemplarOf(row, verifier);
    const written = format.completion(exemplar.rationale, exemplar.answer);
    const verdict = verifier.verify(written, exemplar);
    if (verdict.strict !== "correct") {
      throw new UserError(
        `${row.where}: expected a worked example that verifies, got ${shown(written.trim(), 160)}, whose verdict is ${verdict.failure ?? verdict.strict} for the answer ${exemplar.answer}; fix its rationale or answer`,
      );
    }
    exemplars.push(exemplar);
  }
  if (exemplars.length === 0) throw new UserError(`expected worked examples in ${path}, got none`);
  return exemplars;
}

function exemplarOf(row: Row, verifier: Task["verifier"]): Exemplar {
  const foreign = Object.keys(row.fields).find((name) => !COLUMNS.includes(name));
  if (foreign !== undefined) {
    throw new UserError(`${row.where}: expected no columns but ${COLUMNS.join(", ")}, got ${shown(foreign)}`);
  }
  const given = row.fields["options"];
  const options = given === undefined || given === null ? undefined : readOptions(given, row);
  return {
    question: textColumn(row, "question"),
    rationale: textColumn(row, "rationale"),
    answer: canonical(row, verifier, options),
    ...(options === undefined ? {} : { options }),
  };
}

function canonical(row: Row, verifier: Task["verifier"], options: Exemplar["options"]): string {
  try {
    return verifier.canonical(textColumn(row, "answer"), options);
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${row.where}: ${error.message}`);
    throw error;
  }
}
