/**
 * Finds what is damaged in a run directory, and rebuilds what follows from the undamaged files: D₊ and queues from the
 * recorded draws, a model by training an earlier one again on the recorded D₊. The result must be what the journal
 * vouches for; otherwise nothing is changed.
 */

import { commit } from "../../algorithm/iteration.js";
import { ObservationQueue } from "../../algorithm/observation-queue.js";
import { UserError } from "../../errors.js";
import { emptyQueue } from "../config/config.js";
import type { RunConfig } from "../config/fields.js";
import {
  type CheckpointDigest,
  type EntryOf,
  type FileDigest,
  type JournalView,
  placeOf,
} from "../directory/journal.js";
import type { KeptSample } from "../directory/records.js";
import type { RunStore } from "../directory/store.js";
import { bestIteration, committedRecords } from "../directory/summary.js";
import type { VouchedFiles } from "../directory/vouched-files.js";
import type { RunContext } from "./context.js";
import { retrain } from "./training.js";
import { keptLines, visitObservations } from "./visiting.js";
import { proveWeights } from "./weights.js";

/** A file or model that is no longer what the journal vouches for. */
export interface Flaw {
  readonly part: "log" | "kept" | "queue" | "checkpoint";
  readonly iteration: number;
  /** Names the file and says what is wrong with it. */
  readonly text: string;
  /** Relative to the run directory. */
  readonly path: string;
}

/**
 * Compares the run directory with its journal, by size and SHA-256: every file of the iterations, the last model, and
 * the best one if `keepCheckpoints` asks for it. Reads only.
 */
export async function findFlaws(
  store: VouchedFiles & { readonly journal: JournalView },
  config: Pick<RunConfig, "keepCheckpoints">,
): Promise<Flaw[]> {
  const { journal } = store;
  const flaws: Flaw[] = [];
  const check = async (part: Flaw["part"], iteration: number, file: FileDigest) => {
    const text = await store.flawOf(file);
    if (text !== null) flaws.push({ part, iteration, text, path: file.path });
  };
  for (const entry of journal.entries) {
    if (!("iteration" in entry)) continue;
    const { iteration } = entry;
    // Until an iteration is trained, its samples are played back. That finds what is missing and draws it again.
    const settled = entry.kind !== "visited" || journal.find("trained", iteration) !== undefined;
    if ("logs" in entry && settled) for (const log of entry.logs) await check("log", iteration, log);
    if (entry.kind === "visited") await check("kept", iteration, entry.kept);
    if (entry.kind === "committed") await check("queue", iteration, entry.queue);
  }
  for (const { iteration, checkpoint } of neededModels(store, config)) {
    const text = await store.flawOfCheckpoint(checkpoint);
    if (text !== null) flaws.push({ part: "checkpoint", iteration, text, path: placeOf(checkpoint) });
  }
  return flaws;
}

/** The last model, from which the run continues, and the best, which its summary names; in their order. */
function neededModels(
  { journal }: { readonly journal: JournalView },
  { keepCheckpoints }: Pick<RunConfig, "keepCheckpoints">,
) {
  const best = bestIteration(committedRecords(journal.entries));
  const needed = new Set([keepCheckpoints === "last" ? undefined : best, journal.find("trained")?.iteration]);
  return [...needed]
    .flatMap((iteration) => (iteration === undefined ? [] : (journal.find("trained", iteration) ?? [])))
    .sort((a, b) => a.iteration - b.iteration);
}

/**
 * Repairs what can be repaired, with a notice for each. Afterwards the engine may hold any weights. For everything else
 * it throws UserError naming the file, before anything is changed.
 */
export async function repair(run: RunContext, flaws: readonly Flaw[]): Promise<void> {
  for (const flaw of flaws) if (flaw.part === "log") refuseOrLeave(run, flaw);
  const replayed = flaws.filter(({ part }) => part === "kept" || part === "queue");
  if (replayed.length > 0) await replay(run, replayed);
  for (const flaw of flaws) if (flaw.part === "checkpoint") await rebuild(run, flaw);
}

/** A missing log was removed on purpose. A damaged one is for the user to decide on. */
function refuseOrLeave({ store, emit }: RunContext, { text, path, iteration }: Flaw): void {
  if (!store.has(path)) {
    emit({ kind: "notice", text: `iteration ${iteration}: ${path} is gone; the run continues without it` });
    return;
  }
  throw new UserError(
    `${text}. Restore the file from a copy. Or delete it: the run then continues without it, unless it is needed to repair something else.`,
  );
}

