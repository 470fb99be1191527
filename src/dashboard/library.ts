/** The runs under RUNS_DIR: readers that are kept open for the runs looked at last, and rows of the list of runs. */

import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { messageOf } from "../errors.js";
import { RunReader } from "../run/directory/reader.js";
import type { RunStatus } from "../run/directory/status.js";
import { wilsonInterval } from "../statistics/proportion.js";
import type { RunDetail, RunList, RunRow, UnreadableRun } from "./api-types.js";
import { checkFiles, checkNamedFiles, findRuns, runFolder } from "./folders.js";
import { Recent } from "./recent.js";

/** A reader keeps the journal and what was asked of the logs. */
const MAX_READERS = 6;
const MAX_ROWS = 5_000;
/** Names of files whose change changes a run's row. */
const ROW_FILES = ["journal.jsonl", "progress.json", "lock", "config.yaml"];
/** Milliseconds between two scans of RUNS_DIR. */
const SCAN_INTERVAL = 1_000;

export class Library {
  readonly root: string;
  readonly #readers = new Recent<string, { readonly reader: RunReader; checked: number }>(MAX_READERS);
  readonly #rows = new Recent<string, { readonly stamp: string; readonly row: RunRow | UnreadableRun }>(MAX_ROWS);
  #scan: { readonly at: number; readonly runs: ReturnType<typeof findRuns> } = { at: 0, runs: [] };

  constructor(root: string) {
    this.root = resolve(root);
  }

  /** The run's reader as of now. Throws UserError where there is no such run, or it cannot be read. */
  reader(id: string): RunReader {
    const dir = runFolder(this.root, id);
    const kept = this.#readers.get(dir);
    const now = performance.now();
    // Files are looked at again now and then: a folder may have changed while the server ran.
    if (kept === undefined || now - kept.checked > SCAN_INTERVAL) checkFiles(this.root, dir);
    if (kept === undefined) {
      const reader = RunReader.open(dir);
      checkNamedFiles(reader.entries);
      this.#readers.set(dir, { reader, checked: now });
      return reader;
    }
    kept.checked = now;
    const before = kept.reader.entries.length;
    kept.reader.refresh();
    if (kept.reader.entries.length !== before) checkNamedFiles(kept.reader.entries);
    return kept.reader;
  }

  /** A page of the runs, those that changed last first. */
  list(from: number, count: number): RunList {
    const now = performance.now();
    if (this.#scan.at === 0 || now - this.#scan.at > SCAN_INTERVAL) {
      this.#scan = { at: now, runs: findRuns(this.root) };
    }
    const runs = this.#scan.runs
      .map((run) => ({ ...run, changed: modified(join(run.dir, "journal.jsonl")) }))
      .sort((a, b) => b.changed - a.changed);
    const rows = runs.slice(from, from + count).map(({ id, dir }) => this.#row(id, dir));
    return { root: this.root, total: runs.length, rows };
  }

  #row(id: string, dir: string): RunRow | UnreadableRun {
    const stamp = stampOf(dir);
    const kept = this.#rows.get(dir);
    // Whether a running process still lives is seen by asking, not by a file.
    if (kept?.stamp === stamp && !isLive(kept.row)) return kept.row;
    const row = this.#readRow(id, dir);
    this.#rows.set(dir, { stamp, row });
    return row;
  }

  #readRow(id: string, dir: string): RunRow | UnreadableRun {
    try {
      // A list of many runs must not push out the readers of those that are looked at.
      checkFiles(this.root, dir);
      const reader = RunReader.open(dir);
      checkNamedFiles(reader.entries);
      return rowOf(id, reader);
    } catch (error) {
      return { id, reason: messageOf(error) };
    }
  }

  /** Changes when a run does. A process that dies changes no file, so whether it lives is a part of it. */
  runStamp(id: string): string {
    const dir = runFolder(this.root, id);
    return `${stampOf(dir)} ${JSON.stringify(this.reader(id).status)}`;
  }

  listStamp(): string {
    return findRuns(this.root)
      .map(({ id, dir }) => `${id} ${stampOf(dir)}`)
      .join("\n");
  }

  detail(id: string): RunDetail {
    const reader = this.reader(id);
    const row = rowOf(id, reader);
    const tested = row.testObservations;
    const interval = (accuracy: number) => intervalOf(accuracy, tested);
    return {
      row,
      records: reader.records,
      base: row.baseAccuracy === null ? null : { accuracy: row.baseAccuracy, interval: interval(row.baseAccuracy) },
      intervals: reader.records.map(({ testAccuracy }) => interval(testAccuracy)),
      progress: reader.progress,
      secondsLeft: secondsLeft(reader, row.status),
      settings: reader.config,
    };
  }
}

function rowOf(id: string, reader: RunReader): RunRow {
  const { overview } = reader;
  const { baseAccuracy, bestAccuracy, testObservations } = overview;
  return {
    ...overview,
    id,
    interval: baseAccuracy === null ? null : intervalOf(bestAccuracy, testObservations),
    accuracies: [
      ...(baseAccuracy === null ? [] : [baseAccuracy]),
      ...reader.records.map(({ testAccuracy }) => testAccuracy),
    ],
  };
}

function intervalOf(accuracy: number, tested: number | null) {
  return tested === null ? null : wilsonInterval(Math.round(accuracy * tested), tested);
}

/** By the mean of the last iterations: their cost changes slowly. */
function secondsLeft(reader: RunReader, status: RunStatus): number | null {
  const last = reader.records.slice(-3);
  if (status.kind !== "running" || last.length === 0) return null;
  const seconds = last.map(({ seconds: { visit, train, evaluate } }) => visit + train + evaluate);
  const each = seconds.reduce((a, b) => a + b, 0) / last.length;
  const entry = reader.entries.findLast(({ kind }) => kind === "committed");
  const since = entry === undefined ? 0 : (Date.now() - Date.parse(entry.time)) / 1000;
  const left = (reader.config.iterations - reader.records.length) * each;
  return Math.max(0, left - Math.min(since, each));
}

function isLive(row: RunRow | UnreadableRun): boolean {
  return "status" in row && row.status.kind === "running";
}

/** Changes when a file that a row is made of changes. */
function stampOf(dir: string): string {
  return ROW_FILES.map((name) => {
    const stats = statSync(join(dir, name), { throwIfNoEntry: false });
    return stats === undefined ? "" : `${stats.ino}-${stats.size}-${stats.mtimeMs}`;
  }).join(" ");
}

function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
