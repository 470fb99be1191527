/** Options by their texts. */

import type { AnswerOption } from "../../task.js";

/** An option's text as it is compared: outer punctuation, quotes and white space do not count. */
export function plainOption(text: string): string {
  return text
    .normalize("NFC")
    .replace(/^[\s*_`"'“‘{]+/, "")
    .replace(/[\s*_`"'”’.,;:!?}$]{1,20}$/, "")
    .replace(/\s+/g, " ");
}

/** Of the options that match, the only one; texts that two options share name neither. */
function onlyOne(matching: readonly AnswerOption[]): AnswerOption | null {
  return matching.length === 1 ? matching[0] : null;
}

/** The option whose text this is. Case counts only where it tells options apart (`RR` and `Rr`). */
export function optionByText(text: string, options: readonly AnswerOption[]): AnswerOption | null {
  const wanted = plainOption(text);
  if (wanted === "") return null;
  const exact = onlyOne(options.filter((option) => plainOption(option.text) === wanted));
  const lower = wanted.toLowerCase();
  return exact ?? onlyOne(options.filter((option) => plainOption(option.text).toLowerCase() === lower));
}

/**
 * What an option's text is searched for; empty where it is too short to be found by it. A word as a label stands for a
 * missing text.
 */
function searchedText({ label, text }: AnswerOption): string {
  const wanted = plainOption(text === "" && label.length > 1 ? label : text).toLowerCase();
  return wanted.length < 3 ? "" : wanted;
}

/** A hyphen stays as it is: outside of a class it means nothing, and a pattern with the `u` flag refuses it escaped. */
export function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

export interface Mentions {
  readonly labels: ReadonlySet<string>;
  /** The text without what was found. */
  readonly rest: string;
}

/** The options whose texts are mentioned; a text within a longer option's text does not count there. */
export function mentionedOptions(text: string, options: readonly AnswerOption[]): Mentions {
  let rest = text.toLowerCase();
  const labels = new Set<string>();
  for (const option of options.toSorted((a, b) => b.text.length - a.text.length)) {
    const wanted = searchedText(option);
    if (wanted === "" || !rest.includes(wanted)) continue;
    const pattern = new RegExp(`(?<![\\p{L}\\p{N}])${escaped(wanted)}(?![\\p{L}\\p{N}])`, "gu");
    if (!pattern.test(rest)) continue;
    // Options that share a text are all mentioned by it.
    for (const other of options) if (searchedText(other) === wanted) labels.add(other.label);
    rest = rest.replace(pattern, " | ");
  }
  return { labels, rest };
}
