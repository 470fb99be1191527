/**
 * The journal of a run: what is done, in order, and never taken back. One entry for each phase that has become durable,
 * so a run continues after its last entry. Except for `time` and `seconds`, an entry depends on configuration, data and
 * model alone: a run that was killed and resumed leaves the same journal as one that was not.
 */

import type { z } from "zod";
import type { ScoredTemperature } from "../../algorithm/balance.js";
import type { EvaluationKind, Method } from "../../algorithm/methods.js";
import type { CheckpointPlace, ModelFacts } from "../../engine/engine.js";
import { shown, UserError } from "../../errors.js";
import type { FlopsByPurpose, IterationRecord } from "../events.js";
import type { Disk } from "./disk.js";
import { journalFormat1 } from "./journal-schema.js";
import { malformed } from "./records.js";
import { readSealedLog, SealedLog } from "./sealed-log.js";

/** Version of the run directory's layout. */
export const FORMAT = 1;

/** A file that an entry vouches for. */
export interface FileDigest {
  /** Relative to the run directory. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * A saved model that an entry vouches for: a folder, relative to the run directory, or a URI that the engine can open.
 */
export type CheckpointDigest = CheckpointPlace & {
  /** The engine's digest of the weights. */
  readonly weights: string;
  /** The folder's files; none for a URI. */
  readonly files: readonly FileDigest[];
};

/** Folder or URI, for messages. */
export function placeOf(checkpoint: CheckpointPlace): string {
  return "folder" in checkpoint ? checkpoint.folder : checkpoint.uri;
}

/** What an evaluation found. */
export interface EvaluationResult {
  readonly observations: number;
  readonly correct: number;
  /** Accuracies in [0, 1] by the run's `accept`, by the strict and by the lenient reading. */
  readonly accuracy: number;
  readonly strictAccuracy: number;
  readonly lenientAccuracy: number;
  /** Share of outputs that ended and stated an answer. */
  readonly finished: number;
  readonly promptTokens: number;
  readonly generatedTokens: number;
  /** Inference FLOPs; not a training cost. */
  readonly flops: number;
}

/** Totals of training on D₊. */
export interface TrainingResult {
  readonly steps: number;
  /** Mean over the steps; null when nothing was trained. */
  readonly loss: number | null;
  readonly tokens: number;
  readonly completionTokens: number;
  readonly flops: number;
}

/** Figures of a visit; the rest follows from samples.jsonl. */
export interface VisitResult {
  readonly target: number | null;
  readonly visited: number;
  readonly solved: number;
  readonly alpha: number;
  /** |D₊| */
  readonly kept: number;
  /** Every sample drawn, those beyond the m visited included: lines of samples.jsonl. */
  readonly draws: number;
  readonly wrongSteps: number | null;
  readonly temperature: number;
  /** What `temperature` was chosen by; null where it is fixed. */
  readonly balance: readonly ScoredTemperature[] | null;
  /** Probes included, as in `flops`. */
  readonly sampledTokens: number;
  readonly flops: Omit<FlopsByPurpose, "training" | "total">;
}

export type JournalEvent =
  | {
      readonly kind: "opened";
      readonly format: number;
      /** All settings as resolved. Those that determine the run stay as they are here. */
      readonly settings: Readonly<Record<string, unknown>>;
      /** What the run must find unchanged whenever it is resumed: digest of the task's observations and prompts, … */
      readonly data: string;
      /** … digest of the base model's weights. */
      readonly weights: string;
      /** What the engine answers to the canary prompt with the base model (`Engine.canary`). */
      readonly canary: readonly number[];
      readonly model: ModelFacts;
      readonly method: Method;
    }
  | {
      readonly kind: "reconfigured";
      /** What was changed when the run was resumed; only budget, places and means can change. */
      readonly settings: Readonly<Record<string, unknown>>;
    }
  | {
      readonly kind: "visited";
      readonly iteration: number;
      readonly result: VisitResult;
      readonly kept: FileDigest;
      /** The other files that the phase wrote into the iteration's folder; so in the entries below. */
      readonly logs: readonly FileDigest[];
      readonly seconds: number;
    }
  | {
      readonly kind: "trained";
      readonly iteration: number;
      readonly result: TrainingResult;
      readonly checkpoint: CheckpointDigest;
      /** What the engine answers to the canary prompt with these weights. */
      readonly canary: readonly number[];
      readonly logs: readonly FileDigest[];
      readonly seconds: number;
    }
  | {
      readonly kind: "evaluated";
      /** 0: the base model. */
      readonly iteration: number;
      /** Of the method's first evaluation. */
      readonly result: EvaluationResult;
      /** Of its further ones; left out where there are none. */
      readonly further?: Readonly<Partial<Record<EvaluationKind, EvaluationResult>>>;
      readonly logs: readonly FileDigest[];
      readonly seconds: number;
    }
  | {
      readonly kind: "committed";
      readonly iteration: number;
      readonly record: IterationRecord;
      readonly queue: FileDigest;
    }
  | { readonly kind: "finished"; readonly reason: string };

/** What the journal adds to an event. */
interface Stamp {
  /** 0, 1, 2, … without gaps. */
  readonly seq: number;
  /** When it was written, ISO 8601. */
  readonly time: string;
}

export type JournalEntry = JournalEvent & Stamp;

export type EventOf<K extends JournalEvent["kind"]> = Extract<JournalEvent, { readonly kind: K }>;

/** The entry of a kind. */
export type EntryOf<K extends JournalEvent["kind"]> = EventOf<K> & Stamp;

/** What may be asked of a journal, whether it is open for writing or only read. */
export interface JournalView {
  readonly entries: readonly JournalEntry[];
  /** The last entry of a kind, of one iteration where given. */
  find<K extends JournalEvent["kind"]>(kind: K, iteration?: number): EntryOf<K> | undefined;
}

export class Journal implements JournalView {
  readonly path: string;
  readonly #log: SealedLog<object>;
  readonly #entries: JournalEntry[];

