/** One spelling for what typography and LaTeX write in many ways, so that the readers need to know one of each. */

/** Also the mathematical delimiters, as the dollar sign that stands for them. */
const LATEX_SPELLINGS: readonly (readonly [RegExp, string])[] = [
  // A thin space between groups of digits separates thousands.
  [/(?<=\d)\\[,!](?=\d{3}(?!\d))/g, ","],
  [/\\(?:left|right|bigl?|bigr?|displaystyle|textstyle|limits|large|Large|quad|qquad|[,;:! ])(?![A-Za-z])/g, " "],
  [/\\[([]\s{0,3}|\s{0,3}\\[)\]]/g, "$"],
  [
    /\\(?:text(?:bf|it|rm|tt|sf|normal)?|math(?:rm|bf|it|sf|tt|ord|bb)|mbox|operatorname|underline|boldsymbol|bm|emph)\s{0,3}(?=\{)/g,
    " ",
  ],
  [
    /\s{0,3}\^\s{0,3}(?:\{\s{0,3}\\circ\s{0,3}\}|\\circ(?![A-Za-z]))|\s{0,3}\\(?:degrees?|textdegree)(?![A-Za-z])/g,
    "°",
  ],
  [/\\(?:times|cdot|ast)(?![A-Za-z])/g, "×"],
  [/\\div(?![A-Za-z])/g, "÷"],
  [/\\pm(?![A-Za-z])/g, "±"],
  [/\\(?:approx|simeq|sim)(?![A-Za-z])/g, "≈"],
  [/\\(?:leq?|leqslant|lt)(?![A-Za-z])/g, "≤"],
  [/\\(?:geq?|geqslant|gt)(?![A-Za-z])/g, "≥"],
  [/\\(?:[lc]?dots|dotsc)(?![A-Za-z])/g, "…"],
  [/\\(?:minus|textminus)(?![A-Za-z])(?:\{\})?/g, "-"],
  [/\\(?:textdollar(?![A-Za-z])|\$)/g, "$"],
  [/\\(?:textsterling|pounds)(?![A-Za-z])/g, "£"],
  [/\\(?:texteuro|euro)(?![A-Za-z])/g, "€"],
  [/\\([%#&_{}])/g, "$1"],
];

/** `\frac{3}{4}` and `\frac34` of plain numbers; what holds anything else stays as it is. */
const FRACTION =
  /(\d?)\\[cdt]?frac\s{0,3}(?:\{\s{0,3}([-\u2212]?\s?[\d.,]{1,30})\s{0,3}\}\s{0,3}\{\s{0,3}([\d.,]{1,30})\s{0,3}\}|(\d)\s?(\d)(?!\d))(?=(\d?))/g;
/** `3 \over 4`. */
const OVER = /(\d)\s{0,3}\\over\s{0,3}(?=\d)/g;

const VULGAR_FRACTIONS: Readonly<Record<string, string>> = {
  "½": "1/2",
  "⅓": "1/3",
  "⅔": "2/3",
  "¼": "1/4",
  "¾": "3/4",
  "⅕": "1/5",
  "⅖": "2/5",
  "⅗": "3/5",
  "⅘": "4/5",
  "⅙": "1/6",
  "⅚": "5/6",
  "⅐": "1/7",
  "⅛": "1/8",
  "⅜": "3/8",
  "⅝": "5/8",
  "⅞": "7/8",
  "⅑": "1/9",
  "⅒": "1/10",
};
const VULGAR = /(\d?)([½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒])(?=(\d?))/g;

/** What means the same wherever it stands. */
const UNICODE_SPELLINGS: readonly (readonly [RegExp, string])[] = [
  [/[\u200b-\u200f\u2060\ufeff]|\ufe0e|\ufe0f/g, ""],
  [/。/g, ". "],
  [/[⁄∕]/g, "/"],
  [/[·⋅∙✕✖⨯]/g, "×"],
  // Of the dashes, these are minus signs or hyphens; a longer one is a minus sign only where a number follows.
  [/[\u2010-\u2012\u2212\u02d7\ufe63\u2796]|[\u2013-\u2015](?=[\s$€£¥({]{0,4}[\d.\\])/g, "-"],
  [/[\u207b\u208b](?=\s?\d)/g, "-"],
  [/(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))/g, ","],
];

/** What GSM8K's solutions hold for a calculator: `<<48/2=24>>`. */
const CALCULATION = /<<[^<>\n]{0,200}>>/g;
const FORMATTING_TAG = /<\/?(?:b|i|u|em|strong|mark|code|span|p|br|div)\s?\/?>/gi;

/**
 * The text with typographic and LaTeX spellings replaced by plain ones: full-width characters, minus signs, `{,}`,
 * `\frac{3}{4}`, `½`, `\text{…}`, `\times`, in Unicode's canonical form. Commands without a plain spelling stay, for
 * the readers to refuse. Not Unicode's compatibility form: that reads `1½` as 11/2 and `10²` as 102.
 */
export function plainText(text: string): string {
  let plain = text;
  if (/[^ -~\t\n\r]/.test(plain)) plain = withoutTypography(plain.normalize("NFC"));
  if (plain.includes("\\")) plain = withoutLatex(plain);
  if (plain.includes("&")) plain = plain.replace(/&(?:minus|#8722|#x2212);/gi, "-").replace(/&(?:nbsp|#160);/gi, " ");
  if (plain.includes("<")) plain = plain.replace(CALCULATION, "").replace(FORMATTING_TAG, "");
  return plain.includes("{,}") ? plain.replaceAll("{,}", ",") : plain;
}

function withoutTypography(text: string): string {
  let plain = text
    .replace(/[\uff01-\uff5e]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replace(VULGAR, (_, before: string, sign: string, after: string) => apart(before, VULGAR_FRACTIONS[sign], after));
  for (const [pattern, spelling] of UNICODE_SPELLINGS) plain = plain.replace(pattern, spelling);
  return plain;
}

function withoutLatex(text: string): string {
  let plain = text
    .replace(FRACTION, (_, before: string, a?: string, b?: string, c?: string, d?: string, after = "") =>
      apart(before, `${a ?? c}/${b ?? d}`, after),
    )
    .replace(OVER, "$1/");
  for (const [pattern, spelling] of LATEX_SPELLINGS) plain = plain.replace(pattern, () => spelling);
  return plain;
}

/**
 * A fraction apart from the digits around it: `1½` becomes a mixed number, and the 5 of `½5` no part of the divisor.
 */
function apart(before: string, fraction: string, after: string): string {
  return `${before}${before === "" ? "" : " "}${fraction}${after === "" ? "" : " "}`;
}
