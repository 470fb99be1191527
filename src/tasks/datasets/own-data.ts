/** A user's own questions with answers. */

import { shown, UserError } from "../../errors.js";
import { flagOf } from "../../settings.js";
import { bracketed, plainFormat } from "../prompt.js";
import { missingColumn, optionalColumn, type Row, textColumn } from "../sources/rows.js";
import type { Verifier } from "../task.js";
import type { TaskEntry } from "../task-entry.js";
import { READ_BY, type TaskOptions } from "../task-options.js";
import { VERIFIER_KINDS, type VerifierKind, verifierOf } from "../verifiers/index.js";
import { isVerifierModule } from "../verifiers/user-module.js";
import { readOptions } from "./answer-options.js";
import { type ChosenVerifier, chooseVerifier, describeChoice } from "./choose-verifier.js";
import type { Dataset, RawObservation } from "./dataset.js";
import { openLocated, verifiedBy } from "./open-dataset.js";
import { firstRows } from "./read-split.js";
import { type Located, locateSplits } from "./split-files.js";

const DESCRIPTION = "your own questions and answers, from files or the hub (--data, --eval, --verifier)";

/** Rows that are looked at to choose a verifier. */
const MAX_ROWS_LOOKED_AT = 1000;

/** A setting that names a column, the column when it is not set, and what public data sets call it. */
interface ColumnSetting {
  readonly setting: "questionField" | "answerField" | "optionsField";
  readonly standard: string;
  readonly likely: readonly string[];
}

const QUESTION: ColumnSetting = {
  setting: "questionField",
  standard: "question",
  likely: ["question", "problem", "prompt", "query", "input", "instruction", "text"],
};
const ANSWER: ColumnSetting = {
  setting: "answerField",
  standard: "answer",
  likely: ["answer", "final_answer", "gold", "target", "label", "expected", "solution", "output", "response"],
};
const OPTIONS: ColumnSetting = {
  setting: "optionsField",
  standard: "options",
  likely: ["options", "choices", "answers", "alternatives"],
};

/** The verifier that the options ask for; null when they leave it to the gold answers. */
function statedKind({ verifier, optionsField }: TaskOptions): VerifierKind | null {
  const hasOptions = optionsField !== undefined && optionsField !== null;
  // A custom module verifies options where a column for them is named.
  if (isVerifierModule(verifier)) return hasOptions ? "choice" : "exact";
  if (verifier === undefined || verifier === null) return hasOptions ? "choice" : null;
  const kind = VERIFIER_KINDS.find((one) => one === verifier);
  if (kind === undefined) {
    throw new UserError(
      `verifier: expected one of ${VERIFIER_KINDS.join(", ")}, or the path of a .js or .mjs module, got ${shown(verifier)}`,
    );
  }
  if (kind !== "choice" && hasOptions) {
    throw new UserError(`optionsField: expected the verifier choice beside it, got ${kind}; leave one of them out`);
  }
  return kind;
}

function datasetOf(options: TaskOptions, kind: VerifierKind): Dataset {
  const verifier = verifierOf(kind);
  return {
    name: "jsonl",
    description: DESCRIPTION,
    defaults: {},
    format: plainFormat(kind === "choice" ? { writeAnswer: bracketed } : {}),
    exemplars: [],
    verifier,
    maxTokens: 256,
    // Hints hurt where the rationale is a calculation (paper, section 4.1).
    rationalize: kind !== "number",
    idColumns: ["id"],
    train: [["train"]],
    test: ["test", "dev", "validation"],
    splitKey: (row) => splitKey(row, options),
    advice: (answer) => adviceFor(kind, answer),
    observation: (row) => observationOf(row, options, kind),
  };
}

function observationOf(row: Row, options: TaskOptions, kind: VerifierKind): RawObservation {
  const question = namedText(row, options, QUESTION);
  const answer = namedText(row, options, ANSWER);
  if (kind !== "choice") return { question, answer };
  const given = optionalColumn(row, nameOf(options, OPTIONS));
  if (given === undefined) throw unknownColumn(row, options, OPTIONS);
  return { question, answer, options: readOptions(given, row) };
}

