/** A data set whose observations are read from rows, described as data. */

import type { Row } from "../sources/rows.js";
import type { Exemplar, Observation, PromptFormat, TaskDefaults, Verifier } from "../task.js";
import type { SplitNames } from "./split-names.js";

/** What a row says. The gold answer is not in canonical form yet. */
export type RawObservation = Pick<Observation, "question" | "answer" | "options">;

/** Everything of a task except its rows, and where those are found. */
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
  /** Its data set on the Hugging Face hub, `owner/name`, read if no data is named. */
  readonly hub?: string;
  /** Folders in which releases keep the files, besides the folder itself and `data`. */
  readonly folders?: readonly string[];
  /** The splits that make up the training set. The first is required, others are read if they are there. */
  readonly train: readonly [SplitNames, ...SplitNames[]];
  readonly test: SplitNames;
  /** Files with one of these words in their names are something else. */
  readonly leaveOut?: readonly string[];
  /** A release that has no splits: the file that holds all rows, and which of them are for testing. */
  readonly whole?: { readonly names: SplitNames; readonly isTest: (row: Row) => boolean };
  /** Number of training rows, if the paper takes only the first ones of a larger set. */
  readonly trainLimit?: number;
  /** Set where one file may be divided into training and test rows (`evalShare`): what the row's part depends on. */
  readonly splitKey?: (row: Row) => string;
  /** What to do about a gold answer that the verifier cannot check, for the end of the message. */
  readonly advice?: (answer: string) => string | undefined;
  /** Throws UserError for a row that cannot be read. */
  observation(row: Row): RawObservation;
}

/** The files of one split on this machine, in order. */
export interface SplitFiles {
  readonly paths: readonly string[];
  /** Which rows belong to the split; all when left out. */
  readonly takes?: (row: Row) => boolean;
}
