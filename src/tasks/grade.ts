/** Outputs from anywhere, verified row by row. */

import { shown, UserError } from "../errors.js";
import { readOptions } from "./datasets/answer-options.js";
import { jsonLines } from "./sources/formats/json-lines.js";
import { column, type Row, rowOf, textColumn } from "./sources/rows.js";
import type { Correctness, Observation, Verdict, Verifier } from "./task.js";

/** What became of one output. */
export interface GradedRow extends Verdict {
  /** As it stands in the row. */
  readonly id: string | number;
}

export interface GradeTotals {
  readonly rows: number;
  readonly strict: Readonly<Record<Correctness, number>>;
  readonly lenient: Readonly<Record<Correctness, number>>;
  /** Rows whose two verdicts are the same. */
  readonly agree: number;
  /** Rows on which the user's own verifier came to no verdict; they count as wrong. */
  readonly failures: number;
}

/**
 * Verifies rows of `{"id", "answer", "output", "options"?}` in their order; further columns are not read. Memory: one
 * row. Throws UserError naming the row that is not JSON, lacks a column, or has a gold answer that the verifier cannot
 * check.
 *
 * @param path a file of JSON Lines
 * @param content its bytes, where they come from elsewhere; `path` then only names them
 */
export async function* gradeFile(
  path: string,
  verifier: Verifier,
  content?: AsyncIterable<unknown>,
): AsyncGenerator<GradedRow> {
  for await (const [number, value] of jsonLines(path, content)) {
    const row = rowOf(path, number, value);
    const { id, output, observation } = readOutput(row, verifier);
    yield { id, ...verifier.verify(output, observation) };
  }
}

interface Output {
  readonly id: string | number;
  readonly output: string;
  readonly observation: Pick<Observation, "id" | "answer" | "options">;
}

function readOutput(row: Row, verifier: Verifier): Output {
  const id = column(row, "id");
  if (typeof id !== "string" && typeof id !== "number") {
    throw new UserError(`${row.where}: expected a text or a number in "id", got ${shown(id)}`);
  }
  const output = row.fields["output"] === null ? null : column(row, "output");
  if (typeof output !== "string")
    throw new UserError(`${row.where}: expected a text in "output", got ${shown(output)}`);
  const given = row.fields["options"];
  const options = given === undefined || given === null ? {} : { options: readOptions(given, row) };
  return {
    id,
    output,
    observation: { id: String(id), answer: goldAnswer(row, verifier, options.options), ...options },
  };
}

function goldAnswer(row: Row, verifier: Verifier, options: Observation["options"]): string {
  try {
    return verifier.canonical(textColumn(row, "answer"), options);
  } catch (error) {
    if (error instanceof UserError && !error.message.startsWith(row.where)) {
      throw new UserError(`${row.where}: ${error.message}`);
    }
    throw error;
  }
}

/** Counts graded rows as they come. */
export class GradeTally {
  #rows = 0;
  readonly #strict = { correct: 0, wrong: 0, none: 0 };
  readonly #lenient = { correct: 0, wrong: 0, none: 0 };
  #agree = 0;
  #failures = 0;

  add({ strict, lenient, failure }: Verdict): void {
    this.#rows++;
    this.#strict[strict]++;
    this.#lenient[lenient]++;
    if (strict === lenient) this.#agree++;
    if (failure !== undefined) this.#failures++;
  }

  totals(): GradeTotals {
    const [strict, lenient] = [{ ...this.#strict }, { ...this.#lenient }];
    return { rows: this.#rows, strict, lenient, agree: this.#agree, failures: this.#failures };
  }
}