function nameOf(options: TaskOptions, { setting, standard }: ColumnSetting): string {
  return options[setting] ?? standard;
}

function namedText(row: Row, options: TaskOptions, column: ColumnSetting): string {
  const name = nameOf(options, column);
  if (optionalColumn(row, name) === undefined) throw unknownColumn(row, options, column);
  return textColumn(row, name);
}

/** Says which columns there are, and with which flag the likely one is named. */
function unknownColumn(row: Row, options: TaskOptions, column: ColumnSetting): UserError {
  const { message } = missingColumn(row, nameOf(options, column));
  const present = Object.keys(row.fields).filter((name) => optionalColumn(row, name) !== undefined);
  const plain = (name: string) =>
    name
      .trim()
      .toLowerCase()
      .replace(/[\s-]+/g, "_");
  const likely = column.likely.flatMap((word) => present.filter((name) => plain(name) === word)).at(0);
  const flag = flagOf(column.setting);
  const remedy = likely === undefined ? `name the right one with ${flag}` : `perhaps ${flag} ${JSON.stringify(likely)}`;
  // A column that other rows have is missing here, and a flag changes nothing about that.
  const isEmpty = Object.hasOwn(row.fields, nameOf(options, column));
  return new UserError(
    isEmpty ? `${message}, where it is empty; fill it in or remove the row` : `${message}; ${remedy}`,
  );
}

/**
 * What decides in which part of a divided file a row is: its question and options, not its place. Rows with the same
 * question are in the same part, and further rows move none. Rows that cannot be read are keyed by all they have.
 */
function splitKey(row: Row, options: TaskOptions): string {
  const question = optionalColumn(row, nameOf(options, QUESTION));
  if (typeof question !== "string") return JSON.stringify(row.fields);
  return JSON.stringify([question.trim(), optionalColumn(row, nameOf(options, OPTIONS)) ?? null]);
}

/** What to do about a gold answer that the verifier cannot check; undefined when nothing else would check it. */
function adviceFor(kind: VerifierKind, answer: string): string | undefined {
  const exact = verifierOf("exact");
  try {
    if (kind === "number" || kind === "yes-no") exact.canonical(answer);
    else return undefined;
  } catch {
    return undefined;
  }
  return `--verifier exact would compare such answers as text`;
}

/** The verifier that suits the first rows of the training data. */
async function chosenKind(options: TaskOptions, { train }: Located): Promise<ChosenVerifier> {
  // Whatever the limits: an evaluation, which reads no more training rows than it must, chooses as a run does.
  const rows = await firstRows(train, MAX_ROWS_LOOKED_AT);
  const answer = nameOf(options, ANSWER);
  // Rows without an answer are refused when they are read.
  const answers = rows.flatMap((row) => {
    const value = optionalColumn(row, answer);
    const stated = ["string", "number", "boolean"].includes(typeof value) ? String(value).trim() : "";
    return stated === "" ? [] : [{ answer: stated, options: optionalColumn(row, nameOf(options, OPTIONS)), row }];
  });
  return chooseVerifier(answers);
}

async function open(
  options: TaskOptions,
  verifier: Verifier | undefined,
  onRefused: Parameters<TaskEntry["open"]>[2],
): ReturnType<TaskEntry["open"]> {
  const stated = statedKind(options);
  // Which verifier compares the answers makes no difference to where they are.
  const located = await locateSplits(datasetOf(options, stated ?? "exact"), options);
  if (stated !== null)
    return openLocated(verifiedBy(datasetOf(options, stated), verifier), located, options, onRefused);
  const chosen = await chosenKind(options, located);
  const task = await openLocated(datasetOf(options, chosen.kind), located, options, onRefused);
  return {
    ...task,
    notices: [describeChoice(chosen)],
    ...(task.source === undefined
      ? {}
      : { source: { ...task.source, pinned: { ...task.source.pinned, verifier: chosen.kind } } }),
  };
}

export const jsonl: TaskEntry = {
  name: "jsonl",
  description: DESCRIPTION,
  defaults: {},
  options: READ_BY.ownData,
  ownVerifier: (options) => verifierOf(statedKind(options) ?? "number"),
  open,
};