/** Writes D₊ and queues of finished visits again, from their recorded draws. */
async function replay(run: RunContext, flaws: readonly Flaw[]): Promise<void> {
  const { store, method, config, emit } = run;
  const iterations = flaws.map(({ iteration }) => iteration);
  const first = Math.min(...iterations);
  const before = store.journal.find("committed", first - 1);
  // Queues of runs that began before visits were recorded have to come out as they were.
  const recordVisits = store.journal.find("committed", first)?.record.everVisited !== undefined;
  const queue =
    before === undefined
      ? emptyQueue(config, method, run.train.length, { recordVisits })
      : ObservationQueue.restore(store.read(before.queue));
  for (let t = first; t <= Math.max(...iterations); t++) {
    const vouched = store.journal.find("visited", t);
    const committed = store.journal.find("committed", t);
    // The unfinished iteration is played back later, when the run continues.
    if (vouched === undefined || committed === undefined) return;
    const { visit, result } = await visitObservations({ ...run, emit: () => {} }, queue, t);
    if (JSON.stringify(result) !== JSON.stringify(vouched.result)) throw mixed(store, t);
    commit(queue, visit, method, config.curriculumPower);
    const rewrite = (part: Flaw["part"], write: () => FileDigest, digest: FileDigest) => {
      const flaw = flaws.find((one) => one.part === part && one.iteration === t);
      if (flaw === undefined) return;
      if (write().sha256 !== digest.sha256) throw mixed(store, t);
      emit({ kind: "notice", text: `${flaw.text}; written again from the recorded samples` });
    };
    rewrite("kept", () => store.writeKept(t, keptLines(visit)), vouched.kept);
    rewrite("queue", () => store.writeQueue(t, queue.serialize()), committed.queue);
  }
}

/** The error for files that contradict each other although each is undamaged. */
export function mixed({ dir }: RunStore, iteration: number): UserError {
  return new UserError(
    `${dir}: the samples of iteration ${iteration} do not lead to what journal.jsonl says of its visit. Files of different runs are mixed; restore them from a copy.`,
  );
}

/**
 * Rebuilds a model: takes the nearest earlier undamaged one, or the base model, and trains it again on the recorded D₊.
 */
async function rebuild(run: RunContext, { iteration, text }: Flaw): Promise<void> {
  const { store, engine, emit } = run;
  if (!engine.capabilities.exactRestore) {
    throw new UserError(
      `${text}. The model cannot be made again: this engine does not repeat training exactly. Restore the checkpoint from a copy, or start a new run.`,
    );
  }
  const { from, chain } = await rebuildPlan(run, iteration);
  const source = from === null ? "the base model" : placeOf(from);
  emit({
    kind: "notice",
    text: `${text}; falling back to ${source} and training again on the recorded samples of ${chain.length === 1 ? "iteration" : "iterations"} ${chain.map((one) => one.iteration).join(", ")}`,
  });
  if (from === null) await engine.reset();
  else await store.restore(from, engine);
  for (const trained of chain) {
    const kept = keptOf(store, trained.iteration);
    if (kept.length > 0) await retrain(run, trained.iteration, kept);
    if ((await engine.checksum()) !== trained.checkpoint.weights) {
      throw new UserError(
        `${text}; training ${source} again gave other weights for iteration ${trained.iteration}. Restore ${placeOf(trained.checkpoint)} from a copy, ` +
          "or resume as the run began: on the same kind of machine, with the same --threads.",
      );
    }
  }
  const trained = chain.at(-1) as EntryOf<"trained">;
  await proveWeights(run, { weights: trained.checkpoint.weights, canary: trained.canary }, placeOf(trained.checkpoint));
  const saved = await store.saveCheckpoint(iteration, engine);
  if (JSON.stringify(saved) === JSON.stringify(trained.checkpoint)) return;
  const others = saved.files.filter((file, i) => file.sha256 !== trained.checkpoint.files[i]?.sha256);
  throw new UserError(
    `${text}; made again, it has the same weights and other ${others.map(({ path }) => path).join(", ")}. Restore the model's folder that the run began with, then resume.`,
  );
}

/** Which iterations to train again, in order, and the checkpoint to begin with; null means the base model. */
async function rebuildPlan(
  { store, method }: RunContext,
  iteration: number,
): Promise<{ readonly from: CheckpointDigest | null; readonly chain: readonly EntryOf<"trained">[] }> {
  const chain: EntryOf<"trained">[] = [];
  const base = store.journal.find("opened")?.weights;
  for (let t = iteration; t > 0; t--) {
    const trained = store.journal.find("trained", t);
    if (trained === undefined) break;
    if (t < iteration && (await store.flawOfCheckpoint(trained.checkpoint)) === null) {
      return { from: trained.checkpoint, chain };
    }
    chain.unshift(trained);
    // Its training began with the base model, or went back to it when there was nothing to train on. (Runs of
    // earlier versions kept the last model then.)
    const { result, checkpoint } = trained;
    if (method.start === "reset" && (result.steps > 0 || checkpoint.weights === base)) break;
  }
  return { from: null, chain };
}

function keptOf(store: RunStore, iteration: number): KeptSample[] {
  const visited = store.journal.find("visited", iteration);
  return visited === undefined ? [] : store.readRecords<KeptSample>(visited.kept);
}
