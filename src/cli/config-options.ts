/** The settings of a run as flags: names, help and parsing all follow from the one table in run/config/fields.ts. */

import { type Command, Option } from "commander";
import { parseFlag } from "../run/config/config.js";
import { type ConfigKey, fieldGroups, fieldOf, fields } from "../run/config/fields.js";
import { type Field, flagOf } from "../settings.js";

const GROUP_HEADINGS: Readonly<Record<keyof typeof fieldGroups, string>> = {
  task: "Task and data:",
  model: "Model and engine:",
  method: "Method:",
  sampling: "Sampling:",
  training: "Training:",
  run: "Run:",
};

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

/** Adds a flag for each of `keys` (all settings when left out), grouped in the help as the table groups them. */
export function addConfigOptions(command: Command, keys?: readonly ConfigKey[]): Command {
  for (const [group, members] of Object.entries(fieldGroups)) {
    const heading = GROUP_HEADINGS[group as keyof typeof fieldGroups];
    for (const key of Object.keys(members) as ConfigKey[]) {
      if (keys !== undefined && !keys.includes(key)) continue;
      for (const option of optionsOf(key)) command.addOption(option.helpGroup(heading));
    }
  }
  return command;
}

/**
 * The settings that were given as flags, by key; those that were not are absent. `options` is what commander collected; the texts are
 * read here and not by commander, which has no null. Throws UserError naming the flag.
 */
export function statedSettings(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const stated = Object.entries(options).filter(([key]) => Object.hasOwn(fields, key));
  return Object.fromEntries(
    stated.map(([key, value]) => [key, typeof value === "string" ? parseFlag(key as ConfigKey, value) : value]),
  );
}

function optionsOf(key: ConfigKey): Option[] {
  const field = fieldOf(key);
  const description = field.description + defaultNote(field);
  if (field.kind === "boolean") {
    return [
      new Option(`${flagOf(key)} [${PLACEHOLDERS.boolean}]`, description),
      new Option(flagOf(key).replace(/^--/, "--no-"), `The same as ${flagOf(key)} false`),
    ];
  }
  return [new Option(`${flagOf(key)} <${placeholder(field)}>`, description)];
}

function placeholder(field: Field): string {
  if (field.kind === "number-or-word") return [PLACEHOLDERS["number-or-word"], ...(field.choices ?? [])].join("|");
  if (field.kind === "path-or-word") return [...(field.choices ?? []), PLACEHOLDERS["path-or-word"]].join("|");
  return field.choices?.join("|") ?? PLACEHOLDERS[field.kind];
}

/** Settings that default to null say in their description what then holds. */
function defaultNote(field: Field): string {
  return field.default === null ? "" : ` (default ${String(field.default)})`;
}
