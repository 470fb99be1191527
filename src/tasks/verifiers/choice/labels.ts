/** How the labels of options are found in a text. Labels are letters, digits or words (`neutral`). */

import type { AnswerOption } from "../../task.js";
import { escaped } from "./option-text.js";

/** Depends on the labels only, not on the options' texts. */
interface LabelPatterns {
  /** `(B)` and `[b]` at the start. */
  readonly bracketed: RegExp;
  /** `B` at the start. */
  readonly bare: RegExp;
  /** A label anywhere that is no part of a word: group 1 in brackets, 2 after `or` and its like, 3 on its own. */
  readonly anywhere: RegExp;
  /** `(B)` anywhere. */
  readonly bracketedAnywhere: RegExp;
  /** A line that is a label, in any case, or begins with one; group 2 is what follows it. */
  readonly labelLine: RegExp;
  /** A text that begins with a label, before a comma, a dash or a reason. */
  readonly opening: RegExp;
  /** `option B` anywhere. */
  readonly named: RegExp;
  /** `Option B is correct` */
  readonly affirmed: RegExp;
  /** `… choose B.` at the end. */
  readonly cuedAtEnd: RegExp;
}

const NAMED = String.raw`(?:[Tt]he\s{1,3})?(?:[Oo]ption|[Cc]hoice|[Ll]etter|[Aa]nswer)\s{1,3}`;
const ARTICLE = String.raw`an?\s{1,3}(?=\p{L}{2})`;
const NOT_WITHIN_WORD = String.raw`(?![\p{L}\p{N}'’_]|-[\p{L}\p{N}])`;
const JOINING = String.raw`(?:\/|[,;&+|]|\b(?:and\/or|or|and|then|plus|otherwise|else|but)\b)`;
const HEDGE = String.raw`(?:(?:maybe|perhaps|possibly|also|even|either|both|rather)\s{1,3})?`;

function compile(labels: readonly string[]): LabelPatterns {
  const any = labels
    .toSorted((a, b) => b.length - a.length)
    .map(escaped)
    .join("|");
  const inBrackets = String.raw`[([{]\s?[*_]{0,3}(${any})[*_]{0,3}\s?[)\]}]`;
  const ofItsOwn = String.raw`(?<![\p{L}\p{N}'’_-])(${any})${NOT_WITHIN_WORD}`;
  const right = String.raw`is\s{1,3}(?:the\s{1,3})?(?:most\s{1,3}|best\s{1,3}|only\s{1,3})?(?:correct|right|best|true|accurate|appropriate|answer)\b`;
  return {
    bracketed: new RegExp(`^(?:${NAMED})?[*_]{0,3}${inBrackets}`, "iu"),
    bare: new RegExp(`^(?:${NAMED}|${ARTICLE})?[*_]{0,3}(${any})${NOT_WITHIN_WORD}`, "iu"),
    anywhere: new RegExp(
      `${inBrackets}|${JOINING}\\s{0,3}${HEDGE}(?:${NAMED}|${ARTICLE})?[*_]{0,3}(${any})${NOT_WITHIN_WORD}|${ofItsOwn}`,
      "giu",
    ),
    bracketedAnywhere: new RegExp(`\\(\\s?(${any})\\s?\\)`, "giu"),
    labelLine: new RegExp(
      `^[ \\t*_(["{$]{0,6}(?:${NAMED})?[*_(["{]{0,4}(${any})(?:[)\\].:][)\\].:*_]{0,4}(?:[ \\t]+(.{0,200})|\\s|$)|[ \\t*_)\\]"}$.]{0,6}$)`,
      "gimu",
    ),
    opening: new RegExp(`^[\\s*_("]{0,6}(?:${any})[)*_"]{0,3}\\s{0,3}(?:[,;—–(]|-\\s|because\\b|since\\b|as\\b)`, "u"),
    named: new RegExp(`\\b(?:[Oo]ption|[Cc]hoice)\\s{1,3}[*_("]{0,4}(${any})${NOT_WITHIN_WORD}`, "gu"),
    affirmed: new RegExp(
      `(?:\\b${NAMED}[*_("]{0,4}(${any})|(?<![\\p{L}\\p{N}'’_-])(${any}))${NOT_WITHIN_WORD}[*_)"]{0,4}\\s{1,3}${right}`,
      "gu",
    ),
    cuedAtEnd: new RegExp(
      `(?:\\b(?:is|be|choose|chose|choice|option|pick|select|go with)\\b|:|=)\\s{0,3}[*_("]{0,4}(${any})[*_)".!\\s]{0,6}$`,
      "u",
    ),
  };
}

const PATTERNS = new Map<string, LabelPatterns>();
/** Data sets use a handful of label sets; more come from data that labels each row in its own way. */
const MAX_PATTERNS = 100;

function patternsOf(labels: readonly string[]): LabelPatterns {
  const name = labels.join("\n");
  let patterns = PATTERNS.get(name);
  if (patterns === undefined) {
    if (PATTERNS.size >= MAX_PATTERNS) PATTERNS.clear();
    patterns = compile(labels);
    PATTERNS.set(name, patterns);
  }
  return patterns;
}

/** Everything that is read about one set of options. */
export interface Labels extends LabelPatterns {
  readonly options: readonly AnswerOption[];
}

export function labelsOf(options: readonly AnswerOption[]): Labels {
  return { options, ...patternsOf(options.map((option) => option.label)) };
}

/** The canonical spelling of a label that matched whatever its case. */
export function spelled(label: string, options: readonly AnswerOption[]): string {
  const exact = options.find((option) => option.label === label);
  return (exact ?? options.find((option) => option.label.toLowerCase() === label.toLowerCase()))?.label ?? label;
}
