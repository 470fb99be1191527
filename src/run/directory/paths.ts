/** Names of everything in a run directory. The store writes under these names, and the reader reads under them. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { EvaluationKind } from "../../algorithm/methods.js";

export const CONFIG_FILE = "config.yaml";
export const JOURNAL_FILE = "journal.jsonl";
export const TABLE_FILE = "table.csv";
export const LOCK_FILE = "lock";
export const PROGRESS_FILE = "progress.json";
export const ITERATIONS_FOLDER = "iterations";
export const CHECKPOINTS_FOLDER = "checkpoints";

/** The logs of an iteration that grow while it runs. */
export type IterationLog =
  | "samples"
  | "probes"
  | "training"
  | "evaluation"
  | "evaluation-few-shot"
  | "evaluation-self-consistency";

/** The log of an iteration that has the answers of each evaluation. */
export const EVALUATION_LOGS = {
  "zero-shot": "evaluation",
  "few-shot": "evaluation-few-shot",
  "self-consistency": "evaluation-self-consistency",
} as const satisfies Readonly<Record<EvaluationKind, IterationLog>>;

/** Folder of an iteration's logs, relative to the run directory: `iterations/0001`; 0 is the base model. */
export function iterationFolder(iteration: number): string {
  return join(ITERATIONS_FOLDER, numbered(iteration, 4));
}

/** `kept` is D₊, written as a whole. */
export function iterationLog(iteration: number, log: IterationLog | "kept"): string {
  return join(iterationFolder(iteration), `${log}.jsonl`);
}

/** Folder of the model after an iteration, relative to the run directory. */
export function checkpointFolder(iteration: number): string {
  return join(CHECKPOINTS_FOLDER, checkpointName(iteration));
}

export function checkpointName(iteration: number): string {
  return numbered(iteration, 4);
}

/** Name of the model and optimizer after so many steps of an iteration's training. */
export function trainingStateName(step: number): string {
  return numbered(step, 6);
}

/** Iterations that have a folder, in order; 0 is the base model. None where there is no run. */
export function listIterations(dir: string): number[] {
  const folder = join(dir, ITERATIONS_FOLDER);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^\d{4,}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

function numbered(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}
