/**
 * Where an output states its final answer. What a sentence states is read by the verifier of its kind; how the
 * statements of an output make a verdict is the same for all of them and stands here.
 *
 * Everything here looks at a bounded window after each match, so reading takes time linear in the output's length.
 */

import type { AnswerTags, Correctness, Verdict, Verifier } from "../task.js";
import { DEFAULT_TAGS, finalText } from "./final-text.js";
import { plainText } from "./plain-text.js";

/** What one statement says. */
export type Reading =
  /** `loose`: understood, but not written as asked, so it counts as lenient only. */
  | { readonly kind: "answer"; readonly value: string; readonly loose?: boolean }
  /**
   * Two or more different answers, or a value that cannot be read: an answer was given, and none can be taken from it.
   */
  | { readonly kind: "unclear" }
  /** What the answer is not. */
  | { readonly kind: "negated" }
  /** Nothing about the answer's value. */
  | { readonly kind: "unread" };

export const UNCLEAR: Reading = { kind: "unclear" };
export const NEGATED: Reading = { kind: "negated" };
export const UNREAD: Reading = { kind: "unread" };

export interface Statement {
  /** Written as asked: "the answer is …". */
  readonly asked: boolean;
  /** Says what the answer is not; `sentence` then begins with "not" or "neither" where these words say so. */
  readonly negated: boolean;
  /** Like "Answer:", it opens all that follows. */
  readonly heading: boolean;
  /** From after "the answer is" to the end of the sentence, or what stands in a box. */
  readonly sentence: string;
  /** What stands right before a box, which may be a sign or an operator; else empty. */
  readonly before: string;
  /** From the beginning of the sentence to the end of the line. */
  readonly line: string;
  /**
   * Where last-resort extraction may look: a heading such as "Answer:" opens all that follows, a sentence only itself.
   */
  readonly scope: string;
}

/** A statement and where it stands in the text. */
interface PlacedStatement extends Statement {
  readonly start: number;
  /** Where its sentence or box begins. */
  readonly from: number;
  readonly end: number;
  readonly boxed: boolean;
}

/** How one kind of answer is read. Both functions get text without markup (see `plainText`). */
export interface Reader {
  /** What the statement says. */
  read(statement: Statement): Reading;
  /** The answer of a text without a readable statement; null when there is none or more than one. */
  lastResort(text: string): string | null;
}

