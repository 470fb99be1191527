/** Tasks whose observations are read: from files of the user's, or from a public data set. */

import type { OnRefused, TaskEntry, TaskOption, TaskOptions } from "./entry.js";
import { locateSplits } from "./locate.js";
import { readSplit } from "./observations.js";
import type { Row } from "./rows.js";
import type { SplitNames } from "./splits.js";
import type { Exemplar, Observation, PromptFormat, Task, TaskDefaults, Verifier } from "./task.js";

/** What a row says, before the gold answer is brought to canonical form. */
export type RawObservation = Pick<Observation, "question" | "answer" | "options">;

/** Everything a task is, but for its rows, and where those are found. */
export interface Dataset {
  readonly name: string;
  readonly description: string;
  readonly defaults: TaskDefaults;
  readonly format: PromptFormat;
  readonly exemplars: readonly Exemplar[];
  readonly verifier: Verifier;
  readonly maxTokens: number;
  readonly rationalize: boolean;
  /** Names of id columns; rows without any are named by their number. */
  readonly idColumns: readonly string[];
  /** Its data set on the Hugging Face hub, `owner/name`, read where no data is named. */
  readonly hub?: string;
  /** Folders in which releases keep the files, besides the folder itself and `data`. */
  readonly folders?: readonly string[];
  /** The splits that make up the training set. The first must be there, others are read where they are. */
  readonly train: readonly [SplitNames, ...SplitNames[]];
  readonly test: SplitNames;
  /** Files with one of these words in their names are something else. */
  readonly leaveOut?: readonly string[];
  /** A release that has no splits: the file that holds all rows, and which of them are for testing. */
  readonly whole?: { readonly names: SplitNames; readonly isTest: (row: Row) => boolean };
  /** The paper's training set, where it takes only the first so many rows of a larger one. */
  readonly trainLimit?: number;
  /** Throws UserError for a row that cannot be read. */
  observation(row: Row): RawObservation;
}

/** A registry entry that opens a public data set from files. */
export function datasetEntry(dataset: Dataset): TaskEntry {
  const options: readonly TaskOption[] = ["data", "eval"];
  const ownVerifier = () => dataset.verifier;
  return {
    ...dataset,
    options,
    ownVerifier,
    open: (chosen, verifier, onRefused) => openDataset(judgedBy(dataset, verifier), chosen, onRefused),
  };
}

/** The data set with another verifier, where there is one. */
export function judgedBy(dataset: Dataset, verifier: Verifier | undefined): Dataset {
  return verifier === undefined ? dataset : { ...dataset, verifier };
}

export async function openDataset(dataset: Dataset, options: TaskOptions, onRefused?: OnRefused): Promise<Task> {
  const located = await locateSplits(dataset, options);
  const unlimited = Number.POSITIVE_INFINITY;
  const trainLimit = Math.min(options.trainLimit ?? unlimited, dataset.trainLimit ?? unlimited);
  const train = await readSplit(dataset, located.train, { limit: trainLimit, onRefused });
  const test = await readSplit(dataset, located.test, { limit: options.evalLimit ?? unlimited, onRefused });
  const { name, description, format, exemplars, verifier, maxTokens, rationalize } = dataset;
  const source = {
    files: { train: located.train.paths, test: located.test.paths },
    pinned: located.pinned,
    where: (split: "train" | "test", index: number) => (split === "train" ? train : test).where(index),
  };
  const own = { name, description, format, exemplars, verifier, maxTokens, rationalize };
  return { ...own, train: train.observations, test: test.observations, source };
}
