/** Pilot runs of a study: made with other seeds, apart from the runs that count. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { resultsOf, type SettingResults } from "./results.js";
import { plannedSettings, type Study } from "./study-file.js";

/** Folder of the pilot runs within the study's. */
export function pilotFolder(place: string): string {
  return join(place, "pilot");
}

/** Names of all pilot runs, whatever their settings. */
export function pilotNames({ plan }: Study, place: string): string[] {
  return Object.keys(plan.settings).flatMap((setting) => {
    const folder = join(pilotFolder(place), setting, "runs");
    return existsSync(folder) ? readdirSync(folder).map((run) => `${setting}: ${run}`) : [];
  });
}

/** Results of the pilot runs that have the study's settings. */
export function pilotResults(study: Study, place: string): SettingResults[] {
  const seeds = [...new Set(pilotNames(study, place).flatMap((name) => /-seed(\d+)-/.exec(name)?.[1] ?? []))];
  if (seeds.length === 0) return [];
  const plan = { ...study.plan, seeds: seeds.map(Number) };
  return plannedSettings({ ...study, plan }, pilotFolder(place)).map((setting) => resultsOf(setting, null));
}
