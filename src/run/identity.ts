/**
 * What makes two runs the same run. Three digests, one for each thing that a run is made from:
 *
 * - `settings`: what the configuration asks for. Names the folders of a comparison.
 * - `data`: the observations, prompts and verifier that the configuration led to, by content. In the journal's first
 * entry.
 * - `weights`: the base model, by content, as the engine digests it (`Engine.checksum`). In the journal's first entry.
 *
 * Digests are stored in run directories and in folder names, so what goes into them, and in which order, is a format: a
 * change here makes every existing run another run.
 */

import { createHash } from "node:crypto";
import { fewShotPrefix } from "../tasks/prompt.js";
import { taskEntry } from "../tasks/registry.js";
import type { Exemplar, Observation, Task } from "../tasks/task.js";
import { taskOptions } from "./config/config.js";
import { type ConfigKey, configKeys, fieldOf, fields, type RunConfig } from "./config/fields.js";
import type { Prompts } from "./prompts/encoded-prompts.js";

export interface RunIdentity {
  readonly settings: string;
  readonly data: string;
  readonly weights: string;
}

/** A run with other values of these is the same run, gone further. */
export const BUDGET_KEYS = ["iterations", "maxFlops"] as const satisfies readonly ConfigKey[];

/** Neither what a run computes nor where its model and data lie depends on these. */
const apart = new Set<ConfigKey>([
  "runDir",
  ...BUDGET_KEYS,
  ...configKeys.filter((key) => fields[key].scope === "means"),
]);

/**
 * Eight hexadecimal digits for all settings that may change what a run computes, and for where its model and data lie.
 * Unset options are omitted, and so are values that runs had before the option existed: options added later do not
 * rename existing runs.
 */
export function settingsDigest(config: RunConfig): RunIdentity["settings"] {
  const stated = configKeys
    .filter((key) => !apart.has(key))
    .filter((key) => key === "task" || (config[key] !== null && config[key] !== fieldOf(key).before))
    .map((key) => [key, key === "task" ? taskEntry(taskOptions(config)).name : config[key]]);
  return createHash("sha256").update(JSON.stringify(stated)).digest("hex").slice(0, 8);
}

export interface DataParts {
  readonly task: Pick<Task, "name" | "format" | "verifier">;
  readonly train: readonly Observation[];
  readonly test: readonly Observation[];
  readonly exemplars: readonly Exemplar[];
  readonly maxTokens: number;
  /**
   * The prompts where a chat template writes them: it lies beside the weights and may change without them. Else null.
   */
  readonly chat: Prompts | null;
}

/** SHA-256 of everything but the model that affects samples and verdicts. */
export function dataDigest({ task, train, test, exemplars, maxTokens, chat }: DataParts): RunIdentity["data"] {
  const { format } = task;
  const hash = createHash("sha256");
  const note = (value: unknown) => hash.update(`${JSON.stringify(value)}\n`);
  note([task.name, format.separator, format.stop, maxTokens, task.verifier.module?.fingerprint]);
  note([fewShotPrefix(format, exemplars), fewShotPrefix(format, exemplars, true)]);
  if (chat !== null) note([chat.prefix, chat.hintedPrefix, chat.train[0], chat.trainZeroShot[0], chat.endToken]);
  for (const split of [train, test]) {
    note(split.length);
    for (const observation of split) note([observation, format.prompt(observation)]);
  }
  return hash.digest("hex");
}

/** What two runs of the same settings began with: the part that differs, data first, or null where both are alike. */
export function differingPart(
  expected: Omit<RunIdentity, "settings">,
  found: Omit<RunIdentity, "settings">,
): "data" | "weights" | null {
  if (expected.data !== found.data) return "data";
  return expected.weights === found.weights ? null : "weights";
}
