/**
 * The read side of a run directory: the only code that knows its paths and formats when reading. It never locks and
 * never writes, so it may look at a run that another process writes, and at one in a read-only folder. Whatever it
 * finds damaged or foreign is a UserError.
 *
 * A reader is a view as of its last `refresh`, which reads only what is new. Logs of an iteration are read when they
 * are asked for, and followed from then on.
 */

import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { Permutation } from "../../algorithm/permutation.js";
import { readQueue } from "../../algorithm/queue-format.js";
import { UserError } from "../../errors.js";
import { taskEntry } from "../../tasks/registry.js";
import { taskOptions } from "../config/config.js";
import type { RunConfig } from "../config/fields.js";
import type { IterationRecord, RunSummary } from "../events.js";
import {
  type EntryOf,
  findEntry,
  type JournalEntry,
  type JournalEvent,
  type JournalView,
  parseEntries,
} from "./journal.js";
import { lockOwner } from "./lock.js";
import { LogIndex, type Mark } from "./log-index.js";
import {
  CONFIG_FILE,
  EVALUATION_LOGS,
  type IterationLog,
  iterationLog,
  JOURNAL_FILE,
  LOCK_FILE,
  listIterations,
} from "./paths.js";
import { type Progress, readProgress } from "./progress.js";
import {
  checked,
  type DrawnSample,
  drawnSchema,
  type KeptSample,
  keptSchema,
  type StepRecord,
  stepSchema,
  type VerifiedSample,
  verifiedSchema,
} from "./records.js";
import { journaledConfig, noRun, readRunConfig } from "./run-config.js";
import { readSealed, SealedTail } from "./sealed-tail.js";
import { type RunStatus, statusOf } from "./status.js";
import { committedRecords, summarize } from "./summary.js";
import { VouchedFiles } from "./vouched-files.js";

/** A run in a few figures, for lists of runs. */
export interface RunOverview extends Omit<RunSummary, "status" | "baseAccuracy" | "observations"> {
  /** Name of the run directory. */
  readonly name: string;
  readonly status: RunStatus;
  readonly task: string;
  readonly method: string;
  /** Null before the journal's first entry. */
  readonly model: string | null;
  readonly seed: number;
  /** T: iterations planned; `iterations` are those that are done. */
  readonly planned: number;
  /** N, and the size of the test set; null where they are not known yet. */
  readonly observations: number | null;
  readonly testObservations: number | null;
  /** Null before the base model is tested. */
  readonly baseAccuracy: number | null;
  /** ISO 8601: of the journal's first and last entry. */
  readonly startedAt: string | null;
  readonly updatedAt: string | null;
}

/** The observation queue after an iteration, by observation. */
export interface QueueState {
  /** t̃ */
  readonly lastSampled: Uint32Array;
  /** w̃ is `correct` / `drawn`; 0 of 0 before the first update. */
  readonly correct: Uint8Array;
  readonly drawn: Uint8Array;
}

/** Observations that stand alike in the queue. */
export interface QueueCell {
  readonly lastSampled: number;
  readonly correct: number;
  readonly drawn: number;
  readonly observations: number;
}

export interface SamplePage<T> {
  /** Samples that there are (with the mark, where one is asked for). */
  readonly total: number;
  readonly samples: readonly T[];
}

export interface PageRequest {
  /** Index of the first one wanted, and how many at most. */
  readonly from: number;
  readonly count: number;
  readonly mark?: Mark;
}

export class RunReader extends VouchedFiles {
  readonly #journal: SealedTail;
  #entries: JournalEntry[] = [];
  #config: RunConfig | null = null;
  #status: RunStatus = { kind: "interrupted", killed: false };
  #progress: Progress | null = null;
  readonly #steps = new Map<number, { readonly tail: SealedTail; readonly records: StepRecord[] }>();
  readonly #indices = new Map<string, LogIndex>();

  private constructor(dir: string) {
    super(dir);
    this.#journal = new SealedTail(join(dir, JOURNAL_FILE));
  }

