/** Which files of a folder hold which split, by the names that public releases use. */

import { extname } from "node:path";
import { UserError } from "../../errors.js";
import { isRowFile, ROW_FILES } from "../sources/rows.js";

/** Names one split goes by in different releases, best first. */
export type SplitNames = readonly string[];

/** `train-00002-of-00005.parquet`, sometimes followed by a hash. */
const SHARD = /-(\d{5})-of-(\d{5})(?:-[0-9a-f]{16})?$/;

interface DataFile {
  readonly name: string;
  /** Position of its extension in ROW_FILES. */
  readonly form: number;
  /** In lower case, without extension and shard. */
  readonly stem: string;
  readonly shard: { readonly index: number; readonly count: number } | null;
}

function dataFile(name: string): DataFile {
  const extension = extname(name);
  const whole = name.slice(0, name.length - extension.length).toLowerCase();
  const match = SHARD.exec(whole);
  return {
    name,
    form: ROW_FILES.indexOf(extension.toLowerCase()),
    stem: match === null ? whole : whole.slice(0, match.index),
    shard: match === null ? null : { index: Number(match[1]), count: Number(match[2]) },
  };
}

/**
 * Whether `stem` has `word` as a word of its own: `train_rand_split` has `train`, `test500` has `test`, `trainer_state`
 * has neither.
 */
function hasWord(stem: string, word: string, place: "first" | "anywhere"): boolean {
  const start = place === "first" ? "^" : "(?<![a-z0-9])";
  return new RegExp(`${start}${word.replace(/[^a-z0-9]/g, "\\$&")}(?![a-z])`).test(stem);
}

/**
 * Files of the split, in order. A name that starts with the split's word wins over one that contains it
 * (`ARC-Challenge-Train.jsonl`); names with a `leaveOut` word are ignored; of several formats the first in ROW_FILES
 * wins. Throws UserError if several files could be meant or a part of one is missing.
 */
export function filesOfSplit(
  names: readonly string[],
  split: string,
  { leaveOut = [], where }: { readonly leaveOut?: readonly string[]; readonly where: string },
): string[] {
  const files = names
    .filter(isRowFile)
    .map(dataFile)
    .filter(({ stem }) => !leaveOut.some((word) => hasWord(stem, word, "anywhere")));
  const first = files.filter(({ stem }) => hasWord(stem, split, "first"));
  const found = first.length > 0 ? first : files.filter(({ stem }) => hasWord(stem, split, "anywhere"));
  const form = Math.min(...found.map((file) => file.form));
  const chosen = found.filter((file) => file.form === form);
  if (new Set(found.map(({ stem }) => stem)).size > 1 || !(chosen.length < 2 || chosen.every(({ shard }) => shard))) {
    throw new UserError(
      `expected one file ${split}* in ${where}, got ${found.map(({ name }) => name).join(" and ")}; name the files themselves with data and eval`,
    );
  }
  return inOrder(chosen, where);
}

/** The shards of one file, complete and in order. */
function inOrder(files: readonly DataFile[], where: string): string[] {
  const sorted = files.toSorted((a, b) => (a.shard?.index ?? 0) - (b.shard?.index ?? 0));
  for (const [index, { stem, shard }] of sorted.entries()) {
    if (shard === null || (shard.index === index && shard.count === files.length)) continue;
    throw new UserError(
      `expected parts 0 to ${shard.count - 1} of ${stem}-* in ${where}, got ${sorted.map((file) => file.name).join(", ")}; fetch the missing ones, or remove what belongs to another release`,
    );
  }
  return sorted.map(({ name }) => name);
}
