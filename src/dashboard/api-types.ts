/** What the server answers, as JSON: shared by the server and the pages. Accuracies and shares are in [0, 1]. */

import type { Table } from "../report/tables.js";
import type { Progress } from "../run/directory/progress.js";
import type { RunOverview } from "../run/directory/reader.js";
import type { DrawnSample } from "../run/directory/records.js";
import type { IterationRecord } from "../run/events.js";
import type { Interval } from "../statistics/intervals.js";

export interface RunRow extends RunOverview {
  readonly id: string;
  /** 95 % interval of the best accuracy; null before the base model is tested. */
  readonly interval: Interval | null;
  /** Test accuracy of the base model and after each iteration. */
  readonly accuracies: readonly number[];
}

export interface UnreadableRun {
  readonly id: string;
  readonly reason: string;
}

export interface RunList {
  readonly root: string;
  readonly total: number;
  readonly rows: readonly (RunRow | UnreadableRun)[];
}

export interface RunDetail {
  readonly row: RunRow;
  readonly records: readonly IterationRecord[];
  /** The base model's test, as a point of the learning curve; null before it. */
  readonly base: { readonly accuracy: number; readonly interval: Interval | null } | null;
  /** 95 % intervals of the test accuracies, by record. */
  readonly intervals: readonly (Interval | null)[];
  readonly progress: Progress | null;
  /** Seconds until the last planned iteration is done, by the pace so far; null where nothing can be said. */
  readonly secondsLeft: number | null;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Optimizer steps in a row, as one point. */
export interface StepBin {
  /** Steps since the run's start, up to the bin's end. */
  readonly step: number;
  readonly iteration: number;
  readonly loss: number;
  readonly lossLow: number;
  readonly lossHigh: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
}

export interface StepPage {
  readonly steps: number;
  readonly bins: readonly StepBin[];
}

/** Observations that stand alike in the queue. */
export interface QueuePicture {
  readonly iteration: number;
  readonly iterations: number;
  readonly observations: number;
  /** Rows of `cells` are t̃ (0: never), columns win rates: shares of `rates` − 1. */
  readonly rates: number;
  /** [t̃, column, observations] */
  readonly cells: readonly (readonly [lastSampled: number, rate: number, observations: number])[];
  /** Observations that were never updated: they have no win rate. */
  readonly never: number;
}

/** What is known of how observations were visited and trained on; grows while the logs are read. */
export interface SurveyState {
  /** Iterations read, of those that there are. */
  readonly done: number;
  readonly total: number;
}

export interface Frequencies extends SurveyState {
  /** Observations trained on 0, 1, 2 … times; the last bin has all that are above. */
  readonly histogram: readonly number[];
  /** Times per bin. */
  readonly width: number;
  readonly mean: number;
  /** Standard deviation over observations (AdaSTaR, Figure 3a). */
  readonly deviation: number;
  /** By iteration: observations visited 0, 1, 2 … times so far; the last has all above. */
  readonly visits: readonly (readonly number[])[];
}

export const OBSERVATION_FILTERS = [
  "never solved",
  "over-trained",
  "strict and lenient disagree",
  "wrong step",
  "verifier failed",
] as const;
export type ObservationFilter = (typeof OBSERVATION_FILTERS)[number];

export const OBSERVATION_SORTS = ["index", "visits", "draws", "rate", "trained", "last"] as const;
export type ObservationSort = (typeof OBSERVATION_SORTS)[number];

export interface ObservationRow {
  readonly index: number;
  readonly id: string;
  /** Iterations in which it was drawn for, and draws and right ones in all. */
  readonly visits: number;
  readonly draws: number;
  readonly correct: number;
  readonly trained: number;
  readonly last: number;
}

export interface ObservationPage extends SurveyState {
  readonly total: number;
  readonly rows: readonly ObservationRow[];
}

export interface SampleView extends Omit<DrawnSample, "tokens"> {
  /** Characters of the whole text; `text` may be its beginning only. */
  readonly textLength: number;
}

export interface ObservationHistory {
  readonly index: number;
  readonly iterations: readonly {
    readonly iteration: number;
    /** Place in the visiting order, and what the queue knew; null where it cannot be known. */
    readonly place: number | null;
    readonly key: { readonly lastSampled: number; readonly correct: number; readonly drawn: number } | null;
    readonly visited: number | null;
    readonly popped: number | null;
    readonly outcome: string;
    readonly samples: readonly SampleView[];
  }[];
}

interface CompareCurve {
  readonly method: string;
  readonly seeds: number;
  readonly points: readonly {
    readonly flops: number;
    readonly mean: number;
    readonly low: number | null;
    readonly high: number | null;
  }[];
}

export interface CompareView {
  readonly budget: number;
  readonly budgetRange: readonly [number, number];
  readonly target: number;
  readonly reference: string;
  readonly curves: readonly CompareCurve[];
  readonly tables: readonly { readonly title: string; readonly table: Table }[];
  /** What makes the comparison unfair, and runs that were left out. */
  readonly warnings: readonly string[];
}