  constructor(path: string, disk: Disk) {
    this.path = path;
    this.#log = new SealedLog(path, disk);
    this.#entries = parseEntries(this.#log.records, path);
  }

  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  /** The last entry of a kind, of one iteration where given. */
  find<K extends JournalEvent["kind"]>(kind: K, iteration?: number): EntryOf<K> | undefined {
    return findEntry(this.entries, kind, iteration);
  }

  /**
   * Appends one event and returns its entry. When this returns, it is durable, and so must be all that it vouches for.
   */
  append<K extends JournalEvent["kind"]>(event: { readonly kind: K } & EventOf<K>): EntryOf<K> {
    const entry = { seq: this.entries.length, time: new Date().toISOString(), ...event } as EntryOf<K>;
    this.#log.append([entry]);
    this.#entries.push(entry);
    return entry;
  }

  close(): void {
    this.#log.close();
  }
}

/** Reads a journal without touching it. Throws UserError when it is damaged or not a journal of a known format. */
export function readJournal(path: string): readonly JournalEntry[] {
  return parseEntries(readSealedLog<object>(path), path);
}

/**
 * The entries that the lines of a journal carry.
 * @param before entries that were read already; `records` are those after them
 */
export function parseEntries(
  records: readonly object[],
  path: string,
  before: readonly JournalEntry[] = [],
): JournalEntry[] {
  for (const [i, record] of records.entries()) {
    const index = before.length + i;
    const seq: unknown = Reflect.get(record, "seq");
    if (seq === index) continue;
    throw new UserError(
      `${path}: expected entry ${index} on line ${index + 1}, got entry ${shown(seq)}. Lines were removed, doubled or moved; ` +
        "restore the file from a copy, or start the run again in a new directory.",
    );
  }
  const first = before[0] ?? records[0];
  if (first === undefined) return [];
  const schema = schemaOf(first, path);
  return records.map((record, i) => {
    const parsed = schema.safeParse(record);
    if (!parsed.success) throw malformed(parsed.error, path, before.length + i + 1);
    return inOrderOf(record, parsed.data);
  });
}

/** The last entry of a kind, of one iteration where given. */
export function findEntry<K extends JournalEvent["kind"]>(
  entries: readonly JournalEntry[],
  kind: K,
  iteration?: number,
): EntryOf<K> | undefined {
  return entries.findLast(
    (entry): entry is EntryOf<K> =>
      entry.kind === kind && (iteration === undefined || ("iteration" in entry && entry.iteration === iteration)),
  );
}

/** Whether nothing is left to do: the last entry says so. A run that was given more iterations has entries after it. */
export function isFinished(entries: readonly JournalEntry[]): boolean {
  return entries.at(-1)?.kind === "finished";
}

/** By the `format` of the first entry. */
const FORMATS: Readonly<Record<number, z.ZodType<JournalEntry>>> = { [FORMAT]: journalFormat1 };

/** @param first the journal's first entry */
function schemaOf(first: object, path: string): z.ZodType<JournalEntry> {
  const { kind, format } = first as { readonly kind?: unknown; readonly format?: unknown };
  if (kind === "opened" && typeof format === "number" && Object.hasOwn(FORMATS, format)) return FORMATS[format];
  throw new UserError(
    `${path}: expected a journal of format ${Object.keys(FORMATS).join(" or ")}, got ${kind === "opened" ? `format ${shown(format)}` : `one that starts with ${shown(kind)}`}. ` +
      "The run was made by another version of the program; resume it with that version.",
  );
}

/**
 * The parsed value with its keys in the order in which they were written: entries are compared as text when a run is
 * resumed.
 */
function inOrderOf<T>(written: unknown, parsed: T): T {
  if (typeof parsed !== "object" || parsed === null || typeof written !== "object" || written === null) return parsed;
  if (Array.isArray(parsed)) return parsed.map((item, i) => inOrderOf(Reflect.get(written, i), item)) as T;
  const keys = new Set([...Object.keys(written), ...Object.keys(parsed)]);
  const ordered = [...keys].map((key) => [key, inOrderOf(Reflect.get(written, key), Reflect.get(parsed, key))]);
  return Object.fromEntries(ordered) as T;
}
