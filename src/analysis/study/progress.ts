/** How far a study is, and how long the rest may take. */

import { readRun } from "../../run/directory/reader.js";
import { sum } from "../../statistics/descriptive.js";
import { type PlannedRun, type RunState, stateOf } from "../comparison-runs.js";
import type { PlannedSetting } from "./study-file.js";

interface SettingProgress {
  readonly name: string;
  readonly finished: number;
  readonly started: number;
  readonly missing: number;
  /** Runs whose folder cannot be read. */
  readonly damaged: number;
}

export interface StudyProgress {
  readonly settings: readonly SettingProgress[];
  /**
   * Computing time of the runs that are left, by what those so far took for a FLOP; null before any has done an
   * iteration.
   */
  readonly secondsLeft: number | null;
}

export function progressOf(settings: readonly PlannedSetting[]): StudyProgress {
  const states = settings.map(({ name, runs }) => ({ name, runs: runs.map(measured) }));
  const all = states.flatMap(({ runs }) => runs);
  const flops = sum(all.map((run) => run.flops));
  const left = sum(all.map((run) => run.flopsLeft));
  return {
    settings: states.map(({ name, runs }) => {
      const count = (kind: MeasuredRun["kind"]) => runs.filter((run) => run.kind === kind).length;
      return {
        name,
        finished: count("finished"),
        started: count("started"),
        missing: count("missing"),
        damaged: count("damaged"),
      };
    }),
    secondsLeft: flops === 0 ? null : (sum(all.map((run) => run.seconds)) / flops) * left,
  };
}

interface MeasuredRun {
  readonly kind: RunState["kind"] | "damaged";
  readonly seconds: number;
  readonly flops: number;
  readonly flopsLeft: number;
}

function measured(run: PlannedRun): MeasuredRun {
  const budget = run.config.maxFlops ?? 0;
  const nothing = { seconds: 0, flops: 0, flopsLeft: budget };
  try {
    const { kind } = stateOf(run);
    if (kind === "missing") return { kind, ...nothing };
    const { summary } = readRun(run.config.runDir);
    const flops = summary.flops.total;
    const flopsLeft = kind === "finished" ? 0 : Math.max(0, budget - flops);
    return { kind, seconds: summary.seconds, flops, flopsLeft };
  } catch {
    return { kind: "damaged", ...nothing };
  }
}
