/** The settings of a run that is there: the journal has them, and config.yaml repeats them for people. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { shown, UserError } from "../../errors.js";
import { flagOf } from "../../settings.js";
import { EARLIER_RUNS, formatConfig, isChangeable, parseConfig, resolveConfig } from "../config/config.js";
import { configKeys, type RunConfig } from "../config/fields.js";
import { type JournalEntry, readJournal } from "./journal.js";
import { CONFIG_FILE, JOURNAL_FILE } from "./paths.js";

/**
 * The configuration of the run in `dir`: as the journal has it, which config.yaml repeats. Throws UserError when there
 * is none.
 */
export function readRunConfig(dir: string, entries = readJournal(join(dir, JOURNAL_FILE))): RunConfig {
  const journaled = journaledConfig(entries, dir);
  if (journaled !== null) return journaled;
  const path = join(dir, CONFIG_FILE);
  if (!existsSync(path)) throw noRun(dir);
  return readConfig(path);
}

/** What the journal holds of a configuration: all but the run directory's own place, which may be moved. */
export function journaledSettings({ runDir: _, ...settings }: Partial<RunConfig>): Readonly<Record<string, unknown>> {
  return settings;
}

/** Null before the journal's first entry. */
export function journaledConfig(entries: readonly JournalEntry[], dir: string): RunConfig | null {
  const source = join(dir, JOURNAL_FILE);
  const layers = entries.flatMap((entry) =>
    entry.kind === "opened" || entry.kind === "reconfigured" ? [{ source, folder: "/", values: entry.settings }] : [],
  );
  if (layers.length === 0) return null;
  return resolveConfig([EARLIER_RUNS, ...layers, { source, folder: "/", values: { runDir: dir } }]).config;
}

/**
 * Whether config.yaml must be written again: it is missing, incomplete, or older than a change that the journal has.
 * Throws UserError if config.yaml was edited and disagrees with the run.
 */
export function configFileLags(entries: readonly JournalEntry[], config: RunConfig, dir: string): boolean {
  const path = join(dir, CONFIG_FILE);
  if (!existsSync(path)) return true;
  if (readFileSync(path, "utf8") === formatConfig(config)) return false;
  const found = readConfig(path);
  const changedFrom = (other: RunConfig) =>
    configKeys.filter((key) => key !== "runDir" && JSON.stringify(found[key]) !== JSON.stringify(other[key]));
  const changed = changedFrom(config);
  // A kill between the journal's entry and the file leaves the settings of before.
  const before = entries.findLastIndex(({ kind }) => kind === "reconfigured");
  const earlier = before < 0 ? null : journaledConfig(entries.slice(0, before), dir);
  if (changed.length === 0 || (earlier !== null && changedFrom(earlier).length === 0)) return true;
  const differences = changed.map((key) => `${key} (${shown(config[key])}, not ${shown(found[key])})`).join(", ");
  const flag = changed.find((key) => isChangeable(key, found[key]));
  throw new UserError(
    `${path}: expected the settings that the run began with, got others for ${differences}. Restore config.yaml, or delete it, and it is written again. ` +
      (flag === undefined
        ? "Other settings are another run: `adastar run` starts one."
        : `To change what may change, say so: \`adastar resume ${dir} ${flagOf(flag)} ${String(found[flag])}\`.`),
  );
}

function readConfig(path: string): RunConfig {
  return resolveConfig([EARLIER_RUNS, parseConfig(readFileSync(path, "utf8"), path)]).config;
}

export function noRun(dir: string): UserError {
  return new UserError(`expected a run directory with a config.yaml, got ${dir}; \`adastar run\` makes one`);
}
