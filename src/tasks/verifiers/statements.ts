/**
 * Where an output states its final answer. What a sentence states is read by the verifier of its kind; how the statements of an output
 * make a verdict is the same for all of them and stands here.
 *
 * Everything here looks at a bounded window behind each match, so reading takes time linear in the output's length.
 */

import type { Correctness, Verdict } from "../task.js";

/** What one statement says. */
export type Reading =
  /** `loose`: understood, but not written as asked, so it counts as lenient only. */
  | { readonly kind: "answer"; readonly value: string; readonly loose?: boolean }
  /** Two or more different answers. */
  | { readonly kind: "several" }
  /** What the answer is not. */
  | { readonly kind: "negated" }
  | { readonly kind: "unread" };

export const SEVERAL: Reading = { kind: "several" };
export const NEGATED: Reading = { kind: "negated" };
export const UNREAD: Reading = { kind: "unread" };

export interface Statement {
  /** Written as asked: "the answer is …". */
  readonly asked: boolean;
  /** Says only what the answer is not. */
  readonly negated: boolean;
  /** From behind "the answer is" to the end of the sentence. */
  readonly sentence: string;
  /** From there to the end of the line. */
  readonly line: string;
  /** Where last-resort extraction may look: a heading such as "Answer:" opens all that follows, a sentence only itself. */
  readonly scope: string;
}

/** How one kind of answer is read. Both functions get text without markup (see `plainText`). */
export interface Reader {
  /** What the statement says. */
  read(statement: Statement): Reading;
  /** The answer of a text without a readable statement; null when there is none or more than one. */
  lastResort(text: string): string | null;
}

const END_OF_TEXT = /<\|(?:endoftext|end_of_text|im_end|im_start|eot_id|end)\|>|<\/s>|<eos>/;
const NEXT_QUESTION = /(?<![\p{L}\p{N}])(?:Q|Question|QUESTION)\s?\d{0,3}\s?:/u;

/** The part of an output that answers this prompt: up to end-of-text and up to the next question that the model made up. */
export function ownAnswer(output: string): string {
  const end = output.search(END_OF_TEXT);
  const text = end < 0 ? output : output.slice(0, end);
  const next = text.search(NEXT_QUESTION);
  return next < 0 ? text : text.slice(0, next);
}

const VULGAR_FRACTIONS: Readonly<Record<string, string>> = {
  "½": "1/2",
  "⅓": "1/3",
  "⅔": "2/3",
  "¼": "1/4",
  "¾": "3/4",
  "⅕": "1/5",
  "⅛": "1/8",
};

/**
 * The text with typographic and LaTeX spellings replaced by plain ones: full-width characters, minus signs and dashes, `{,}`,
 * `\frac{3}{4}`, `½`, `\text{…}`. Not Unicode's compatibility form: that reads `1½` as 11/2 and `10²` as 102.
 */