const NOT = String.raw`isn['’]t|aren['’]t|cannot\s{1,3}be|can['’]t\s{1,3}be`;
const MARKERS = new RegExp(
  [
    // "the answer is not"
    String.raw`\banswers?\s{1,3}(?:(?<denial>${NOT})|(?:is|are)\s{1,3}(?<negation>not|neither))\b`,
    // "the answer is", "the answer to the question would be:", "Answer:", but not "to answer this:"
    String.raw`(?<!\bto\s)\banswers?\b[^\n.:=?!]{0,60}?(?:\bis\b|\bare\b|:|=)`,
    // GSM8K's own mark
    "#{4}",
    String.raw`\\(?:fboxed|boxed|fbox)\s{0,3}(?<box>\{)`,
  ].join("|"),
  "gi",
);
const ASKED = /^answer\s{1,3}is$/i;
const HEADING = /[:=#]$/;
/** An exclamation mark before a closing brace or dollar sign is a factorial. */
export const SENTENCE_END = /[.?](?=["'”’)\]}*_$]{0,4}(?:[\s<]|$))|!{1,5}(?=["'”’*_]{0,4}(?:\s|$))|#{4}|\n/;
/** Longest sentence that is read; an answer stands at its start. */
const WINDOW = 300;
/** The last one counts; so many before it are looked at for one that states something. */
const MAX_STATEMENTS = 50;

/** The last statements of a final answer, in order. `text` has been through `plainText`. */
function statementsOf(text: string): PlacedStatement[] {
  return [...text.matchAll(MARKERS)].slice(-MAX_STATEMENTS).map((match) => statementAt(text, match));
}

function statementAt(text: string, match: RegExpExecArray): PlacedStatement {
  const { denial, negation, box } = match.groups ?? {};
  // What is not the answer may still be an option's text ("not hungry"): the negation belongs to the sentence.
  const marker = match[0].slice(0, match[0].length - (negation?.length ?? 0));
  const from = match.index + marker.length;
  const ahead = windowAfter(text, from);
  const content = box === undefined ? null : boxContent(ahead);
  const heading = HEADING.test(marker);
  const trimmed = ahead.replace(/^[\s:*_]{0,20}/, "");
  const line = content ?? upTo(trimmed, /\n/);
  const sentence = content ?? upTo(line, SENTENCE_END);
  return {
    asked: ASKED.test(marker.trimEnd()),
    negated: denial !== undefined || negation !== undefined,
    sentence,
    before: box === undefined ? "" : text.slice(Math.max(0, match.index - 20), match.index),
    line,
    heading,
    scope: heading ? text.slice(from) : sentence,
    start: match.index,
    from,
    end: content === null ? from + (ahead.length - trimmed.length) + sentence.length : from + content.length,
    boxed: box !== undefined,
  };
}

/** A text that is read as if it were a statement. */
export function bareStatement(sentence: string, line = sentence): Statement {
  return { asked: false, negated: false, heading: false, sentence, before: "", line, scope: sentence };
}

/** What follows `from`, up to the longest sentence that is read; a word that is cut there is left out. */
function windowAfter(text: string, from: number): string {
  const ahead = text.slice(from, from + WINDOW);
  return from + WINDOW < text.length ? ahead.replace(/\S+$/, "") : ahead;
}

function upTo(text: string, end: RegExp): string {
  const at = text.search(end);
  return at < 0 ? text : text.slice(0, at);
}

/** The text before the brace that closes a box; null where none does. */
function boxContent(text: string): string | null {
  let depth = 1;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "{") depth++;
    if (text[at] === "}" && --depth === 0) return text.slice(0, at);
  }
  return null;
}

/** A statement that says something about the answer's value. */
interface Stated {
  readonly statement: PlacedStatement;
  readonly reading: Reading;
}

/** What the statements of a text say, in order; those that state no value are left out. */
function statedIn(text: string, statements: readonly PlacedStatement[], reader: Reader): Stated[] {
  const stated: Stated[] = [];
  for (const statement of statements) {
    const previous = stated.at(-1);
    const reading = reader.read(statement);
    if (reading.kind !== "answer" && reading.kind !== "unclear") continue;
    if (statement.boxed && previous !== undefined) {
      // A box within a sentence that was read is a part of it.
      if (!previous.statement.boxed && statement.start < previous.statement.end) continue;
      if (previous.statement.boxed && joins(text, previous.statement, statement)) {
        if (!sameReading(previous.reading, reading)) stated.push({ statement, reading: UNCLEAR });
        continue;
      }
    }
    stated.push({ statement, reading });
  }
  return stated;
}

/** Between two boxes: `, `, ` or `, `$ and $`, `, y = `. */
const JOINER = /^\}?[ \t$*{}]*(?:(?:[,;&/]|\b(?:and|or)\b)[ \t$*{}]*){1,2}(?:\p{L}\s?=\s?)?[$]?$/u;

function joins(text: string, first: PlacedStatement, second: PlacedStatement): boolean {
  return second.start - first.end <= 40 && JOINER.test(text.slice(first.end, second.start));
}

/** Whether an extracted answer is the gold one. */
function correctness(extracted: string | null, gold: string): Correctness {
  return extracted === null ? "none" : extracted === gold ? "correct" : "wrong";
}

/** One kind of answer: what is a gold one, and how an output's is read. */
export interface AnswerKind {
  canonical: Verifier["canonical"];
  reader(observation: Parameters<Verifier["verify"]>[1], gold: string): Reader;
}

/** The verifier of a kind of answer. */
export function answerVerifier(kind: AnswerKind, tags: AnswerTags = DEFAULT_TAGS): Verifier {
  return {
    canonical: kind.canonical,
    verify(output, observation) {
      const gold = kind.canonical(observation.answer, observation.options);
      return verdictOfStatements(plainText(finalText(output, tags)), gold, kind.reader(observation, gold));
    },
    withTags: (other) => answerVerifier(kind, other),
  };
}

/**
 * The last statement that states anything counts. Strict wants it in the asked form; lenient also takes other forms
 * ("Answer: 5", `\boxed{5}`, `#### 5`) and, where nothing is stated, the reader's last resort. A statement of several
 * answers, or of a value that cannot be read, is no answer, and a later statement in another form that disagrees with
 * the asked one leaves only that later one, as lenient.
 */
