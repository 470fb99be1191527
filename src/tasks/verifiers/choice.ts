/** Multiple choice: the answer is an option's label. */

import { shown, UserError } from "../../errors.js";
import type { AnswerOption, Verifier } from "../task.js";
import { type Labels, labelsOf, spelled } from "./choice/labels.js";
import { mentionedOptions, optionByText, plainOption } from "./choice/option-text.js";
import {
  answerVerifier,
  bareStatement,
  FUNCTION_WORDS,
  NEGATED,
  type Reading,
  SENTENCE_END,
  type Statement,
  UNCLEAR,
  UNREAD,
  unwrapped,
} from "./statements.js";

/** Read where a task has no options of its own. */
const LETTERS: readonly AnswerOption[] = ["A", "B", "C", "D", "E"].map((label) => ({ label, text: "" }));

interface Found {
  readonly label: string;
  readonly rest: string;
}

/** The label at the start of a sentence, and what follows it. */
function leadingLabel(text: string, { options, bracketed, bare }: Labels): Found | null {
  const inBrackets = bracketed.exec(text);
  if (inBrackets !== null) {
    return { label: spelled(inBrackets[1], options), rest: text.slice(inBrackets[0].length) };
  }
  const match = bare.exec(text);
  if (match === null) return null;
  const [, written] = match;
  const found = { label: spelled(written, options), rest: text.slice(match[0].length) };
  return written.length > 1 || isLetterOfItsOwn(written, found, options) ? found : null;
}

/** Whether a bare letter or digit is a label: in "A dog", "C major" and "2 apples" it belongs to the next word. */
function isLetterOfItsOwn(written: string, { label, rest }: Found, options: readonly AnswerOption[]): boolean {
  const [, word, touching] = /^[*_]*(?:\s+(\p{L}+|\S)|(\S)|$)/u.exec(rest) ?? [];
  // A lower-case letter may be the article of a sentence that was cut off: it needs a bracket, a colon or a full stop.
  if (written !== label && touching === undefined && (written === "a" || word !== undefined)) return false;
  if (word === undefined || !/\p{L}|\p{N}/u.test(word) || /^\s+(?:rather than|instead of)\b/i.test(rest)) return true;
  return FUNCTION_WORDS.has(word.toLowerCase()) || textFollows(rest, label, options);
}

/** Whether what follows a label is its option's own text. */
function textFollows(rest: string, label: string, options: readonly AnswerOption[]): boolean {
  const own = ownText(label, options);
  return own !== "" && plainOption(rest) === own;
}

function ownText(label: string, options: readonly AnswerOption[]): string {
  return plainOption(options.find((option) => option.label === label)?.text ?? "");
}

function read(statement: Statement, labels: Labels): Reading {
  const { options } = labels;
  const text = unwrappedSentence(statement.sentence);
  const byText = optionByText(text, options) ?? optionByText(unwrappedSentence(statement.line), options);
  if (statement.negated || /^(?:not|neither|none|never)\b/i.test(text)) return negation(text, byText, options);
  const found = leadingLabel(text, labels);
  if (found === null) {
    const named = byText ?? optionByText(text.replace(/^(?:an?|the)\s+/i, ""), options);
    return named === null ? UNREAD : byItsText(named);
  }
  // The whole sentence is an option's text that happens to begin with a letter: "C major".
  if (byText !== null && plainOption(found.rest) !== "" && byText.label !== found.label) return byItsText(byText);
  return statesAnother(found, labels) ? UNCLEAR : { kind: "answer", value: found.label };
}

/** Understood, though the label was asked for. */
function byItsText({ label }: AnswerOption): Reading {
  return { kind: "answer", value: label, loose: true };
}

