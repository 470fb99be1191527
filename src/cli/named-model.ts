/**
 * A model that the user names: a checkpoint's folder, a hub reference, or a run directory, which means its best model.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.js";
import type { RunConfig } from "../run/config/fields.js";
import { JOURNAL_FILE } from "../run/directory/paths.js";
import { readRun } from "../run/directory/reader.js";

export interface NamedModel {
  readonly model: string;
  /** The settings of the run, if a run directory was named. */
  readonly config: RunConfig | null;
}

/** Throws UserError if the run is damaged or did not keep its best model. */
export function namedModel(name: string): NamedModel {
  if (!existsSync(join(name, JOURNAL_FILE))) return { model: name, config: null };
  const { config, summary } = readRun(name);
  if (summary.bestCheckpoint !== null) return { model: summary.bestCheckpoint, config };
  throw new UserError(
    `${name}: expected the run to have kept its best model (iteration ${summary.bestIteration}), but it was removed ` +
      `(--keep-checkpoints). Name another model, such as ${summary.checkpoint}`,
  );
}
