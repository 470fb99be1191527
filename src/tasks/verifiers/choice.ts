/** Multiple choice: the answer is an option's label. Labels are letters, digits or words (`neutral`). */

import { shown, UserError } from "../../errors.js";
import type { AnswerOption, Verifier } from "../task.js";
import {
  FUNCTION_WORDS,
  NEGATED,
  type Reader,
  type Reading,
  SEVERAL,
  type Statement,
  UNREAD,
  unwrapped,
  verdictOfStatements,
} from "./statements.js";

/** Read where a task has no options of its own. */
const LETTERS: readonly AnswerOption[] = ["A", "B", "C", "D", "E"].map((label) => ({ label, text: "" }));

/** An option's text as it is compared: outer punctuation, quotes and white space do not count. */
function plainOption(text: string): string {
  return text
    .replace(/^[\s*_`"'“‘]+/, "")
    .replace(/[\s*_`"'”’.,;:!?]{1,20}$/, "")
    .replace(/\s+/g, " ");
}

/** Of the options that match, the only one; texts that two options share name neither. */
function onlyOne(matching: readonly AnswerOption[]): AnswerOption | null {
  return matching.length === 1 ? (matching[0] ?? null) : null;
}

/** The option whose text this is. Case counts only where it tells options apart (`RR` and `Rr`). */
function optionByText(text: string, options: readonly AnswerOption[]): AnswerOption | null {
  const wanted = plainOption(text);
  if (wanted === "") return null;
  const exact = onlyOne(options.filter((option) => plainOption(option.text) === wanted));
  const lower = wanted.toLowerCase();
  return exact ?? onlyOne(options.filter((option) => plainOption(option.text).toLowerCase() === lower));
}

/** A hyphen stays as it is: outside of a class it means nothing, and a pattern with the `u` flag refuses it escaped. */
function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** How labels are found; depends on the labels only, not on the options' texts. */
interface LabelPatterns {
  /** `(B)` and `[b]` at the start. */
  readonly bracketed: RegExp;
  /** `B` at the start. */
  readonly bare: RegExp;
  /** `or (C)`, `/C`, `, C` at the start of what follows a label. */
  readonly joined: RegExp;
  /** `(B)` anywhere. */
  readonly bracketedAnywhere: RegExp;
  /** A line that is a label, or begins with one. */
  readonly labelLine: RegExp;
  /** `… choose B.` at the end. */
  readonly cuedAtEnd: RegExp;
}

function compilePatterns(labels: readonly string[]): LabelPatterns {
  const any = labels
    .toSorted((a, b) => b.length - a.length)
    .map(escaped)
    .join("|");
  const named = "(?:the\\s{1,3})?(?:option|choice|letter|answer)\\s{1,3}";
  const article = "an?\\s{1,3}(?=\\p{L}{2})";
  return {
    bracketed: new RegExp(`^(?:${named})?[*_]{0,3}[([{]\\s?[*_]{0,3}(${any})[*_]{0,3}\\s?[)\\]}]`, "iu"),
    bare: new RegExp(`^(?:${named}|${article})?[*_]{0,3}(${any})(?![\\p{L}\\p{N}'’_]|-[\\p{L}\\p{N}])`, "iu"),
    joined: new RegExp(
      `^[\\s*_)\\]}]{0,6}(?:\\/|,?\\s{0,3}(?:\\b(?:and/or|or|and)\\b|&)|,)\\s{0,3}(?:${named}|${article})?[*_]{0,3}(?:[([]\\s?(${any})\\s?[)\\]]|(${any})(?=[\\s*_]{0,3}(?:[.,;:)!*]|$)))`,
      "iu",
    ),
    bracketedAnywhere: new RegExp(`\\(\\s?(${any})\\s?\\)`, "giu"),
    labelLine: new RegExp(`^[\\s*_("]{0,6}(${any})(?:[)\\].:][)\\].:*_]{0,4}(?:\\s|$)|[\\s*_)\\]".]{0,6}$)`, "gmu"),
    cuedAtEnd: new RegExp(
      `(?:\\b(?:is|be|choose|chose|choice|option|pick|select|go with)\\b|:|=)\\s{0,3}[*_("]{0,4}(${any})[*_)".!\\s]{0,6}$`,
      "u",
    ),
  };
}

const PATTERNS = new Map<string, LabelPatterns>();
/** Data sets use a handful of label sets; more come from data that labels each row in its own way. */
const MOST_PATTERNS = 100;

function patternsOf(labels: readonly string[]): LabelPatterns {
  const name = labels.join("\n");
  let patterns = PATTERNS.get(name);
  if (patterns === undefined) {
    if (PATTERNS.size >= MOST_PATTERNS) PATTERNS.clear();
    patterns = compilePatterns(labels);
    PATTERNS.set(name, patterns);
  }
  return patterns;
}

/** Everything that is read about one set of options. */
interface Labels extends LabelPatterns {
  readonly options: readonly AnswerOption[];
}

function labelsOf(options: readonly AnswerOption[]): Labels {
  return { options, ...patternsOf(options.map((option) => option.label)) };
}

/** The canonical spelling of a label that matched whatever its case. */
function spelled(label: string, options: readonly AnswerOption[]): string {
  const exact = options.find((option) => option.label === label);
  return (exact ?? options.find((option) => option.label.toLowerCase() === label.toLowerCase()))?.label ?? label;
}

interface Found {
  readonly label: string;
  readonly rest: string;
}

/** The label at the start of a sentence, and what follows it. */
function leadingLabel(text: string, { options, bracketed, bare }: Labels): Found | null {
  const inBrackets = bracketed.exec(text);
  if (inBrackets !== null) {
    return { label: spelled(inBrackets[1] ?? "", options), rest: text.slice(inBrackets[0].length) };
  }
  const match = bare.exec(text);
  if (match === null) return null;
  const written = match[1] ?? "";
  const found = { label: spelled(written, options), rest: text.slice(match[0].length) };
  if (written.length > 1) return found;
  const next = /^[*_]*(?:\s+(\p{L}+|\S)|(\S)|$)/u.exec(found.rest);
  const [, word, touching] = next ?? [];
  // A lower-case letter may be the article of a sentence that was cut off: it needs a bracket, a colon or a full stop.
  if (written !== found.label && touching === undefined && (written === "a" || word !== undefined)) return null;
  // "A dog", "C major", "2 apples": the letter or digit belongs to the next word.
  if (word === undefined || !/\p{L}|\p{N}/u.test(word)) return found;
  const own = options.find((option) => option.label === found.label);
  const repeatsOwn = own !== undefined && own.text !== "" && plainOption(found.rest) === plainOption(own.text);
  return FUNCTION_WORDS.has(word.toLowerCase()) || repeatsOwn ? found : null;
}

function read(statement: Statement, labels: Labels): Reading {
  const text = unwrappedSentence(statement.sentence);
  if (/^(?:not|neither|none|never)\b/i.test(text)) return NEGATED;
  const byText = optionByText(text, labels.options) ?? optionByText(unwrappedSentence(statement.line), labels.options);
  const found = leadingLabel(text, labels);
  if (found === null) {
    const named = byText ?? optionByText(text.replace(/^(?:an?|the)\s+/i, ""), labels.options);
    return named === null ? UNREAD : { kind: "answer", value: named.label, loose: true };
  }
  // The whole sentence is an option's text that happens to begin with a letter: "C major".
  if (byText !== null && plainOption(found.rest) !== "" && byText.label !== found.label) {
    return { kind: "answer", value: byText.label, loose: true };
  }
  const { label, rest } = found;
  const joined = labels.joined.exec(rest);
  const second = joined?.[1] ?? joined?.[2];
  // A lower-case `a` behind a comma is the article, whatever follows it.
  if (second !== undefined && second !== "a" && spelled(second, labels.options) !== label) return SEVERAL;
  const beside = optionByText(rest.replace(/^[\s*_)\]}.,:;-]+/, ""), labels.options);
  if (beside !== null && beside.label !== label) {
    const own = labels.options.find((option) => option.label === label);
    // "(B) <text of A>" names two options, unless both share that text.
    if (own === undefined || plainOption(own.text) !== plainOption(beside.text)) return SEVERAL;
  }
  return { kind: "answer", value: label };
}

