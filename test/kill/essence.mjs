/** What two runs of the same configuration must have in common, byte for byte. */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Hold places and times, and nothing that is not in the journal as well; progress.json is only for people who look. */
const LEFT_OUT = new Set(["config.yaml", "table.csv", "progress.json", "progress.json.tmp"]);

/** @param {unknown} value */
function timeless(value) {
  if (Array.isArray(value)) return value.map(timeless);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => key !== "time" && key !== "seconds" && key !== "check");
  return Object.fromEntries(kept.map(([key, item]) => [key, timeless(item)]));
}

/** @param {string} path */
function journal(path) {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.stringify(timeless(JSON.parse(line)))).join("\n");
}

/**
 * Digests by file name, of the journal without times.
 *
 * @param {string} dir
 * @returns {Map<string, string>}
 */
export function essence(dir) {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !LEFT_OUT.has(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return new Map(
    files.map((path) => {
      const content = path.endsWith("journal.jsonl") ? journal(path) : readFileSync(path);
      return [path.slice(dir.length + 1), createHash("sha256").update(content).digest("hex")];
    }),
  );
}

/**
 * Names of files that only one of them has, or that differ.
 *
 * @param {Map<string, string>} expected
 * @param {Map<string, string>} found
 */
export function differences(expected, found) {
  const names = new Set([...expected.keys(), ...found.keys()]);
  return [...names].filter((name) => expected.get(name) !== found.get(name)).sort();
}