  /** Throws UserError where there is no run, or its journal is damaged. */
  static open(dir: string): RunReader {
    const path = resolve(dir);
    if (!isRun(path)) throw noRun(dir);
    const reader = new RunReader(path);
    reader.refresh();
    return reader;
  }

  /** Takes in what was written since. Returns whether the journal, the status or the progress is another now. */
  refresh(): boolean {
    // In this order: a run that ends in between is seen as finished, since its last entry is there before its lock is
    // gone.
    const lock = lockOwner(join(this.dir, LOCK_FILE));
    const progress = readProgress(this.dir);
    const grown = this.#refreshJournal();
    const status = statusOf(this.#entries, lock, progress);
    const same = JSON.stringify([status, progress]) === JSON.stringify([this.#status, this.#progress]);
    this.#status = status;
    this.#progress = progress;
    return grown || !same;
  }

  #refreshJournal(): boolean {
    let changed = false;
    for (let more = true; more; ) {
      const chunk = this.#journal.read();
      more = chunk.more;
      if (chunk.restarted) this.#entries = [];
      if (chunk.restarted || chunk.lines.length > 0) changed = true;
      const records = chunk.lines.map(({ record }) => record);
      this.#entries.push(...parseEntries(records, this.#journal.path, this.#entries));
    }
    if (changed) this.#config = null;
    return changed;
  }

  get journal(): JournalView {
    return this;
  }

  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  get status(): RunStatus {
    return this.#status;
  }

  /** What the last session was doing when it last said so; null for runs that never did. */
  get progress(): Progress | null {
    return this.#progress;
  }

  /** Rows of the finished iterations, in order. */
  get records(): IterationRecord[] {
    return committedRecords(this.#entries);
  }

  /**
   * The run's settings, by the journal; before its first entry, by config.yaml. Throws UserError where neither has
   * them.
   */
  get config(): RunConfig {
    this.#config ??= journaledConfig(this.#entries, this.dir) ?? readRunConfig(this.dir, this.#entries);
    return this.#config;
  }

  /** The last entry of a kind, of one iteration where given. */
  find<K extends JournalEvent["kind"]>(kind: K, iteration?: number): EntryOf<K> | undefined {
    return findEntry(this.#entries, kind, iteration);
  }

  /** The journal's first entry. Throws UserError where there is none yet. */
  get opened(): EntryOf<"opened"> {
    const opened = this.find("opened");
    if (opened === undefined) throw new UserError(`expected a run with a journal, got ${this.dir}, which has none yet`);
    return opened;
  }

  get summary(): RunSummary {
    const status = this.#status.kind === "finished" ? "done" : this.#status.kind;
    return summarize(this.dir, this.config, this.#entries, status);
  }

  get overview(): RunOverview {
    const { baseAccuracy, ...summary } = this.summary;
    const { config } = this;
    const opened = this.find("opened");
    return {
      ...summary,
      name: basename(this.dir),
      status: this.#status,
      task: this.#progress?.task ?? taskEntry(taskOptions(config)).name,
      method: opened?.method.name ?? config.method,
      model: opened?.model.name ?? null,
      seed: config.seed,
      planned: config.iterations,
      observations: this.observations,
      testObservations: this.find("evaluated", 0)?.result.observations ?? this.#progress?.testObservations ?? null,
      baseAccuracy: Number.isNaN(baseAccuracy) ? null : baseAccuracy,
      startedAt: opened?.time ?? null,
      updatedAt: this.#entries.at(-1)?.time ?? null,
    };
  }

  /** N; null before the first iteration is finished, in runs that write no progress. */
  get observations(): number | null {
    const committed = this.find("committed");
    if (committed === undefined) return this.#progress?.observations ?? null;
    return queueSize(join(this.dir, committed.queue.path)) ?? this.#progress?.observations ?? null;
  }

  /** Iterations that have begun, in order; 0 is the base model's test. */
  get iterations(): number[] {
    return listIterations(this.dir);
  }

  /** The optimizer steps of an iteration as far as they are taken. */
  steps(iteration: number): readonly StepRecord[] {
    let log = this.#steps.get(iteration);
    if (log === undefined) {
      log = { tail: new SealedTail(this.#path(iteration, "training")), records: [] };
      this.#steps.set(iteration, log);
    }
    const { tail, records } = log;
    for (let more = true; more; ) {
      const chunk = tail.read();
      more = chunk.more;
      if (chunk.restarted) records.length = 0;
      for (const { record, number } of chunk.lines) records.push(checked(stepSchema, record, tail.path, number));
    }
    return records;
  }

  /** Every draw of an iteration, in the order drawn; one chunk of the log is in memory at a time. */
  *draws(iteration: number): Generator<DrawnSample> {
    yield* this.#stream(iteration, "samples", drawnSchema);
  }

  /** Every answer to the test set, by one of the evaluations. */
  *answers(iteration: number, evaluation: keyof typeof EVALUATION_LOGS): Generator<VerifiedSample> {
    yield* this.#stream(iteration, EVALUATION_LOGS[evaluation], verifiedSchema);
  }

  /** D₊ of an iteration, in its order. */
  *kept(iteration: number): Generator<KeptSample> {
    yield* this.#stream(iteration, "kept", keptSchema);
  }

  *#stream<T extends object>(iteration: number, log: IterationLog | "kept", schema: Parameters<typeof checked<T>>[0]) {
    const path = this.#path(iteration, log);
    for (const { record, number } of readSealed(path)) yield checked(schema, record, path, number);
  }

  /**
   * A page of an iteration's draws. The first call for an iteration reads its whole log once, between turns of the
   * event loop.
   */
  async samples(iteration: number, request: PageRequest): Promise<SamplePage<DrawnSample>> {
    return this.#page(iteration, "samples", drawnSchema, request);
  }

  /** A page of an iteration's answers to the test set; as `samples`. */
  async testSamples(
    iteration: number,
    evaluation: keyof typeof EVALUATION_LOGS,
    request: PageRequest,
  ): Promise<SamplePage<VerifiedSample>> {
    return this.#page(iteration, EVALUATION_LOGS[evaluation], verifiedSchema, request);
  }

  async #page<T extends object>(
    iteration: number,
    log: IterationLog,
    schema: Parameters<typeof checked<T>>[0],
    { from, count, mark }: PageRequest,
  ): Promise<SamplePage<T>> {
    const index = await this.#indexOf(iteration, log);
    const found = mark === undefined ? null : [...index.find({ mark })];
    const total = found?.length ?? index.count;
    const wanted = Array.from({ length: Math.max(0, Math.min(count, total - from)) }, (_, i) => from + i);
    const indices = found === null ? wanted : wanted.map((i) => found[i]);
    return { total, samples: this.#read(index, iteration, log, schema, indices) };
  }

  /** All draws of an observation, iteration by iteration; as `samples`. */
  async history(
    observation: number,
  ): Promise<{ readonly iteration: number; readonly samples: readonly DrawnSample[] }[]> {
    const found: { iteration: number; samples: readonly DrawnSample[] }[] = [];
    for (const iteration of this.iterations) {
      const index = await this.#indexOf(iteration, "samples");
      const indices = [...index.find({ observation })];
      if (indices.length === 0) continue;
      found.push({ iteration, samples: this.#read(index, iteration, "samples", drawnSchema, indices) });
    }
    return found;
  }

  #read<T extends object>(
    index: LogIndex,
    iteration: number,
    log: IterationLog,
    schema: Parameters<typeof checked<T>>[0],
    indices: readonly number[],
  ): T[] {
    if (indices.length === 0) return [];
    const path = this.#path(iteration, log);
    return index.read(indices).map(({ record, index: at }) => checked(schema, record, path, at + 1));
  }

  async #indexOf(iteration: number, log: IterationLog): Promise<LogIndex> {
    const path = this.#path(iteration, log);
    const index = this.#indices.get(path) ?? new LogIndex(path);
    while (index.advance()) await new Promise((resume) => setImmediate(resume));
    // The one that was used last is the last to go.
    this.#indices.delete(path);
    this.#indices.set(path, index);
    let held = 0;
    for (const { count } of this.#indices.values()) held += count;
    for (const [oldest, { count }] of this.#indices) {
      if (held <= MAX_INDEXED || oldest === path) break;
      this.#indices.delete(oldest);
      held -= count;
    }
    return index;
  }

  /** The queue as an iteration left it; null where it is not finished. Throws UserError where the file is damaged. */
  queue(iteration: number): QueueState | null {
    const queue = this.#queueFile(iteration);
    return queue === null ? null : byObservation(queue);
  }

  #queueFile(iteration: number): ReturnType<typeof readQueue> | null {
    const committed = this.find("committed", iteration);
    return committed === undefined ? null : readQueue(this.read(committed.queue));
  }

  /** The queue in cells of observations that stand alike: a picture of t̃ and w̃, whose size does not depend on N. */
  queueCells(iteration: number): readonly QueueCell[] | null {
    const queue = this.#queueFile(iteration)?.statistics;
    if (queue === undefined) return null;
    const counts = new Map<number, number>();
    for (let i = 0; i < queue.lastSampled.length; i++) {
      const cell = queue.lastSampled[i] * 65_536 + queue.correct[i] * 256 + queue.drawn[i];
      counts.set(cell, (counts.get(cell) ?? 0) + 1);
    }
    return [...counts].map(([cell, observations]) => ({
      lastSampled: Math.floor(cell / 65_536),
      correct: Math.floor(cell / 256) % 256,
      drawn: cell % 256,
      observations,
    }));
  }

  #path(iteration: number, log: IterationLog | "kept"): string {
    return join(this.dir, iterationLog(iteration, log));
  }
}

/** Records whose places are remembered, over all logs: 13 bytes each. */
const MAX_INDEXED = 4_000_000;

/** The file has the statistics in the order of ranks where ranks decide ties. */
function byObservation({ statistics, tieSeed }: ReturnType<typeof readQueue>): QueueState {
  if (tieSeed === null) return statistics;
  const size = statistics.lastSampled.length;
  const observations = new Permutation(size, tieSeed);
  const lastSampled = new Uint32Array(size);
  const correct = new Uint8Array(size);
  const drawn = new Uint8Array(size);
  for (let rank = 0; rank < size; rank++) {
    const observation = observations.at(rank);
    lastSampled[observation] = statistics.lastSampled[rank];
    correct[observation] = statistics.correct[rank];
    drawn[observation] = statistics.drawn[rank];
  }
  return { lastSampled, correct, drawn };
}

/** Whether a folder holds a run, as far as its names tell. */
export function isRun(dir: string): boolean {
  return existsSync(join(dir, CONFIG_FILE)) || existsSync(join(dir, JOURNAL_FILE));
}

/**
 * N by the header of a queue file (algorithm/queue-format.ts), without the rest of it; null where it cannot be read.
 */
function queueSize(path: string): number | null {
  const header = Buffer.alloc(20);
  try {
    const file = openSync(path, "r");
    try {
      return readSync(file, header, 0, 20, 0) === 20 ? header.readUInt32LE(16) : null;
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
}

/** A run as it stands on disk. */
export interface RunView {
  readonly config: RunConfig;
  readonly entries: readonly JournalEntry[];
  readonly records: readonly IterationRecord[];
  readonly summary: RunSummary;
  readonly status: RunStatus;
}

/**
 * Reads the run in `dir`, also while another process writes to it. Throws UserError when there is none or it is
 * damaged.
 */
export function readRun(dir: string): RunView {
  const { config, entries, records, summary, status } = RunReader.open(dir);
  return { config, entries, records, summary, status };
}
