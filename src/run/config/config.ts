/**
 * From layers of settings to one frozen configuration. Later layers win: defaults < the task's defaults < preset < YAML
 * file < flags.
 */

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseDocument, stringify } from "yaml";
import { combineMethod } from "../../algorithm/combine.js";
import { type Method, methodNamed } from "../../algorithm/methods.js";
import { ObservationQueue, type QueueOptions } from "../../algorithm/observation-queue.js";
import { seedFor } from "../../algorithm/random.js";
import { messageOf, shown, UserError } from "../../errors.js";
import { isHubReference } from "../../hub/reference.js";
import { absolutePath, type Field, flagOf } from "../../settings.js";
import { taskEntry } from "../../tasks/registry.js";
import type { Task, TaskDefaults } from "../../tasks/task.js";
import { type TaskOptions, taskOptionKeys } from "../../tasks/task-options.js";
import { type ConfigKey, configKeys, fieldOf, fields, type RunConfig } from "./fields.js";
import { statedParts } from "./part-fields.js";
import { presets } from "./presets.js";

/** Settings from one source, not yet checked. */
export interface ConfigLayer {
  /** Named in errors and in the list of where values came from, e.g. `run.yaml`. */
  readonly source: string;
  /** Relative paths in this layer start here. */
  readonly folder: string;
  readonly values: Readonly<Record<string, unknown>>;
}

export interface ResolvedConfig {
  readonly config: RunConfig;
  /** Source of each value; `default` where no layer set it. */
  readonly origins: Readonly<Record<ConfigKey, string>>;
}

/** What the caller of a run sets; all parts may be left out. */
export interface ConfigRequest {
  /** Settings by key, such as flags give them; override everything else. */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** Path of a YAML file. */
  readonly file?: string;
  /** Where relative paths in `flags` start; by default the working directory. */
  readonly folder?: string;
}

/**
 * Reads, checks and merges everything that determines a configuration. Throws UserError on anything that is not one.
 */
export function loadConfig(request: ConfigRequest = {}): ResolvedConfig {
  const stated: ConfigLayer[] = [];
  if (request.file !== undefined) stated.push(readConfigFile(request.file));
  if (request.flags !== undefined)
    stated.push({ source: "flags", folder: request.folder ?? process.cwd(), values: request.flags });
  const { config } = resolveConfig(stated);
  const builtIn = (source: string, values: ConfigLayer["values"]) => ({ source, folder: process.cwd(), values });
  const entry = taskEntry(taskOptions(config));
  // A task's default that is no setting, or has another type than the setting, does not compile.
  const suited: Partial<Pick<RunConfig, keyof TaskDefaults>> = entry.defaults;
  const layers = [builtIn("default", { task: entry.name }), builtIn(`task ${entry.name}`, suited)];
  if (config.preset !== null) layers.push(builtIn(`preset ${config.preset}`, presets[config.preset]));
  return resolveConfig([...layers, ...stated]);
}

/**
 * Merges layers, least important first. Throws UserError for an unknown key or a value outside its limits, naming the
 * layer.
 */
export function resolveConfig(layers: readonly ConfigLayer[]): ResolvedConfig {
  const config: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  for (const key of configKeys) {
    config[key] = fields[key].default;
    origins[key] = "default";
  }
  for (const layer of layers) {
    for (const [key, value] of Object.entries(layer.values)) {
      // A flag that was not given arrives as undefined.
      if (value === undefined) continue;
      config[key] = checkedValue(key, value, layer);
      origins[key] = layer.source;
    }
  }
  return { config: Object.freeze(config) as RunConfig, origins: Object.freeze(origins) as ResolvedConfig["origins"] };
}

/**
 * The settings of runs that began before some settings existed, as the least important layer of what such a run has on
 * disk.
 */
export const EARLIER_RUNS: ConfigLayer = {
  source: "earlier version",
  folder: "/",
  values: Object.fromEntries(configKeys.map((key) => [key, fieldOf(key).before])),
};

function checkedValue(key: string, value: unknown, layer: ConfigLayer): unknown {
  if (!Object.hasOwn(fields, key)) {
    const meant = nearestKey(key);
    throw new UserError(
      `expected a known setting, got ${shown(key)} (${layer.source}). ${
        meant === null ? "`adastar run --help` lists all settings." : `Did you mean ${meant}?`
      }`,
    );
  }
  const spec = fieldOf(key as ConfigKey);
  const parsed = spec.schema.safeParse(value);
  if (!parsed.success) throw new UserError(`${key}: expected ${spec.expects}, got ${shown(value)} (${layer.source})`);
  return isPath(spec, parsed.data) ? absolutePath(parsed.data, layer.folder) : parsed.data;
}

