/** Which verifier suits a user's own data, by its gold answers. */

import { UserError } from "../../errors.js";
import type { Row } from "../sources/rows.js";
import type { AnswerOption } from "../task.js";
import { type VerifierKind, verifierOf } from "../verifiers/index.js";
import { readOptions } from "./answer-options.js";

/** A gold answer with what stands in the row's column of options; undefined where there is none. */
interface GoldAnswer {
  readonly answer: string;
  readonly options: unknown;
  readonly row: Row;
}

export interface ChosenVerifier {
  readonly kind: VerifierKind;
  /** Gold answers that it can check, of all that were looked at. */
  readonly fitting: number;
  readonly of: number;
}

const CALLED: Readonly<Record<VerifierKind, string>> = {
  choice: "the label or text of one of their options",
  "yes-no": "yes or no",
  number: "numbers",
  exact: "text",
};

/**
 * Options, yes and no, or numbers where at least half of the gold answers are that, else text. The few that are
 * something else are refused by row, with what to do: compared as text, `1,000` and `1000` would differ.
 */
export function chooseVerifier(answers: readonly GoldAnswer[]): ChosenVerifier {
  for (const kind of ["choice", "yes-no", "number"] as const) {
    const fitting = answers.filter((answer) => fits(kind, answer)).length;
    if (fitting > 0 && fitting >= answers.length / 2) return { kind, fitting, of: answers.length };
  }
  return { kind: "exact", fitting: answers.length, of: answers.length };
}

/** Shown at the start of a run. */
export function describeChoice({ kind, fitting, of }: ChosenVerifier): string {
  const share = fitting === of ? `all ${of}` : `${fitting} of ${of}`;
  return `answers are compared by the verifier ${kind}: ${share} gold answers looked at are ${CALLED[kind]} (--verifier chooses another)`;
}

function fits(kind: VerifierKind, { answer, options, row }: GoldAnswer): boolean {
  if ((kind === "choice") !== (options !== undefined)) return false;
  try {
    const listed: readonly AnswerOption[] | undefined = kind === "choice" ? readOptions(options, row) : undefined;
    verifierOf(kind).canonical(answer, listed);
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}