export function plainText(text: string): string {
  return text
    .replace(/[\uff01-\uff5e]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replace(/。/g, ". ")
    .replace(/[\u2010-\u2015\u2212]/g, "-")
    .replace(/[½⅓⅔¼¾⅕⅛]/g, (sign, at: number, whole: string) =>
      separated(VULGAR_FRACTIONS[sign] ?? sign, whole[at - 1]),
    )
    .replace(/\\[dt]?frac\s{0,3}(?:\{(\d{1,30})\}\s{0,3}\{(\d{1,30})\}|(\d)\s?(\d))/g, (...match: unknown[]) => {
      const [, a, b, c, d, at, whole] = match as [string, string?, string?, string?, string?, number?, string?];
      return separated(`${a ?? c}/${b ?? d}`, whole?.[(at ?? 0) - 1]);
    })
    .replace(/\{,\}/g, ",")
    .replace(/(?<=\d)\\[,!](?=\d{3}(?!\d))|(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))/g, ",")
    .replace(/\\(?:left|right|[,;:! ()[\]])/g, " ")
    .replace(/\\(?:text|textbf|textit|mathrm|mathbf|mbox)\s{0,3}\{/g, " ")
    .replace(/\\(?:times|cdot)/g, "×")
    .replace(/\\([$%#&_])/g, "$1");
}

/** `fraction` with a space before it where a digit stands there, so that `1½` becomes a mixed number. */
function separated(fraction: string, before: string | undefined): string {
  return before !== undefined && /\d/.test(before) ? ` ${fraction}` : fraction;
}

const MARKERS =
  /\banswers?\s{1,3}(?:isn['’]t|aren['’]t|is\s{1,3}not|are\s{1,3}not|is\s{1,3}neither|cannot\s{1,3}be|can['’]t\s{1,3}be)\b|(?<!\bto\s)\banswers?\b[^\n.:=?!]{0,60}?(?:\bis\b|\bare\b|:|=)|#{4}|\\f?boxed\s{0,3}\{/gi;
const ASKED = /^answer\s{1,3}is$/i;
const NEGATION = /n['’]t$|\bnot$|\bneither$|not\s{1,3}be$/i;
const SENTENCE_END = /[.!?;](?=["'”’)\]}*_$]{0,4}(?:\s|$))|\n/;
/** Longest sentence that is read; an answer stands at its start. */
const WINDOW = 300;
/** The last one counts; so many before it are looked at for one that states something. */
const MOST_STATEMENTS = 50;

/** The last statements of a final answer, in order. `text` has been through `plainText`. */
export function statementsOf(text: string): Statement[] {
  const found: Statement[] = [];
  for (const match of [...text.matchAll(MARKERS)].slice(-MOST_STATEMENTS)) {
    const from = match.index + match[0].length;
    const ahead = text.slice(from, from + WINDOW);
    // A word that the window cuts is not read.
    const uncut = from + WINDOW < text.length ? ahead.replace(/\S+$/, "") : ahead;
    let window = uncut.replace(/^[\s:*_]{0,20}/, "");
    const lineEnd = window.indexOf("\n");
    if (lineEnd >= 0) window = window.slice(0, lineEnd);
    const sentenceEnd = window.search(SENTENCE_END);
    const sentence = sentenceEnd < 0 ? window : window.slice(0, sentenceEnd);
    found.push({
      asked: ASKED.test(match[0]),
      negated: NEGATION.test(match[0]),
      sentence,
      line: window,
      scope: /[:=#]$/.test(match[0]) ? text.slice(from) : sentence,
    });
  }
  return found;
}

/** Whether an extracted answer is the gold one. */
export function correctness(extracted: string | null, gold: string): Correctness {
  return extracted === null ? "none" : extracted === gold ? "correct" : "wrong";
}

/**
 * The last statement that states anything counts. Strict wants it in the asked form; lenient also takes other forms ("Answer: 5",
 * `\boxed{5}`, `#### 5`) and, where nothing is stated, the reader's last resort. A statement of several answers is no answer, and a
 * later statement in another form that disagrees with the asked one leaves only that later one, as lenient.
 */
export function verdictOfStatements(output: string, gold: string, reader: Reader): Verdict {
  const text = plainText(ownAnswer(output));
  const statements = statementsOf(text);
  const last = lastStated(statements, reader, () => true);
  const asked = lastStated(statements, reader, (statement) => statement.asked);
  if (asked !== null && last !== null) {
    const agree = last.index <= asked.index || sameReading(last.reading, asked.reading);
    const kept = agree && !(asked.reading.kind === "answer" && asked.reading.loose === true);
    const extracted = answerOf(kept ? asked.reading : last.reading);
    const found = correctness(extracted, gold);
    return { strict: kept ? found : "none", lenient: found, extracted };
  }
  const extracted = last === null ? withoutStatement(text, statements, reader) : answerOf(last.reading);
  return { strict: "none", lenient: correctness(extracted, gold), extracted };
}

interface Stated {
  readonly index: number;
  readonly reading: Reading;
}

function lastStated(
  statements: readonly Statement[],
  reader: Reader,
  wanted: (statement: Statement) => boolean,
): Stated | null {
  for (let index = statements.length - 1; index >= 0; index--) {
    const statement = statements[index];
    if (statement === undefined || statement.negated || !wanted(statement)) continue;
    const reading = reader.read(statement);
    if (reading.kind === "answer" || reading.kind === "several") return { index, reading };
  }
  return null;
}

function withoutStatement(text: string, statements: readonly Statement[], reader: Reader): string | null {
  const last = statements.at(-1);
  if (last === undefined) return reader.lastResort(text);
  if (last.negated || reader.read(last).kind === "negated") return null;
  return reader.lastResort(last.scope);
}

function answerOf(reading: Reading): string | null {
  return reading.kind === "answer" ? reading.value : null;
}

function sameReading(a: Reading, b: Reading): boolean {
  return a.kind === b.kind && answerOf(a) === answerOf(b);
}

/** Quotes, brackets and emphasis that may stand around an answer, at the start of a sentence. */
const WRAPPING = /^(?:[\s*_`"'“”‘’:([{$~≈=]|\\f?boxed\s{0,3}\{)+/;

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
