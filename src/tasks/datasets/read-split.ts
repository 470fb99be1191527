/** From rows to observations, one at a time. Only the observation and the number of its row are kept. */

import { shown, UserError } from "../../errors.js";
import { rowName } from "../sources/formats/text.js";
import { idOf, optionalColumn, type Row, readRows } from "../sources/rows.js";
import type { Observation } from "../task.js";
import type { Dataset, SplitFiles } from "./dataset.js";

export interface ReadingOptions {
  /** Reading ends after this many observations. */
  readonly limit: number;
  /** Called for each row that is not a valid observation; the row is left out. Without it, the error is thrown. */
  readonly onRefused?: ((refusal: UserError) => void) | undefined;
}

/** Observations of one split, and from which rows they are. */
export class LoadedSplit {
  readonly observations: Observation[] = [];
  /** Number of each observation's row in its file. */
  readonly #rows: number[] = [];
  /** Files in order, each with the index of its first observation. */
  readonly #files: { readonly path: string; readonly first: number }[] = [];

  beginFile(path: string): void {
    this.#files.push({ path, first: this.observations.length });
  }

  add(observation: Observation, row: number): void {
    this.observations.push(observation);
    this.#rows.push(row);
  }

  /** Names an observation's row: `train.jsonl, row 12`. */
  where(index: number): string {
    const file = this.#files.findLast(({ first }) => first <= index);
    return rowName(file?.path ?? "", this.#rows[index]);
  }
}

/** Reads the rows of the files in order. Ids must be unique over all of them. Throws UserError naming file and row. */
export async function readSplit(
  dataset: Dataset,
  { paths, takes = () => true }: SplitFiles,
  { limit, onRefused }: ReadingOptions,
): Promise<LoadedSplit> {
  const split = new LoadedSplit();
  const seen = new Map<string, number>();
  // Rows without an id are numbered through all files.
  let before = 0;
  for (const path of paths) {
    split.beginFile(path);
    let last = 0;
    for await (const row of readRows(path)) {
      if (split.observations.length >= limit) return split;
      last = row.number;
      try {
        if (!takes(row)) continue;
        const hasId = optionalColumn(row, ...dataset.idColumns) !== undefined;
        const id = hasId ? idOf(row, ...dataset.idColumns) : String(before + row.number);
        const earlier = seen.get(id);
        if (earlier !== undefined) {
          throw new UserError(
            `${row.where}: expected ids that differ, got ${shown(id)} again (first in ${split.where(earlier)})`,
          );
        }
        split.add(checkedObservation(dataset, row, id), row.number);
        seen.set(id, split.observations.length - 1);
      } catch (error) {
        if (onRefused === undefined || !(error instanceof UserError)) throw error;
        onRefused(error);
      }
    }
    before += last;
  }
  if (split.observations.length === 0 && onRefused === undefined) {
    throw new UserError(`expected rows in ${paths.join(", ")}, got none`);
  }
  return split;
}

/** The first rows of a split, up to one that cannot be read: that one is reported when the split is. */
export async function firstRows({ paths, takes = () => true }: SplitFiles, count: number): Promise<Row[]> {
  const rows: Row[] = [];
  try {
    for (const path of paths) {
      for await (const row of readRows(path)) {
        if (rows.length === count) return rows;
        if (takes(row)) rows.push(row);
      }
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  return rows;
}

/**
 * The row's observation. Its gold answer must verify as the task writes it; otherwise every try would count as wrong.
 */
function checkedObservation(dataset: Dataset, row: Row, id: string): Observation {
  const { question, answer: stated, options } = dataset.observation(row);
  try {
    const answer = canonicalAnswer(dataset, stated, options);
    // Written out: an object made by spreading takes two thirds more memory, and there may be a million of them.
    const observation = options === undefined ? { id, question, answer } : { id, question, answer, options };
    // A custom module may want more than the bare answer, such as correct steps before it.
    if (dataset.verifier.module !== undefined) return observation;
    const verdict = dataset.verifier.verify(dataset.format.completion("", answer), observation);
    if (verdict.strict === "correct") return observation;
    throw new UserError(
      `expected an answer that verifies when it is stated, got ${shown(answer)}, which reads as ${shown(verdict.extracted)}; choose another verifier or fix the row`,
    );
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${row.where}: ${error.message}`);
    throw error;
  }
}

function canonicalAnswer({ verifier, advice }: Dataset, stated: string, options: Observation["options"]): string {
  try {
    return verifier.canonical(stated, options);
  } catch (error) {
    const more = error instanceof UserError ? advice?.(stated) : undefined;
    throw more === undefined ? error : new UserError(`${(error as UserError).message}; ${more}`);
  }
}
