/** From data files to a task: which file is which split, rows to observations, and every check that all data sets share. */

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { shown, UserError } from "../errors.js";
import type { TaskEntry, TaskOption, TaskOptions } from "./entry.js";
import { idOf, isRowFile, ROW_FILES, type Row, readRows } from "./rows.js";
import type { Exemplar, Observation, PromptFormat, Task, TaskDefaults, Verifier } from "./task.js";

/** What a row says, before the gold answer is brought to canonical form. */
export type RawObservation = Pick<Observation, "question" | "answer" | "options">;

/** A data set in files: everything a task is, but for its rows. */
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
  /** How file names of the training split begin. Each of them that the folder has is read, in this order. */
  readonly trainFiles: readonly string[];
  /** How file names of the test split may begin. The first that the folder has is read. */
  readonly testFiles: readonly string[];
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
    open: (chosen, verifier) => openDataset(judgedBy(dataset, verifier), chosen),
  };
}

/** The data set with another verifier, where there is one. */
export function judgedBy(dataset: Dataset, verifier: Verifier | undefined): Dataset {
  return verifier === undefined ? dataset : { ...dataset, verifier };
}

export async function openDataset(dataset: Dataset, options: TaskOptions): Promise<Task> {
  const { train, test } = await splitFiles(dataset, options);
  const [trainRows, testRows] = [
    await observationsOf(dataset, train, dataset.trainLimit),
    await observationsOf(dataset, test),
  ];
  const { name, description, format, exemplars, verifier, maxTokens, rationalize } = dataset;
  return { name, description, format, exemplars, verifier, maxTokens, rationalize, train: trainRows, test: testRows };
}

/** The files of both splits: `data` is a folder that holds them or the training file, `eval` the test file. */
async function splitFiles(dataset: Dataset, options: TaskOptions): Promise<{ train: string[]; test: string[] }> {
  const { data, eval: testFile } = options;
  if (data === undefined || data === null) {
    throw new UserError(
      `task ${dataset.name}: expected its rows in data, a folder with ${wanted(dataset)} or a training file, got nothing`,
    );
  }
  const folder = await isFolder(data);
  if (!folder && (testFile === undefined || testFile === null)) {
    throw new UserError(
      `task ${dataset.name}: expected a test file in eval beside the training file ${shown(data)}, got nothing`,
    );
  }
  const names = folder ? (await readdir(data)).sort() : [];
  const train = folder ? dataset.trainFiles.flatMap((start) => matching(data, names, start)) : [data];
  if (train.length === 0) throw missing(dataset, data, names);
  if (testFile !== undefined && testFile !== null) {
    if (await isFolder(testFile))
      throw new UserError(`expected a test file in eval, got the folder ${shown(testFile)}`);
    return { train, test: [testFile] };
  }
  for (const start of dataset.testFiles) {
    const test = matching(data, names, start);
    if (test.length > 0) return { train, test };
  }
  throw missing(dataset, data, names);
}

function wanted(dataset: Dataset): string {
  const files = (starts: readonly string[]) => starts.map((start) => `${start}*.jsonl`).join(" or ");
  return `${files(dataset.trainFiles)} and ${files(dataset.testFiles)}`;
}

function missing(dataset: Dataset, folder: string, names: readonly string[]): UserError {
  return new UserError(
    `task ${dataset.name}: expected ${wanted(dataset)} (${ROW_FILES.join(" or ")}) in ${shown(folder)}, got ${names.join(", ") || "an empty folder"}`,
  );
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    throw new UserError(`expected a file or folder, got ${shown(path)}, which does not exist`);
  }
}

/** The one data file in `folder` whose name begins with `start`, as a list; empty when there is none, UserError when there are several. */
function matching(folder: string, names: readonly string[], start: string): string[] {
  const found = names.filter((name) => name.startsWith(start) && isRowFile(name));
  if (found.length > 1) {
    throw new UserError(
      `expected one file ${start}* in ${shown(folder)}, got ${found.join(" and ")}; name the files themselves with data and eval`,
    );
  }
  return found.map((name) => join(folder, name));
}

/** Reads the rows of `paths` in order; ids must be unique over all of them. */
async function observationsOf(
  dataset: Dataset,
  paths: readonly string[],
  limit = Number.POSITIVE_INFINITY,
): Promise<Observation[]> {
  const observations: Observation[] = [];
  const seen = new Map<string, Row["where"]>();
  for (const path of paths) {
    for await (const row of readRows(path)) {
      if (observations.length >= limit) break;
      const observation = checkedObservation(dataset, row);
      const earlier = seen.get(observation.id);
      if (earlier !== undefined) {
        throw new UserError(
          `${row.where}: expected ids that differ, got ${shown(observation.id)} again (first in ${earlier})`,
        );
      }
      seen.set(observation.id, row.where);
      observations.push(observation);
    }
  }
  if (observations.length === 0) throw new UserError(`expected rows in ${paths.join(", ")}, got none`);
  return observations;
}

/** The row's observation. Its gold answer must verify as the task writes it: an answer that cannot would count every try as wrong. */
function checkedObservation(dataset: Dataset, row: Row): Observation {
  const raw = dataset.observation(row);
  try {
    const answer = dataset.verifier.canonical(raw.answer, raw.options);
    const observation = { ...raw, id: idOf(row, ...dataset.idColumns), answer };
    // A user's own module may want more than the bare answer, such as sound steps before it.
    if (dataset.verifier.module !== undefined) return observation;
    const verdict = dataset.verifier.judge(dataset.format.completion("", answer), observation);
    if (verdict.strict === "correct") return observation;
    throw new UserError(
      `expected an answer that verifies when it is stated, got ${shown(answer)}, which reads as ${shown(verdict.extracted)}; choose another verifier or mend the row`,
    );
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${row.where}: ${error.message}`);
    throw error;
  }
}
