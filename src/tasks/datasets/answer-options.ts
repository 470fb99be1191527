/** Answer options in the shapes that public data sets use. */

import { shown, UserError } from "../../errors.js";
import { column, type Row, textColumn } from "../sources/rows.js";
import type { AnswerOption } from "../task.js";
import type { RawObservation } from "./dataset.js";

/** The number of letters. */
const MAX_OPTIONS = 26;

/**
 * Reads `["one", "two"]`, `[{label, text}, …]`, `{label: […], text: […]}` or `{"A": "one", …}`, or one of these as JSON
 * text (a cell of a CSV file). Labels that are missing become A, B, C, … Throws UserError naming the row for other
 * shapes, fewer than two options or more than 26, empty texts or repeated labels.
 */
export function readOptions(value: unknown, row: Row): AnswerOption[] {
  const pairs = pairsOf(typeof value === "string" ? parsed(value) : value);
  const refuse = (expected: string) => new UserError(`${row.where}: expected ${expected}, got ${shown(value)}`);
  if (pairs === null) throw refuse("answer options as a list of texts or of labels and texts");
  if (pairs.length > MAX_OPTIONS) throw refuse(`at most ${MAX_OPTIONS} options`);
  const options = pairs.map(([label, text], index) => {
    const named = label === undefined ? letter(index) : plain(label);
    const content = plain(text);
    if (named === null || named === "" || content === null || content === "")
      throw refuse("options with label and text");
    return { label: named, text: content };
  });
  if (options.length < 2) throw refuse("at least two options");
  if (new Set(options.map((option) => option.label)).size < options.length)
    throw refuse("options with different labels");
  return options;
}

/**
 * Question, options and gold label of ARC and CommonsenseQA rows: the question as text beside `choices`, or nested as
 * `question.stem` and `question.choices`. Labels become A, B, C, …, the gold label with them.
 */
export function choiceObservation(row: Row): RawObservation {
  const { question } = row.fields;
  const nested = typeof question === "object" && question !== null;
  const inner: Row = nested ? { ...row, fields: question as Row["fields"] } : row;
  const options = readOptions(column(inner, "choices"), row);
  const key = textColumn(row, "answerKey");
  const gold = lettered(options)[options.findIndex((option) => option.label === key)];
  if (gold === undefined) {
    const labels = options.map((option) => option.label).join(", ");
    throw new UserError(`${row.where}: expected one of ${labels} in "answerKey", got ${shown(key)}`);
  }
  return {
    question: textColumn(inner, nested ? "stem" : "question").replace(/\s+/g, " "),
    options: lettered(options),
    answer: gold.label,
  };
}

/** Options A, B, C, … with these texts. */
export function choices(...texts: readonly string[]): AnswerOption[] {
  return texts.map((text, index) => ({ label: letter(index), text }));
}

/**
 * The options with the labels A, B, C, … instead of theirs (some ARC rows have 1 to 4), so that all prompts look alike.
 */
function lettered(options: readonly AnswerOption[]): AnswerOption[] {
  return choices(...options.map((option) => option.text));
}

function letter(index: number): string {
  return String.fromCharCode("A".charCodeAt(0) + index);
}

/** The JSON value of a text; null if it is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function plain(value: unknown): string | null {
  return typeof value === "string" || typeof value === "number" ? String(value).trim() : null;
}

/** [label or undefined, text] of every option; null for an unknown shape. */
function pairsOf(value: unknown): [unknown, unknown][] | null {
  if (Array.isArray(value)) {
    return value.map((item: unknown) => {
      if (typeof item !== "object" || item === null) return [undefined, item];
      const { label, text } = item as { label?: unknown; text?: unknown };
      return [label, text];
    });
  }
  if (typeof value !== "object" || value === null) return null;
  const { label, text } = value as { label?: unknown; text?: unknown };
  if (Array.isArray(label) && Array.isArray(text)) {
    return label.length === text.length ? label.map((name: unknown, index) => [name, text[index]]) : null;
  }
  return Object.entries(value);
}