/** Whether a setting's value names a file or folder. */
function isPath({ kind, choices = [] }: Field, value: unknown): value is string {
  if (typeof value !== "string") return false;
  return (
    kind === "path" ||
    (kind === "path-or-word" && !choices.includes(value)) ||
    (kind === "path-or-hub" && !isHubReference(value))
  );
}

/** Reads a YAML file with the keys of the configuration; relative paths in it start at its own folder. */
function readConfigFile(path: string): ConfigLayer {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UserError(`expected a readable configuration file, got ${shown(path)}: ${messageOf(error)}`);
  }
  return parseConfig(text, path);
}

/** Parses YAML text; `source` is its file's path. */
export function parseConfig(text: string, source: string): ConfigLayer {
  let values: unknown;
  try {
    const document = parseDocument(text);
    // In settings, a warning is a mistake as well, such as an unknown tag.
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) throw problem;
    values = document.toJS();
  } catch (error) {
    throw new UserError(`${source}: expected YAML, got: ${messageOf(error)}`);
  }
  // An empty file, or one of comments only, sets nothing.
  if (values === null || values === undefined) values = {};
  if (typeof values !== "object" || Array.isArray(values)) {
    throw new UserError(`${source}: expected settings as \`key: value\` lines, got ${shown(values)}`);
  }
  return { source, folder: dirname(resolve(source)), values: values as Record<string, unknown> };
}

/**
 * The value that a flag's text states for `key`; `null` and `none` unset a setting. Limits are checked later, by
 * resolveConfig.
 */
export function parseFlag(key: ConfigKey, text: string): unknown {
  const spec = fieldOf(key);
  if (text === "null" || text === "none") return null;
  switch (spec.kind) {
    case "number":
    case "number-or-word": {
      if (spec.kind === "number-or-word" && spec.choices?.includes(text)) return text;
      // Number("") would be 0.
      const value = text.trim() === "" ? Number.NaN : Number(text);
      if (Number.isNaN(value)) throw new UserError(`${flagOf(key)}: expected ${spec.expects}, got ${shown(text)}`);
      return value;
    }
    case "boolean":
      return text === "true" ? true : text === "false" ? false : text;
    case "list":
      return text.split(",").map((item) => item.trim());
    case "text":
    case "path":
    case "path-or-word":
    case "path-or-hub":
      return text;
  }
}

/** The part of the configuration that says which task to open. */
export function taskOptions(config: RunConfig): TaskOptions {
  return Object.fromEntries(taskOptionKeys.map((key) => [key, config[key]]));
}

/**
 * The method that the configuration asks for, with the parts that it sets replaced. Hints are given only if they suit
 * the task, unless the configuration insists. Throws UserError for an unknown method and for parts that do not work
 * together.
 */
export function methodOf(config: RunConfig, task: Pick<Task, "rationalize">): Method {
  const method = methodNamed(config.method);
  // Drop hints before merging, so that a user who only raises `tries` need not also set rationalize=false.
  const suited = config.rationalize === null && !task.rationalize ? { ...method, rationalize: false } : method;
  return combineMethod(suited, statedParts(config));
}

/** The queue of a run's first iteration: no observation was sampled yet. */
export function emptyQueue(
  { queueTies, seed }: Pick<RunConfig, "queueTies" | "seed">,
  { queueKey }: Pick<Method, "queueKey">,
  observations: number,
  options: Pick<QueueOptions, "recordVisits"> = { recordVisits: true },
): ObservationQueue {
  const tieSeed = queueTies === "shuffled" ? seedFor(seed, "ties") : null;
  return ObservationQueue.create(observations, queueKey, { ...options, tieSeed });
}

/** The resolved configuration as the YAML that readConfigFile reads back. */
export function formatConfig(config: RunConfig): string {
  return stringify(config);
}

/** Settings that may change when a run is resumed: how far it goes, where things are, how the work is done. */
export const changeableKeys: readonly ConfigKey[] = configKeys.filter(
  (key) => fields[key].scope !== "result" && !["runDir", "preset"].includes(key),
);

/** Whether a resumed run may have this value, as far as can be known without reading what a path names. */
export function isChangeable(key: ConfigKey, value: unknown): boolean {
  return changeableKeys.includes(key) || (key === "verifier" && isPath(fields[key], value));
}

/**
 * The key that a user who typed `key` probably meant: the same but for case and separators, or at most two letters off.
 */
function nearestKey(key: string): ConfigKey | null {
  const plain = (text: string) => text.toLowerCase().replace(/[-_ ]/g, "");
  const typed = plain(key.slice(0, 40));
  const [best] = configKeys
    .map((candidate) => ({ candidate, distance: editDistance(typed, plain(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  return best.distance <= 2 ? best.candidate : null;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(previous[j] + 1, current[j - 1] + 1, substituted));
    }
    previous = current;
  }
  return previous[b.length];
}
