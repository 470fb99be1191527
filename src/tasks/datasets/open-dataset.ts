/** Opens tasks whose observations are read from rows. */

import type { Task, Verifier } from "../task.js";
import type { OnRefused, TaskEntry } from "../task-entry.js";
import { READ_BY, type TaskOptions } from "../task-options.js";
import type { Dataset } from "./dataset.js";
import { readSplit } from "./read-split.js";
import { type Located, locateSplits } from "./split-files.js";

/** A registry entry that opens a public data set from files. */
export function datasetEntry(dataset: Dataset): TaskEntry {
  const ownVerifier = () => dataset.verifier;
  return {
    ...dataset,
    options: READ_BY.datasets,
    ownVerifier,
    open: (chosen, verifier, onRefused) => openDataset(verifiedBy(dataset, verifier), chosen, onRefused),
  };
}

/** The data set with another verifier, if one is given. */
export function verifiedBy(dataset: Dataset, verifier: Verifier | undefined): Dataset {
  return verifier === undefined ? dataset : { ...dataset, verifier };
}

/** Reads the observations of both splits. Throws UserError naming file and row for what is no proper observation. */
async function openDataset(dataset: Dataset, options: TaskOptions, onRefused?: OnRefused): Promise<Task> {
  return openLocated(dataset, await locateSplits(dataset, options), options, onRefused);
}

/** As `openDataset`, with files that were located before. */
export async function openLocated(
  dataset: Dataset,
  located: Located,
  options: TaskOptions,
  onRefused?: OnRefused,
): Promise<Task> {
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
