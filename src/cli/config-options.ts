/** The settings of a run as flags: names, help and parsing all follow from the one table in run/config/fields.ts. */

import { type Command, Option } from "commander";
import { UserError } from "../errors.js";
import { loadConfig, parseFlag, type ResolvedConfig } from "../run/config/config.js";
import { type ConfigKey, fieldGroups, fieldOf, fields, GROUP_HEADINGS } from "../run/config/fields.js";
import { type Field, flagOf } from "../settings.js";

const PLACEHOLDERS: Readonly<Record<Field["kind"], string>> = {
  number: "n",
  boolean: "true|false",
  text: "text",
  path: "path",
  list: "a,b",
  "number-or-word": "n",
  "path-or-word": "path",
  "path-or-hub": "path|hub:name",
};

/**
 * Adds a flag for each of `keys` (all settings if left out), grouped in the help as in the table. The help shows the
 * values that hold without the flags, for the task and preset on the same command line.
 */
export function addConfigOptions(command: Command, keys?: readonly ConfigKey[]): Command {
  for (const [group, members] of Object.entries(fieldGroups)) {
    const heading = GROUP_HEADINGS[group as keyof typeof fieldGroups];
    for (const key of Object.keys(members) as ConfigKey[]) {
      if (keys !== undefined && !keys.includes(key)) continue;
      for (const option of optionsOf(key, () => withoutFlags(command))) command.addOption(option.helpGroup(heading));
    }
  }
  return command;
}

/**
 * The settings that were given as flags, by key. `options` is what commander collected. Texts are parsed here because
 * commander has no null. Throws UserError naming the flag.
 */
export function statedSettings(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const stated = Object.entries(options).filter(([key]) => Object.hasOwn(fields, key));
  return Object.fromEntries(
    stated.map(([key, value]) => [key, typeof value === "string" ? parseFlag(key as ConfigKey, value) : value]),
  );
}

function optionsOf(key: ConfigKey, resolve: () => ResolvedConfig): Option[] {
  const field = fieldOf(key);
  const flag =
    field.kind === "boolean" ? `${flagOf(key)} [${PLACEHOLDERS.boolean}]` : `${flagOf(key)} <${placeholder(field)}>`;
  const option = new Option(flag);
  // Help is written after the command line was read: only then is the task known.
  Object.defineProperty(option, "description", { get: () => field.description + defaultNote(key, resolve()) });
  if (field.kind !== "boolean") return [option];
  return [option, new Option(flagOf(key).replace(/^--/, "--no-"), `The same as ${flagOf(key)} false`)];
}

/** The configuration from those flags alone that decide the defaults of others. A wrong name is refused elsewhere. */
function withoutFlags(command: Command): ResolvedConfig {
  const { task, preset, data } = command.opts<Readonly<Record<string, unknown>>>();
  try {
    return loadConfig({ flags: { task, preset, data } });
  } catch (error) {
    if (error instanceof UserError) return loadConfig();
    throw error;
  }
}

function placeholder(field: Field): string {
  if (field.kind === "number-or-word") return [PLACEHOLDERS["number-or-word"], ...(field.choices ?? [])].join("|");
  if (field.kind === "path-or-word") return [...(field.choices ?? []), PLACEHOLDERS["path-or-word"]].join("|");
  return field.choices?.join("|") ?? PLACEHOLDERS[field.kind];
}

/** A setting without a default value says in its description what holds then. */
function defaultNote(key: ConfigKey, { config, origins }: ResolvedConfig): string {
  const value = config[key];
  if (value === null || origins[key] === "flags") return "";
  return origins[key] === "default" ? ` (default ${String(value)})` : ` (default ${String(value)}, ${origins[key]})`;
}