/** Without what stands around an answer, the brackets of `(B)` excepted. */
function unwrappedSentence(sentence: string): string {
  const text = unwrapped(sentence);
  const cut = sentence.length - text.length;
  return /[([{]/.test(sentence[cut - 1] ?? "") && !/boxed\s{0,3}\{$/.test(sentence.slice(0, cut))
    ? sentence.slice(cut - 1)
    : text;
}

/** The only option whose text the output mentions; a text within a longer option's text does not count there. */
function mentionedOption(text: string, options: readonly AnswerOption[]): string | null {
  let rest = text.toLowerCase();
  const mentioned = new Set<string>();
  const byLength = [...options].sort((a, b) => b.text.length - a.text.length);
  for (const option of byLength) {
    const wanted = plainOption(option.text === "" ? (option.label.length > 1 ? option.label : "") : option.text);
    if (wanted.length < 3) continue;
    const pattern = new RegExp(`(?<![\\p{L}\\p{N}])${escaped(wanted.toLowerCase())}(?![\\p{L}\\p{N}])`, "gu");
    if (!pattern.test(rest)) continue;
    // Options that share a text are all mentioned by it.
    for (const other of options) if (plainOption(other.text) === wanted || other === option) mentioned.add(other.label);
    rest = rest.replace(pattern, " | ");
  }
  const [only] = mentioned;
  const negated = /\b(?:not|never|neither|nor|none|cannot)\b|n['’]t\b/i.test(text);
  return mentioned.size === 1 && only !== undefined && !negated ? only : null;
}

function lastResort(text: string, labels: Labels): string | null {
  const { options } = labels;
  const found = new Set(
    [labels.labelLine, labels.bracketedAnywhere].flatMap((pattern) =>
      Array.from(text.matchAll(pattern), (match) => spelled(match[1] ?? "", options)),
    ),
  );
  const [only] = found;
  if (found.size === 1 && only !== undefined) return only;
  // Several labels: the model lists the options again, or cannot decide.
  if (found.size > 1) return cued(text, labels);
  return cued(text, labels) ?? optionByText(text, options)?.label ?? mentionedOption(text, options);
}

/** "… so I choose B." */
function cued(text: string, labels: Labels): string | null {
  const label = labels.cuedAtEnd.exec(text.trimEnd().slice(-80))?.[1];
  return label === undefined ? null : spelled(label, labels.options);
}

/**
 * Verifies by label. Where the question has options, an option's own text counts as well, as lenient; without options the labels are A to E.
 * @param fixed options of every question, for tasks whose rows carry none
 * @param aliases further spellings of gold labels, such as ANLI's 0, 1 and 2
 */
export function choiceVerifier(
  fixed?: readonly AnswerOption[],
  aliases: Readonly<Record<string, string>> = {},
): Verifier {
  function canonical(answer: string, own?: readonly AnswerOption[]): string {
    const options = own ?? fixed ?? LETTERS;
    const text = answer.trim().replace(/^\(([^()]+)\)$/, "$1");
    const alias = aliases[text.toLowerCase()];
    const label = options.find((option) => option.label.toLowerCase() === (alias ?? text).toLowerCase())?.label;
    const named = label ?? optionByText(text, options)?.label;
    if (named === undefined) {
      const expected = options.map((option) => option.label).join(", ");
      throw new UserError(`expected one of ${expected} as the answer, got ${shown(answer)}`);
    }
    return named;
  }

  return {
    canonical,
    verify(output, observation) {
      const labels = labelsOf(observation.options ?? fixed ?? LETTERS);
      const reader: Reader = {
        read: (statement) => read(statement, labels),
        lastResort: (text) => lastResort(text, labels),
      };
      return verdictOfStatements(output, canonical(observation.answer, observation.options), reader);
    },
  };
}