function verdictOfStatements(plain: string, gold: string, reader: Reader): Verdict {
  const text = ownAnswer(plain, reader);
  const statements = statementsOf(text);
  const stated = statedIn(text, statements, reader);
  const last = stated.at(-1);
  const asked = stated.findLast(({ statement }) => statement.asked);
  if (last === undefined) {
    const extracted = withoutStatement(text, statements.at(-1), reader);
    return { strict: "none", lenient: correctness(extracted, gold), extracted };
  }
  const kept = asked !== undefined && isStrict(asked.reading) && sameReading(asked.reading, last.reading);
  const extracted = answerOf(last.reading);
  const found = correctness(extracted, gold);
  return { strict: kept ? found : "none", lenient: found, extracted };
}

function withoutStatement(text: string, last: Statement | undefined, reader: Reader): string | null {
  if (last === undefined) return reader.lastResort(text);
  if (last.negated || reader.read(last).kind === "negated") return null;
  return reader.lastResort(last.scope);
}

function isStrict(reading: Reading): boolean {
  return !(reading.kind === "answer" && reading.loose === true);
}

function answerOf(reading: Reading): string | null {
  return reading.kind === "answer" ? reading.value : null;
}

function sameReading(a: Reading, b: Reading): boolean {
  return a.kind === b.kind && answerOf(a) === answerOf(b);
}

/** The prompt's own mark for a question: the model has begun another exchange. */
const NEXT_EXCHANGE = /(?<![\p{L}\p{N}])Q\s?:/u;
/** What opens a question: a restated one, or the next one that the model makes up. */
const QUESTION =
  /(?<![\p{L}\p{N}])(?:Q\s?\d{1,3}|(?:Question|QUESTION)\s?\d{0,3})\s?[*_]{0,3}:|\n[ \t*#_]{0,6}(?:Problem|Exercise|Human|User|Instruction)\s?\d{0,3}\s?[*_]{0,3}:/gu;

/**
 * The part of a text that answers this prompt. A question cuts what follows it once an answer was given; before that it
 * is a restated one.
 */
function ownAnswer(text: string, reader: Pick<Reader, "read">): string {
  const exchange = text.search(NEXT_EXCHANGE);
  const own = exchange < 0 ? text : text.slice(0, exchange);
  const questions = Array.from(own.matchAll(QUESTION), ({ index }) => index);
  if (questions.length === 0) return own;
  const given = firstAnswerIn(own, questions[0], reader);
  const next = questions.find((index) => index >= given);
  return next === undefined ? own : own.slice(0, next);
}

/**
 * Where the first answer is given: in the first statement that is read, or before the first question where only an
 * answer stands there.
 */
function firstAnswerIn(text: string, firstQuestion: number, reader: Pick<Reader, "read">): number {
  if (isBareAnswer(text, firstQuestion, reader)) return firstQuestion;
  for (const match of text.matchAll(MARKERS)) {
    const statement = statementAt(text, match);
    const { kind } = reader.read(statement);
    if (kind === "answer" || kind === "unclear") return statement.from;
  }
  return Number.POSITIVE_INFINITY;
}

/** Whether all that stands before `end` is an answer on a line of its own, such as `18` or `(B)`. */
function isBareAnswer(text: string, end: number, reader: Pick<Reader, "read">): boolean {
  const answer = text.slice(0, end).trim();
  const ownLine = text[end] === "\n" || /\n[ \t*#_]{0,6}$/.test(text.slice(Math.max(0, end - 7), end));
  if (answer === "" || answer.length > WINDOW || !ownLine) return false;
  const line = answer.replace(/[\s*#_]{0,6}$/, "");
  const sentence = upTo(line, SENTENCE_END);
  // A full stop may follow, another sentence may not.
  if (line.length - sentence.length > 1) return false;
  return reader.read(bareStatement(sentence, line)).kind === "answer";
}

/** Quotes, brackets and emphasis that may stand around an answer, at the start of a sentence. */
const WRAPPING = /^(?:[\s*_`"'“”‘’:([{$~≈=]|\\(?:fboxed|boxed|fbox)\s{0,3}\{)+/;

/** The sentence without the quotes and emphasis before its first word. */
export function unwrapped(sentence: string): string {
  return sentence.replace(WRAPPING, "");
}

/** Words that may follow a bare `A` or `no` without making them an article or a determiner. */
export const FUNCTION_WORDS: ReadonlySet<string> = new Set(
  "because since as for which due based so given the is was it this that these there if when where we he she they i you and or but not from with by in".split(
    " ",
  ),
);
