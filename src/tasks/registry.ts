/** Every task by name, and the one way to open them. */

import { shown, UserError } from "../errors.js";
import { BENCHMARKS } from "./benchmarks/index.js";
import { datasetEntry } from "./datasets/open-dataset.js";
import { jsonl } from "./datasets/own-data.js";
import { arithmetic } from "./generated/arithmetic.js";
import { clock } from "./generated/clock.js";
import { type Family, generatedEntry } from "./generated/family.js";
import type { Task, Verifier } from "./task.js";
import type { OnRefused, TaskEntry } from "./task-entry.js";
import { READ_BY, type TaskOptions } from "./task-options.js";
import { DEFAULT_TAGS } from "./verifiers/final-text.js";
import { isVerifierModule, openCustomVerifier } from "./verifiers/user-module.js";

/** Generated tasks, each with a model pretrained for it. */
export const FAMILIES: readonly Family[] = [arithmetic, clock];

/** The default first, then the other generated one, then the paper's six benchmarks, then the user's own data. */
export const TASKS: readonly TaskEntry[] = [...FAMILIES.map(generatedEntry), ...BENCHMARKS.map(datasetEntry), jsonl];

/** The generated task of that name. Throws UserError on an unknown name. */
export function familyNamed(name: string): Family {
  const family = FAMILIES.find((candidate) => candidate.name === name);
  if (family === undefined) {
    throw new UserError(`expected a generated task: ${FAMILIES.map((one) => one.name).join(", ")}, got ${shown(name)}`);
  }
  return family;
}

/** The entry that `options` asks for. Throws UserError on an unknown name or an option that the task does not read. */
export function taskEntry(options: TaskOptions = {}): TaskEntry {
  const name = options.task ?? (options.data === undefined || options.data === null ? "arithmetic" : "jsonl");
  const entry = TASKS.find((candidate) => candidate.name === name);
  if (entry === undefined) {
    throw new UserError(`task: expected one of ${TASKS.map((one) => one.name).join(", ")}, got ${shown(name)}`);
  }
  const own = isVerifierModule(options.verifier) ? READ_BY.moduleVerifiers : READ_BY.ownVerifiers;
  const known: readonly string[] = ["task", ...READ_BY.everyTask, ...entry.options, ...own];
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined || value === null || known.includes(key)) continue;
    throw new UserError(
      `${key}: expected an option of task ${entry.name} (${entry.options.join(", ")}), got ${shown(value)} for ${key}; leave it out or choose another task`,
    );
  }
  return entry;
}

/**
 * Opens a task: the default one without arguments. Throws UserError on bad options or data.
 * @param onRefused is called for each bad row, which is left out; without it, the error of the first one is thrown
 */
export async function openTask(options: TaskOptions = {}, onRefused?: OnRefused): Promise<Task> {
  const entry = taskEntry(options);
  const verifier = ownModule(options);
  try {
    const task = await entry.open(options, verifier, onRefused);
    return { ...task, verifier: withTags(task.verifier, options) };
  } catch (error) {
    await verifier?.module?.close();
    throw error;
  }
}

/** The verifier of the task that `options` ask for, without its data. Throws UserError on bad options. */
export function openVerifier(options: TaskOptions = {}): Verifier {
  const entry = taskEntry(options);
  return ownModule(options) ?? withTags(entry.ownVerifier(options), options);
}

/** The verifier with the tags that `options` state; the others are the default ones. */
function withTags(verifier: Verifier, { thinkingTags, answerTags }: TaskOptions): Verifier {
  if ((thinkingTags ?? answerTags ?? null) === null) return verifier;
  const tags = { thinking: thinkingTags ?? DEFAULT_TAGS.thinking, answer: answerTags ?? DEFAULT_TAGS.answer };
  return verifier.withTags?.(tags) ?? verifier;
}

function ownModule({ verifier, verifierTimeout }: TaskOptions): Verifier | undefined {
  return isVerifierModule(verifier)
    ? openCustomVerifier(verifier, { timeout: verifierTimeout ?? undefined })
    : undefined;
}
