/** The configuration described for editors: a JSON schema, and a YAML file with every setting explained. */

import { stringify } from "yaml";
import { z } from "zod";
import { type ConfigKey, configKeys, fieldGroups, fieldOf, GROUP_HEADINGS, type RunConfig } from "./fields.js";

/**
 * JSON schema (draft 2020-12) of a configuration file. It knows keys, types and limits, and not which settings go
 * together.
 */
export function configSchema(): Readonly<Record<string, unknown>> {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Configuration of an adastar run",
    type: "object",
    additionalProperties: false,
    properties: Object.fromEntries(configKeys.map((key) => [key, propertySchema(key)])),
  };
}

function propertySchema(key: ConfigKey): Readonly<Record<string, unknown>> {
  const { schema, kind, description, default: fallback } = fieldOf(key);
  const { $schema: _, ...type } = z.toJSONSchema(schema, { io: "input" });
  return { description, ...type, ...(kind === "list" ? { uniqueItems: true } : {}), default: fallback };
}

export interface TemplateOptions {
  /** The settings that are shown. */
  readonly config: RunConfig;
  /** Where the JSON schema lies, as the file would refer to it. */
  readonly schema: string;
}

/** A configuration file in which every setting is explained and commented out, with the value that holds without it. */
export function configTemplate({ config, schema }: TemplateOptions): string {
  const groups = Object.entries(fieldGroups).map(([group, members]) => {
    const lines = (Object.keys(members) as ConfigKey[]).map((key) => settingLines(key, config));
    return `## ${GROUP_HEADINGS[group as keyof typeof fieldGroups]}\n\n${lines.join("\n")}`;
  });
  return `# yaml-language-server: $schema=${schema}
# Settings of \`adastar run --config\` with this file. Remove the # before a setting to change it; flags override the file.

${groups.join("\n")}`;
}

function settingLines(key: ConfigKey, config: RunConfig): string {
  const { description } = fieldOf(key);
  return `${commented(description)}# ${key}: ${stringify(config[key], { collectionStyle: "flow" })}`;
}

/** A text as comment lines of at most 100 columns or so. */
function commented(text: string): string {
  return `${text.replace(/(.{1,96})(?: |$)/g, "# $1\n")}`;
}
