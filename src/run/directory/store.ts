/**
 * The run directory, the single source of truth of a run:
 *
 *     config.yaml                    the resolved configuration
 *     journal.jsonl                  what is done (journal.ts), in sealed lines (sealed-log.ts) as all .jsonl files
 *     iterations/0000/evaluation.jsonl   the base model's answers to the test set
 *     iterations/0001/samples.jsonl      every draw with its verdict, in the order drawn, wave by wave
 *     iterations/0001/probes.jsonl       every draw that the temperature was chosen by, for methods that choose it
 *     iterations/0001/kept.jsonl         D₊, the samples that were trained on
 *     iterations/0001/training.jsonl     every optimizer step
 *     iterations/0001/training/          model and optimizer in mid-training; state.json names the last of them
 *     iterations/0001/evaluation.jsonl   as above, after training
 *     iterations/0001/evaluation-*.jsonl further evaluations, for methods that have them
 *     iterations/0001/queue.bin          the observation queue after the iteration
 *     checkpoints/0001/                  the model after the iteration, an ordinary Hugging Face folder
 *     table.csv                      a row for each iteration; made from the journal
 *     progress.json                  what the run is doing now; no part of the contract below (progress.ts)
 *     lock                           who writes (lock.ts)
 *
 * Crash contract. A process may be killed, or the machine lose power, at any instant.
 * - `create` returned: the directory opens. Killed before: it has no journal; starting again there is allowed.
 * - `journal.append(e)` returned: e is there for good. Killed inside: e is there whole, or not at all after the next
 *   `open`.
 * - a log's `append` returned: its records are there for good. Killed inside: any leading part of them is, whole
 *   records only.
 * - `writeKept`, `writeQueue`, `writeTable`, `writeConfig` returned: the new content is there. Killed inside: the old
 *   content or the new.
 * - `saveCheckpoint` returned: the folder is complete. Killed inside: it is missing, or complete and not in the
 *   journal; either way the next save replaces it.
 * - `saveTrainingState` returned: `trainingState` finds this state. Killed inside: the one before, or this one.
 * - `retain` may leave a folder half-removed, but never one that is to be kept; its next call removes the rest.
 *
 * Where the system refuses (a full disk), all of them leave what was there before, and throw UserError. An entry goes
 * into the journal only after all it vouches for is durable. Files that no entry vouches for are repeated, not trusted,
 * except for the logs of draws and answers, whose lines carry their own seals. docs/run-directory.md describes formats,
 * resuming and retention.
 */

import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import type { CheckpointRef, Engine, SaveTarget } from "../../engine/engine.js";
import { UserError } from "../../errors.js";
import { formatConfig } from "../config/config.js";
import type { RunConfig } from "../config/fields.js";
import type { IterationRecord } from "../events.js";
import { Disk } from "./disk.js";
import { type CheckpointDigest, type FileDigest, Journal, placeOf } from "./journal.js";
import { type Owner, takeLock } from "./lock.js";
import {
  CHECKPOINTS_FOLDER,
  CONFIG_FILE,
  checkpointFolder,
  checkpointName,
  ITERATIONS_FOLDER,
  type IterationLog,
  iterationFolder,
  iterationLog,
  JOURNAL_FILE,
  LOCK_FILE,
  TABLE_FILE,
  trainingStateName,
} from "./paths.js";
import { configFileLags, journaledConfig, noRun, readRunConfig } from "./run-config.js";
import { readSealedLog, SealedLog, sealed } from "./sealed-log.js";
import { formatTable } from "./table.js";
import { RESTORE, sha256, sha256OfFile, VouchedFiles } from "./vouched-files.js";

/** A model in mid-training. */
export interface TrainingState {
  /** Optimizer steps of the iteration that are done. */
  readonly step: number;
  readonly checkpoint: CheckpointDigest;
}

export class RunStore extends VouchedFiles {
  readonly journal: Journal;
  readonly #disk: Disk;
  readonly #release: () => void;
  readonly #logs = new Set<{ close(): void }>();
  /** The lock's previous owner, if it died without releasing it; else null. */
  readonly deadOwner: Owner | null;

  private constructor(dir: string, disk: Disk, lock: Lock) {
    super(dir);
    this.#disk = disk;
    this.#release = lock.release;
    this.deadOwner = lock.deadOwner;
    this.journal = new Journal(join(dir, JOURNAL_FILE), disk);
  }

