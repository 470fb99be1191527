/** Histograms of lengths. */

import type { Lengths, PromptLengths } from "../run/prompts/prompt-lengths.js";
import { formatCount } from "./format.js";
import type { Table } from "./tables.js";

/** Approximate number of rows. */
const BINS = 10;
/** Characters of the longest bar. */
const BAR = 30;

/**
 * One row a range of lengths, both splits, and a bar for the two together. Ranges are equally wide and include both
 * ends.
 */
export function lengthTable({ unit, train, test }: Pick<PromptLengths, "unit" | "train" | "test">): Table {
  const all = [...train.keys(), ...test.keys()];
  const low = all.reduce((least, length) => Math.min(least, length), Number.POSITIVE_INFINITY);
  const high = all.reduce((most, length) => Math.max(most, length), 0);
  const width = niceWidth((high - low + 1) / BINS);
  const bins: { from: number; train: number; test: number }[] = [];
  for (let from = Math.floor(low / width) * width; from <= high; from += width) {
    bins.push({ from, train: within(train, from, width), test: within(test, from, width) });
  }
  const most = Math.max(...bins.map((bin) => bin.train + bin.test));
  return {
    columns: [
      { header: unit, align: "right" },
      { header: "training", align: "right" },
      { header: "test", align: "right" },
      { header: "" },
    ],
    rows: bins.map((bin) => [
      width === 1 ? formatCount(bin.from) : `${formatCount(bin.from)}–${formatCount(bin.from + width - 1)}`,
      formatCount(bin.train),
      formatCount(bin.test),
      "█".repeat(Math.ceil(((bin.train + bin.test) / most) * BAR)),
    ]),
  };
}

/** The smallest of 1, 2, 5, 10, 20, 50, … that is at least `width`. */
function niceWidth(width: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(Math.max(1, width)));
  return [1, 2, 5, 10].map((step) => step * magnitude).find((step) => step >= width) ?? 10 * magnitude;
}

function within(lengths: Lengths, from: number, width: number): number {
  let sum = 0;
  for (const [length, count] of lengths) if (length >= from && length < from + width) sum += count;
  return sum;
}