/** A negation says what the answer is not, unless it is an option's text: "none of the above", "not hungry". */
function negation(text: string, byText: AnswerOption | null, options: readonly AnswerOption[]): Reading {
  if (!/^(?:not|neither|none|never)\b/i.test(text)) return NEGATED;
  const beforeReason = text.split(/[,;:(]|\s-\s|\b(?:because|since|as)\b/)[0];
  const named = byText ?? optionByText(beforeReason, options);
  return named === null ? NEGATED : byItsText(named);
}

/** Without what stands around an answer, the brackets of `(B)` excepted. */
function unwrappedSentence(sentence: string): string {
  const text = unwrapped(sentence);
  const cut = sentence.length - text.length;
  return /[([{]/.test(sentence.charAt(cut - 1)) && !/boxed\s{0,3}\{$/.test(sentence.slice(0, cut))
    ? sentence.slice(cut - 1)
    : text;
}

const REASON = /\b(?:because|since|as|given)\b/i;
/** What is rejected or compared with: `not A`, `rather than A`, `isn't A`; a "but" after it says more. */
const REJECTED = /(?:\b(?:not|rather than|than|instead of|unlike|nor|except)|n['’]t)\s[^,.;]*?(?=\bbut\b|[,.;]|$)/gi;
const DISMISSED = /[([]?\S{1,20}\s(?:is|are|was|would be)\s(?:also\s)?(?:wrong|incorrect|false|impossible)\b/gi;
/** Where a reason ends and another answer is given. */
const ALTERNATIVE = /(?:[,;]\s{0,3}(?:or|but)|;|\b(?:otherwise|else|alternatively),?)\s.*$/i;
const JOINING = /[/,;&+|]|\b(?:and\/or|or|and|then|plus|otherwise|else|but)\b/i;
const HEDGE = /^(?:maybe|perhaps|possibly|also|even|either|both|rather)\s/i;

/** Whether what follows a label names another option as well, wherever in the statement. */
function statesAnother({ label, rest }: Found, labels: Labels): boolean {
  const { options } = labels;
  const own = ownText(label, options);
  const follows = rest.replace(/^[\s*_)\]}.,:;-]+/, "");
  const beside = optionByText(follows, options);
  // "(B) <text of A>" names two options, unless both share that text.
  if (beside !== null && beside.label !== label) return plainOption(beside.text) !== own;
  const further = withoutOwnText(rest, follows, own, options);
  const reason = further.search(REASON);
  const said =
    reason < 0 ? further : `${further.slice(0, reason)} ${ALTERNATIVE.exec(further.slice(reason))?.[0] ?? ""}`;
  const claimed = said.replace(REJECTED, " ").replace(DISMISSED, " ");
  return anotherLabel(claimed, label, labels) || anotherText(claimed, own, options);
}

/** What follows a label and the text of its option. A longer option's text is no repetition of a shorter one's. */
function withoutOwnText(rest: string, follows: string, own: string, options: readonly AnswerOption[]): string {
  const lower = follows.toLowerCase();
  const repeated = options
    .map((option) => plainOption(option.text).toLowerCase())
    .filter((text) => text !== "" && lower.startsWith(text) && !/^[\p{L}\p{N}]/u.test(lower.slice(text.length)))
    .sort((a, b) => b.length - a.length)[0];
  return repeated !== undefined && repeated === own.toLowerCase() ? follows.slice(repeated.length) : rest;
}

function anotherLabel(text: string, label: string, labels: Labels): boolean {
  for (const match of text.matchAll(labels.anywhere)) {
    const [whole, bracketed, joined, bare] = match;
    const written = bracketed ?? joined ?? bare;
    if (spelled(written, labels.options) === label) continue;
    const after = text.slice(match.index + whole.length);
    if (bracketed !== undefined || isFurtherLabel(written, joined !== undefined, after, labels.options)) return true;
  }
  return false;
}

/** Whether a letter, digit or word without brackets is a label there. */
function isFurtherLabel(written: string, joined: boolean, after: string, options: readonly AnswerOption[]): boolean {
  if (written.length > 1) return true;
  const ends = /^[\s*_]{0,3}(?:[.,;:)!?*/&+|]|$)/.test(after);
  // A lower-case `a` is the article whatever follows it, and a digit without a joint a number.
  if (/\p{Ll}|\p{N}/u.test(written) && !options.some((option) => /\p{Ll}/u.test(option.label))) {
    return joined && ends && written !== "a";
  }
  const word = /^\s+(\p{L}+)/u.exec(after)?.[1];
  return (
    ends || word === undefined || FUNCTION_WORDS.has(word.toLowerCase()) || /^(?:are|may|might|could|both)$/i.test(word)
  );
}

/** Another option's text after a joint: `or the same`. */
function anotherText(text: string, own: string, options: readonly AnswerOption[]): boolean {
  return text
    .split(JOINING)
    .slice(1)
    .map((part) =>
      optionByText(
        part
          .trim()
          .replace(HEDGE, "")
          .replace(/^(?:an?|the)\s+/i, ""),
        options,
      ),
    )
    .some((option) => option !== null && plainOption(option.text).toLowerCase() !== own.toLowerCase());
}

function lastResort(text: string, labels: Labels): string | null {
  const { options } = labels;
  if (labels.opening.test(text)) return openingAnswer(text, labels);
  const found = new Set([...labelLines(text, labels), ...everyLabel(text, labels.bracketedAnywhere, options)]);
  const [only] = found;
  if (found.size === 1) return only;
  // Several labels: the model lists the options again, or cannot decide.
  if (found.size > 1) return cued(text, labels);
  return (
    cued(text, labels) ??
    onlyLabel(everyLabel(text, labels.affirmed, options)) ??
    optionByText(text, options)?.label ??
    mentionedOption(text, labels)
  );
}

/** "B, because …" */
function openingAnswer(text: string, labels: Labels): string | null {
  const line = text.trim().split("\n", 1)[0];
  const end = line.search(SENTENCE_END);
  const sentence = end < 0 ? line : line.slice(0, end);
  const reading = read(bareStatement(sentence, line), labels);
  return reading.kind === "answer" ? reading.value : null;
}

/** The labels that lines consist of or begin with. */
function labelLines(text: string, { labelLine, options }: Labels): string[] {
  const labels: string[] = [];
  for (const match of text.matchAll(labelLine)) {
    const [line, written, rest = ""] = match;
    const label = spelled(written, options);
    // In the other case, a letter may begin a name ("e. coli"): a bracket or its option's own text must follow.
    if (written !== label && written.length === 1 && rest.trim() !== "" && !line.includes(`${written})`)) {
      if (ownText(label, options) !== "" && !textFollows(rest, label, options)) continue;
    }
    // A phrase that was cut off after its article.
    if (written === "a" && line.trim() === "a") continue;
    labels.push(label);
  }
  return labels;
}

function everyLabel(text: string, pattern: RegExp, options: readonly AnswerOption[]): string[] {
  return Array.from(text.matchAll(pattern), (match) => spelled(match[1] ?? match[2], options));
}

function onlyLabel(labels: readonly string[]): string | null {
  return new Set(labels).size === 1 ? labels[0] : null;
}

/** "… so I choose B." */
function cued(text: string, labels: Labels): string | null {
  const label = labels.cuedAtEnd.exec(text.trimEnd().slice(-80))?.[1];
  return label === undefined ? null : spelled(label, labels.options);
}

const DENIED = /\b(?:not|never|neither|nor|none|cannot|wrong|incorrect)\b|n['’]t\b/i;

/** The only option that the text names or whose text it mentions, where it denies nothing. */
function mentionedOption(text: string, { options, named }: Labels): string | null {
  const { labels, rest } = mentionedOptions(text, options);
  if (DENIED.test(rest)) return null;
  return onlyLabel([...labels, ...everyLabel(text, named, options)]);
}

/**
 * Verifies by label. Where the question has options, an option's own text counts as well, as lenient; without options
 * the labels are A to E.
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

  return answerVerifier({
    canonical,
    reader(observation) {
      const labels = labelsOf(observation.options ?? fixed ?? LETTERS);
      return {
        read: (statement) => read(statement, labels),
        lastResort: (text) => lastResort(text, labels),
      };
    },
  });
}