  /** Makes a run directory. Throws UserError if a run, or anything else, is already there. */
  static create(dir: string, config: RunConfig, disk = new Disk()): RunStore {
    const path = resolve(dir);
    refuseOccupied(path);
    disk.makeFolder(path);
    const lock = lockOf(path);
    try {
      refuseOccupied(path);
      disk.makeFolder(join(path, ITERATIONS_FOLDER));
      disk.makeFolder(join(path, CHECKPOINTS_FOLDER));
      disk.replace(join(path, CONFIG_FILE), formatConfig(config));
      return new RunStore(path, disk, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /**
   * Opens a run directory to continue its run. Throws UserError when there is none, it is damaged, or another process
   * writes to it.
   */
  static open(dir: string, disk = new Disk()): RunStore {
    const path = resolve(dir);
    if (!existsSync(join(path, CONFIG_FILE)) && !existsSync(join(path, JOURNAL_FILE))) throw noRun(path);
    const lock = lockOf(path);
    try {
      return new RunStore(path, disk, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** The run's settings. Throws UserError if config.yaml was edited and disagrees with the journal. */
  config(): RunConfig {
    const { entries } = this.journal;
    const journaled = journaledConfig(entries, this.dir);
    if (journaled === null) return readRunConfig(this.dir);
    if (configFileLags(entries, journaled, this.dir)) this.writeConfig(journaled);
    return journaled;
  }

  /** Call it after the journal entry with these settings. */
  writeConfig(config: RunConfig): void {
    this.#disk.replace(join(this.dir, CONFIG_FILE), formatConfig(config));
  }

  /** Opens a log of an iteration; closed with the store. */
  log<T extends object>(iteration: number, name: IterationLog): SealedLog<T> {
    this.#iterationFolder(iteration);
    const log = new SealedLog<T>(join(this.dir, iterationLog(iteration, name)), this.#disk);
    this.#logs.add(log);
    return log;
  }

  writeKept(iteration: number, examples: readonly object[]): FileDigest {
    return this.#write(
      iteration,
      "kept.jsonl",
      Buffer.from(examples.map((example) => `${sealed(example)}\n`).join("")),
    );
  }

  writeQueue(iteration: number, bytes: Uint8Array): FileDigest {
    return this.#write(iteration, "queue.bin", bytes);
  }

  /** Digests of those of an iteration's logs that are there. */
  async digestLogs(iteration: number, names: readonly IterationLog[]): Promise<FileDigest[]> {
    const paths = names.map((name) => join(this.dir, iterationLog(iteration, name)));
    return this.#digests(paths.filter((path) => existsSync(path)));
  }

  writeTable(records: readonly IterationRecord[]): void {
    this.#disk.replace(join(this.dir, TABLE_FILE), formatTable(records));
  }

  /** Saves the engine's weights as the iteration's checkpoint. */
  async saveCheckpoint(iteration: number, engine: Engine): Promise<CheckpointDigest> {
    const target = { folder: join(this.dir, checkpointFolder(iteration)), name: checkpointName(iteration) };
    return this.#save(target, engine, false);
  }

  /** Saves weights and optimizer after so many steps of the iteration's training, in place of an earlier such state. */
  async saveTrainingState(iteration: number, step: number, engine: Engine): Promise<void> {
    const parent = this.#trainingFolder(iteration);
    this.#disk.makeFolder(parent);
    const name = trainingStateName(step);
    const target = { folder: join(parent, name), name: `${checkpointName(iteration)}-step-${name}` };
    const state: TrainingState = { step, checkpoint: await this.#save(target, engine, true) };
    this.#disk.replace(join(parent, "state.json"), `${sealed(state)}\n`);
    for (const other of readdirSync(parent)) {
      if (other !== name && other !== "state.json") this.#disk.remove(join(parent, other));
    }
  }

  /** The last saved state of the iteration's training; null when there is none. */
  trainingState(iteration: number): TrainingState | null {
    return readSealedLog<TrainingState>(join(this.#trainingFolder(iteration), "state.json")).at(-1) ?? null;
  }

  /** Removes the states of the iteration's training, once its outcome is in the journal. */
  dropTrainingState(iteration: number): void {
    const folder = this.#trainingFolder(iteration);
    // Its name goes first: otherwise a state that is half-removed by a kill would still be found.
    this.#disk.remove(join(folder, "state.json"));
    this.#disk.remove(folder);
  }

  /**
   * Puts saved weights into the engine and proves that they arrived. Throws UserError when the checkpoint is not what
   * was saved.
   */
  async restore(digest: CheckpointDigest, engine: Engine): Promise<void> {
    const flaw = await this.flawOfCheckpoint(digest);
    if (flaw !== null) throw new UserError(`${flaw}. ${RESTORE}`);
    await engine.restore(this.#referenceOf(digest));
    const weights = await engine.checksum();
    if (weights !== digest.weights) {
      throw new Error(`after restoring ${placeOf(digest)}: expected weights ${digest.weights}, got ${weights}`);
    }
  }

  /** Removes all checkpoints but those of the given iterations. */
  retain(iterations: ReadonlySet<number>): void {
    const folder = join(this.dir, CHECKPOINTS_FOLDER);
    const kept = new Set([...iterations].map(checkpointName));
    for (const name of readdirSync(folder)) if (!kept.has(name)) this.#disk.remove(join(folder, name));
  }

  /** Closes all files and gives the lock back. */
  close(): void {
    for (const log of this.#logs) log.close();
    this.#logs.clear();
    this.journal.close();
    this.#release();
  }

  #iterationFolder(iteration: number): string {
    const folder = join(this.dir, iterationFolder(iteration));
    this.#disk.makeFolder(folder);
    return folder;
  }

  #trainingFolder(iteration: number): string {
    return join(this.#iterationFolder(iteration), "training");
  }

  #write(iteration: number, name: string, bytes: Uint8Array): FileDigest {
    const path = join(this.#iterationFolder(iteration), name);
    this.#disk.replace(path, bytes);
    return { path: this.#relative(path), bytes: bytes.length, sha256: sha256(bytes) };
  }

  /** A digest with the path of its folder made absolute. */
  #referenceOf({ weights, ...place }: CheckpointDigest): CheckpointRef {
    return "folder" in place ? { folder: join(this.dir, place.folder), weights } : { uri: place.uri, weights };
  }

  /**
   * Saves into a draft of the folder that is renamed once it is whole; an engine may keep its checkpoint elsewhere
   * instead.
   */
  async #save({ folder, name }: SaveTarget, engine: Engine, optimizer: boolean): Promise<CheckpointDigest> {
    const draft = `${folder}.tmp`;
    this.#disk.remove(draft);
    let saved: CheckpointRef;
    try {
      saved = await engine.save({ folder: draft, name }, { optimizer });
      if ("uri" in saved) return { uri: saved.uri, weights: saved.weights, files: [] };
      this.#disk.syncTree(draft);
      this.#disk.remove(folder);
      this.#disk.move(draft, folder);
    } catch (error) {
      // A full disk should not stay filled with drafts.
      if (error instanceof UserError) rmSync(draft, { recursive: true, force: true });
      throw error;
    }
    const files = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
    return {
      folder: this.#relative(folder),
      weights: saved.weights,
      files: await this.#digests(files.map((entry) => join(entry.parentPath, entry.name))),
    };
  }

  async #digests(paths: readonly string[]): Promise<FileDigest[]> {
    const digests: FileDigest[] = [];
    for (const path of paths.toSorted()) {
      digests.push({ path: this.#relative(path), bytes: statSync(path).size, sha256: await sha256OfFile(path) });
    }
    return digests;
  }

  #relative(path: string): string {
    return relative(this.dir, path).split(sep).join("/");
  }
}

interface Lock {
  readonly release: () => void;
  readonly deadOwner: Owner | null;
}

function lockOf(dir: string): Lock {
  let deadOwner: Owner | null = null;
  const release = takeLock(join(dir, LOCK_FILE), (owner) => {
    deadOwner = owner;
  });
  return { release, deadOwner };
}

/**
 * A folder that holds no run may be used: an empty one, or one that a start was killed in before its first journal
 * entry.
 */
function refuseOccupied(path: string): void {
  if (!existsSync(path)) return;
  if (!statSync(path).isDirectory()) throw new UserError(`expected a folder for the run, got the file ${path}`);
  const journal = join(path, JOURNAL_FILE);
  if (existsSync(journal) && statSync(journal).size > 0) {
    throw new UserError(
      `expected a new or empty run directory, got ${path}, which holds a run. Continue it: \`adastar resume ${path}\`; or choose another --run-dir.`,
    );
  }
  const own = /^(config\.yaml|journal\.jsonl|progress\.json|iterations|checkpoints|lock)(\..*)?$/;
  const foreign = readdirSync(path).find((name) => !own.test(name));
  if (foreign !== undefined) {
    throw new UserError(
      `expected a new or empty run directory, got ${path}, which holds ${foreign}; choose another --run-dir`,
    );
  }
}
