/**
 * What a study's runs came to, and which of them count: those that are as planned and began after the study was fixed.
 */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../errors.js";
import { findEntry } from "../../run/directory/journal.js";
import { readRun } from "../../run/directory/reader.js";
import { settingsDigest } from "../../run/identity.js";
import { type ComparedRun, comparedRuns } from "../compared-runs.js";
import { onOtherGround, type PlannedRun, stateOf } from "../comparison-runs.js";
import type { Commit } from "./commits.js";
import type { PlannedSetting } from "./study-file.js";

interface RefusedRun {
  readonly run: string;
  readonly reason: string;
}

export interface SettingResults {
  readonly name: string;
  readonly runs: readonly ComparedRun[];
  /** Planned runs that have not come to their end. */
  readonly missing: readonly string[];
  /** Runs that count for nothing. */
  readonly refused: readonly RefusedRun[];
}

/** @param fixed the commit that fixed the study; null for pilots, which may begin at any time */
export function resultsOf({ name, out, runs: plan }: PlannedSetting, fixed: Commit | null): SettingResults {
  const refused: RefusedRun[] = foreignRuns(out, plan);
  const missing: string[] = [];
  const finished: PlannedRun[] = [];
  for (const run of plan) {
    try {
      if (stateOf(run).kind !== "finished") missing.push(run.name);
      else {
        const reason = unlikePlan(run, fixed);
        if (reason === null) finished.push(run);
        else refused.push({ run: run.name, reason });
      }
    } catch (error) {
      refused.push({ run: run.name, reason: messageOf(error) });
    }
  }
  for (const { run, unlike } of onOtherGround(finished)) {
    finished.splice(finished.indexOf(run), 1);
    refused.push({ run: run.name, reason: `began with ${unlike.what} than ${unlike.of}` });
  }
  const runs = finished.flatMap((run) => {
    try {
      return comparedRuns(run.config.runDir, run.method, run.config.iterations);
    } catch (error) {
      refused.push({ run: run.name, reason: messageOf(error) });
      return [];
    }
  });
  return { name, runs, missing, refused };
}

/** Why a finished run does not count; null where it does. */
function unlikePlan({ config }: PlannedRun, fixed: Commit | null): string | null {
  const { config: begun, entries } = readRun(config.runDir);
  if (settingsDigest(begun) !== settingsDigest(config)) return "its settings are not those of the study";
  const opened = findEntry(entries, "opened");
  if (opened === undefined) return "it has no beginning";
  // Commits have whole seconds.
  if (fixed !== null && Math.ceil(Date.parse(opened.time) / 1000) < Date.parse(fixed.time) / 1000) {
    return `it began at ${opened.time}, before the study was committed at ${fixed.time}`;
  }
  return null;
}

/** Runs in the folder that the study does not plan: other settings, methods or seeds. */
function foreignRuns(out: string, plan: readonly PlannedRun[]): RefusedRun[] {
  const folder = join(out, "runs");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => !plan.some((run) => run.name === name))
    .map((run) => ({ run, reason: "it is not planned: the study has no run with these settings" }));
}
