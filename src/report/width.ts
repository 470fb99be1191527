/**
 * How many terminal cells a text takes (after Unicode Standard Annex 11, East Asian Width): wide scripts and emoji take two, combining
 * marks and controls none, everything else one. Characters of ambiguous width (α, ₊) count as one.
 */

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Inclusive code point ranges of the Wide and Fullwidth classes that texts of data sets hold. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x20000, 0x3fffd],
];

const EMOJI = /^\p{Emoji_Presentation}|^\p{Extended_Pictographic}\ufe0f/u;
const INVISIBLE = /^[\p{Mark}\p{Control}\p{Format}]+$/u;
const PLAIN_ASCII = /^[\x20-\x7e]*$/;

/** Terminal cells of one grapheme. */
function graphemeWidth(grapheme: string): number {
  const first = grapheme.codePointAt(0) ?? 0;
  if (first >= 0x20 && first < 0x7f) return 1;
  if (INVISIBLE.test(grapheme)) return 0;
  if (EMOJI.test(grapheme)) return 2;
  return WIDE.some(([from, to]) => first >= from && first <= to) ? 2 : 1;
}

/** Terminal cells of `text`, which holds no escape sequences and no line breaks. */
export function displayWidth(text: string): number {
  if (PLAIN_ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** `text`, cut with `…` so that it takes at most `width` cells. No grapheme is split. */
export function clip(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width <= 0) return "";
  let kept = "";
  let used = 0;
  for (const { segment } of segmenter.segment(text)) {
    const next = graphemeWidth(segment);
    if (used + next > width - 1) break;
    kept += segment;
    used += next;
  }
  return `${kept}…`;
}

/** `text` filled with spaces to `width` cells; longer texts are left as they are. */
export function pad(text: string, width: number, align: "left" | "right"): string {
  const space = " ".repeat(Math.max(0, width - displayWidth(text)));
  return align === "left" ? text + space : space + text;
}
