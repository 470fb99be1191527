/** What a report shows of a run, from its directory alone. */

import { trainingCounts } from "../../analysis/training-frequency.js";
import type { EntryOf } from "../../run/directory/journal.js";
import { type QueueCell, type RunOverview, RunReader } from "../../run/directory/reader.js";
import type { IterationRecord } from "../../run/events.js";
import { settingsDigest } from "../../run/identity.js";

/** A model of a run. */
export interface ModelPoint {
  /** 0: the base model. */
  readonly iteration: number;
  /** Training FLOPs and seconds from the start. */
  readonly flops: number;
  readonly seconds: number;
  /** In [0, 1]. */
  readonly accuracy: number;
}

interface QueuePicture {
  readonly iteration: number;
  readonly cells: readonly QueueCell[];
}

export interface ReportedRun {
  readonly overview: RunOverview;
  readonly records: readonly IterationRecord[];
  /** The base model first; none before it was tested. */
  readonly models: readonly ModelPoint[];
  /** What each iteration drew. */
  readonly visits: readonly EntryOf<"visited">[];
  /** Loss by optimizer step from the start, at most a few hundred points. */
  readonly losses: readonly { readonly step: number; readonly loss: number }[];
  /** By observation; empty before the first iteration is finished. */
  readonly frequency: ArrayLike<number>;
  /** Of the first and the last finished iteration and some between; none for methods without a queue. */
  readonly queues: readonly QueuePicture[];
  /** The same for runs that differ in their seed and budget only. */
  readonly settings: string;
  /** The same for runs on the same observations and prompts; null before the journal's first entry. */
  readonly data: string | null;
}

const MAX_LOSSES = 300;
const MAX_QUEUES = 6;

/** Throws UserError where there is no run, or its directory is damaged. */
export function reportedRun(dir: string): ReportedRun {
  const reader = RunReader.open(dir);
  const { overview, records, config } = reader;
  const opened = reader.find("opened");
  const withQueue = opened?.method.visits === "queue" ? spread(records, MAX_QUEUES) : [];
  return {
    overview,
    records,
    models: modelsOf(overview, records),
    visits: records.flatMap(({ iteration }) => reader.find("visited", iteration) ?? []),
    losses: lossesOf(reader, records),
    frequency: frequencyOf(reader, records.length),
    queues: withQueue.map(({ iteration }) => ({ iteration, cells: reader.queueCells(iteration) ?? [] })),
    settings: settingsDigest({ ...config, seed: 0 }),
    data: opened?.data ?? null,
  };
}

function modelsOf({ baseAccuracy }: RunOverview, records: readonly IterationRecord[]): ModelPoint[] {
  if (baseAccuracy === null) return [];
  let seconds = 0;
  const trained = records.map(({ iteration, cumulativeFlops, testAccuracy, seconds: own }) => {
    seconds += own.visit + own.train + own.evaluate;
    return { iteration, flops: cumulativeFlops.total, seconds, accuracy: testAccuracy };
  });
  return [{ iteration: 0, flops: 0, seconds: 0, accuracy: baseAccuracy }, ...trained];
}

function frequencyOf(reader: RunReader, iterations: number): ReportedRun["frequency"] {
  let last: ArrayLike<number> = [];
  for (const counts of trainingCounts(reader, iterations)) last = counts;
  return last;
}

function lossesOf(reader: RunReader, records: readonly IterationRecord[]): ReportedRun["losses"] {
  let before = 0;
  const all = records.flatMap(({ iteration, steps }) => {
    const own = reader.steps(iteration).map(({ step, loss }) => ({ step: before + step, loss }));
    before += steps;
    return own;
  });
  return spread(all, MAX_LOSSES);
}

/** At most `most` of the items, evenly spread, the first and the last among them. */
function spread<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items;
  return Array.from({ length: most }, (_, i) => items[Math.round((i * (items.length - 1)) / (most - 1))]);
}
