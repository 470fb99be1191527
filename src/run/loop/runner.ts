/**
 * A run: the base model's evaluation, then iterations of four phases (visit, train, evaluate, commit). Each phase
 * enters the journal once it is durable. A resumed run goes through the same lines: it takes from the journal what is
 * there, and continues the interrupted phase from its recorded draws, answers and steps.
 */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { commit } from "../../algorithm/iteration.js";
import type { EvaluationKind } from "../../algorithm/methods.js";
import { ObservationQueue } from "../../algorithm/observation-queue.js";
import { emptyQueue } from "../config/config.js";
import type { RunConfig } from "../config/fields.js";
import { addFlops, isBudgetSpent, iterationCosts, NO_FLOPS } from "../cost.js";
import { Disk } from "../directory/disk.js";
import {
  type EntryOf,
  type EvaluationResult,
  isFinished,
  type Journal,
  type JournalView,
  placeOf,
} from "../directory/journal.js";
import { EVALUATION_LOGS, TABLE_FILE } from "../directory/paths.js";
import { ProgressWriter } from "../directory/progress.js";
import { RunReader } from "../directory/reader.js";
import { configFileLags } from "../directory/run-config.js";
import { RunStore } from "../directory/store.js";
import { committedRecords, summarize } from "../directory/summary.js";
import type { FlopsByPurpose, IterationRecord, Listener, RunEvent, RunSummary } from "../events.js";
import { type Listeners, tee } from "../listeners.js";
import { isStop, type RunContext, type RunOptions, type RunParts, stopIfAsked } from "./context.js";
import { evaluate } from "./evaluation.js";
import { openParts } from "./open-parts.js";
import { refuseNothingLearned, regressionNotice } from "./progress-checks.js";
import { type Flaw, findFlaws, mixed, repair } from "./repair.js";
import { tidy } from "./retention.js";
import { changedConfig, noticesOf, openJournal, refuseFewerIterations } from "./session.js";
import { trainOn, trainOnNothing } from "./training.js";
import { keptLines, type Visited, visitObservations } from "./visiting.js";
import { canaryOfTrained, proveWeights } from "./weights.js";

/**
 * Starts a run in a new directory and follows it to its end, or until `options.signal` is aborted. Events go to all
 * listeners; none of them can end the run. Throws UserError for input that cannot work, before anything is spent or
 * written wherever that can be known.
 */
export async function startRun(config: RunConfig, listeners: Listeners, options: RunOptions = {}): Promise<RunSummary> {
  const parts = await openParts(config, options);
  try {
    const dir = config.runDir ?? freeRunDir(parts);
    const store = RunStore.create(dir, { ...parts.config, runDir: dir }, new Disk(options.onDiskStep));
    return await within(store, () =>
      followed(dir, tee(listeners), (emit) => execute({ ...parts, store, emit, signal: options.signal })),
    );
  } finally {
    await parts.close();
  }
}

export interface ResumeOptions extends RunOptions {
  /** Settings that change from now on: budget, places and means (`adastar resume --help` lists them). */
  readonly settings?: Partial<RunConfig>;
}

/**
 * Resumes the run in `dir` where it stopped, for whatever reason. If the run is finished and undamaged, returns its
 * summary at once. Throws UserError if directory, settings, data or model are not those of the run.
 */
export async function resumeRun(dir: string, listeners: Listeners, options: ResumeOptions = {}): Promise<RunSummary> {
  const emit = tee(listeners);
  const changes = options.settings ?? {};
  const finished = Object.keys(changes).length === 0 ? await finishedRun(dir) : null;
  if (finished !== null) return replaySummary(finished, finished.config, emit);
  const store = RunStore.open(dir, new Disk(options.onDiskStep));
  return within(store, async () => {
    const config = changedConfig(store.config(), changes);
    refuseFewerIterations(store, changes);
    const flaws = await findFlaws(store, config);
    const { entries } = store.journal;
    if (isFinished(entries) && flaws.length === 0 && Object.keys(changes).length === 0) {
      store.writeTable(committedRecords(entries));
      return replaySummary(store, config, emit);
    }
    await options.engine?.reset();
    const parts = await openParts(config, options);
    try {
      return await followed(store.dir, emit, (noted) =>
        execute({ ...parts, store, emit: noted, signal: options.signal }, { changes, flaws }),
      );
    } finally {
      await parts.close();
    }
  });
}

/** The run in `dir` if nothing is left to do and nothing to repair. Only reads, so the folder may be read-only. */
async function finishedRun(dir: string): Promise<RunReader | null> {
  const run = RunReader.open(dir);
  if (!isFinished(run.entries) || !run.has(TABLE_FILE)) return null;
  const complete = !configFileLags(run.entries, run.config, run.dir);
  return complete && (await findFlaws(run, run.config)).length === 0 ? run : null;
}

/** Keeps progress.json up to date during a session. @param emit gets every event as well */
async function followed<T>(dir: string, emit: Listener, session: (emit: Listener) => Promise<T>): Promise<T> {
  const progress = new ProgressWriter(dir);
  try {
    const outcome = await session(tee([progress.listen, emit]));
    progress.close();
    return outcome;
  } catch (error) {
    progress.close({ error });
    throw error;
  }
}

/** What is known when a run is resumed. */
interface Resumption {
  readonly changes: Partial<RunConfig>;
  readonly flaws: readonly Flaw[];
}

async function execute(run: RunContext, resumption?: Resumption): Promise<RunSummary> {
  const { store, config, emit } = run;
  const notices = [...noticesOf(store), ...(run.task.notices ?? []), ...run.prompts.notices];
  await openJournal(run, resumption?.changes ?? {});
  emit({ kind: "started", runDir: store.dir, resumed: resumption !== undefined, ...outline(run) });
  for (const text of notices) emit({ kind: "notice", text });
  try {
    await repair(run, resumption?.flaws ?? []);
    const queue = await restore(run);
    const base = await evaluatePhase(run, 0);
    emit(baseEvent(base));
    for (let t = 1; ; t++) {
      const records = committedRecords(store.journal.entries).slice(0, t - 1);
      refuseNothingLearned(records, run.method);
      const reason = stopReason(config, base.result.accuracy, records);
      if (reason !== null) return finish(run, reason);
      const record = store.journal.find("committed", t)?.record ?? (await iterate(run, queue, t));
      emit({ kind: "iteration", record });
      const regression = regressionNotice(base.result.accuracy, committedRecords(store.journal.entries).slice(0, t));
      if (regression !== null) emit({ kind: "notice", text: regression });
    }
  } catch (error) {
    if (!isStop(error, run)) throw error;
    return conclude(store, config, emit, "interrupted");
  }
}

/** Iteration t of Algorithm 1. */
async function iterate(run: RunContext, queue: ObservationQueue, t: number): Promise<IterationRecord> {
  const visited = await visitPhase(run, queue, t);
  const trained = await trainPhase(run, t, visited);
  const evaluated = await evaluatePhase(run, t);
  return commitPhase(run, queue, t, { visited, trained, evaluated });
}

/** Phase 1, steps 1 and 2 of Algorithm 1: D₊. A resumed run repeats it from the recorded draws, which costs nothing. */
async function visitPhase(
  run: RunContext,
  queue: ObservationQueue,
  t: number,
): Promise<Visited & { readonly seconds: number }> {
  const { store, emit } = run;
  const clock = stopwatch();
  const visited = await visitObservations(run, queue, t);
  const { visit, result } = visited;
  const before = store.journal.find("visited", t);
  if (before !== undefined) {
    if (JSON.stringify(before.result) !== JSON.stringify(result)) throw mixed(store, t);
    if (store.writeKept(t, keptLines(visit)).sha256 !== before.kept.sha256) throw mixed(store, t);
    return { ...visited, seconds: before.seconds };
  }
  if (visit.exhausted) {
    emit({
      kind: "notice",
      text: `iteration ${t}: all ${result.visited} observations are visited, and ${result.kept} samples are correct, not ${result.target}`,
    });
  }
  const kept = store.writeKept(t, keptLines(visit));
  const logs = await store.digestLogs(t, ["samples", "probes"]);
  const seconds = clock();
  store.journal.append({ kind: "visited", iteration: t, result, kept, logs, seconds });
  return { ...visited, seconds };
}

/** Phase 2, step 3 of Algorithm 1: the next model. */
async function trainPhase(run: RunContext, t: number, { visit }: Visited): Promise<EntryOf<"trained">> {
  const { store, engine } = run;
  const before = store.journal.find("trained", t);
  if (before !== undefined) return before;
  stopIfAsked(run);
  const clock = stopwatch();
  const result = visit.kept.length === 0 ? await trainOnNothing(run, t) : await trainOn(run, t, visit.kept);
  const canary = await canaryOfTrained(run, t, modelBefore(store.journal, t));
  const checkpoint = await store.saveCheckpoint(t, engine);
  const logs = await store.digestLogs(t, ["training"]);
  return store.journal.append({
    kind: "trained",
    iteration: t,
    result,
    checkpoint,
    canary,
    logs,
    seconds: clock(),
  });
}

/** Phase 3: test accuracy of iteration t's model; 0 is the base model. */
async function evaluatePhase(run: RunContext, t: number): Promise<EntryOf<"evaluated">> {
  const { store } = run;
  const { journal } = store;
  const before = journal.find("evaluated", t);
  if (before !== undefined) return before;
  const clock = stopwatch();
  const [first, ...others] = run.method.evaluations;
  const result = await evaluate(run, t, first);
  const further: Partial<Record<EvaluationKind, EvaluationResult>> = {};
  for (const kind of others) further[kind] = await evaluate(run, t, kind);
  const logs = await store.digestLogs(t, Object.values(EVALUATION_LOGS));
  const event = { kind: "evaluated", iteration: t, result, logs, seconds: clock() } as const;
  return journal.append(others.length === 0 ? event : { ...event, further });
}

interface Phases {
  readonly visited: Visited & { readonly seconds: number };
  readonly trained: EntryOf<"trained">;
  readonly evaluated: EntryOf<"evaluated">;
}

/** Phase 4, step 4 of Algorithm 1: the queue, and with it the iteration, is done. */
async function commitPhase(
  run: RunContext,
  queue: ObservationQueue,
  t: number,
  phases: Phases,
): Promise<IterationRecord> {
  const { store, method, config } = run;
  const popped = commit(queue, phases.visited.visit, method, config.curriculumPower);
  const previous = committedRecords(store.journal.entries).at(-1)?.cumulativeFlops ?? NO_FLOPS;
  const record = recordOf(t, phases, { popped, queue }, previous, method.evaluations[0]);
  const digest = store.writeQueue(t, queue.serialize());
  store.journal.append({ kind: "committed", iteration: t, record, queue: digest });
  tidy(run);
  return record;
}

function recordOf(
  t: number,
  { visited, trained, evaluated }: Phases,
  { popped, queue }: { readonly popped: number; readonly queue: ObservationQueue },
  previous: FlopsByPurpose,
  firstEvaluation: EvaluationKind,
): IterationRecord {
  const { target, solved, alpha, kept, wrongSteps, temperature, sampledTokens, flops: sampling } = visited.result;
  const flops = { ...sampling, training: trained.result.flops, total: sampling.sampling + trained.result.flops };
  return {
    iteration: t,
    target,
    visited: visited.result.visited,
    solved,
    alpha,
    popped,
    ...(queue.everVisited === null ? {} : { everVisited: queue.everVisited, observations: queue.size }),
    kept,
    steps: trained.result.steps,
    loss: trained.result.loss,
    testAccuracy: evaluated.result.accuracy,
    accuracies: {
      [firstEvaluation]: evaluated.result.accuracy,
      ...Object.fromEntries(Object.entries(evaluated.further ?? {}).map(([kind, { accuracy }]) => [kind, accuracy])),
    },
    testFinished: evaluated.result.finished,
    wrongSteps,
    temperature,
    sampledTokens,
    trainedTokens: trained.result.tokens,
    flops,
    cumulativeFlops: addFlops(previous, flops),
    seconds: { visit: visited.seconds, train: trained.seconds, evaluate: evaluated.seconds },
  };
}

/**
 * Why no iteration follows `records`, or null if one does. Depends on recorded figures only, so a resumed run stops
 * where an uninterrupted one does.
 */
function stopReason(config: RunConfig, baseAccuracy: number, records: readonly IterationRecord[]): string | null {
  const last = records.at(-1);
  if (records.length >= config.iterations) return "iterations";
  if (config.targetAccuracy !== null && (last?.testAccuracy ?? baseAccuracy) >= config.targetAccuracy)
    return "targetAccuracy";
  if (isBudgetSpent(config.maxFlops, iterationCosts(records))) return "maxFlops";
  return null;
}

function finish({ store, config, emit }: RunContext, reason: string): RunSummary {
  if (!isFinished(store.journal.entries)) store.journal.append({ kind: "finished", reason });
  return conclude(store, config, emit, "done");
}

/**
 * Puts the latest model into the engine, proves that it is there, and returns the queue as the last finished iteration
 * left it.
 */
async function restore(run: RunContext): Promise<ObservationQueue> {
  const { store, engine, method, train } = run;
  const { journal } = store;
  const trained = journal.find("trained");
  if (trained !== undefined) await store.restore(trained.checkpoint, engine);
  const model = modelBefore(journal, (trained?.iteration ?? 0) + 1);
  await proveWeights(run, model, trained === undefined ? "the base model" : placeOf(trained.checkpoint));
  const committed = journal.find("committed");
  if (committed === undefined) return emptyQueue(run.config, method, train.length);
  const queue = ObservationQueue.restore(store.read(committed.queue));
  tidy(run);
  return queue;
}

/** Weights and canary of the model that iteration t samples from. */
function modelBefore(journal: Journal, t: number): { readonly weights: string; readonly canary: readonly number[] } {
  const trained = journal.find("trained", t - 1);
  if (trained !== undefined) return { weights: trained.checkpoint.weights, canary: trained.canary };
  return journal.find("opened") as EntryOf<"opened">;
}

/** A run, open for writing or only read. */
interface JournaledRun {
  readonly dir: string;
  readonly journal: JournalView;
}

function replaySummary(store: JournaledRun, config: RunConfig, emit: Listener): RunSummary {
  const base = store.journal.find("evaluated", 0);
  if (base !== undefined) emit(baseEvent(base));
  for (const record of committedRecords(store.journal.entries)) emit({ kind: "iteration", record });
  return conclude(store, config, emit, "done");
}

function conclude(store: JournaledRun, config: RunConfig, emit: Listener, status: RunSummary["status"]): RunSummary {
  const summary = summarize(store.dir, config, store.journal.entries, status);
  emit({ kind: "finished", summary });
  return summary;
}

function outline({ config, method, task, train, test, engine }: RunParts) {
  return {
    task: task.name,
    method: method.name,
    seed: config.seed,
    iterations: config.iterations,
    model: engine.model,
    observations: train.length,
    testObservations: test.length,
    exampleQuestion: test[0].question,
  };
}

function baseEvent({ result, seconds }: EntryOf<"evaluated">): RunEvent {
  return { kind: "base", testAccuracy: result.accuracy, testFinished: result.finished, seconds };
}

/** A folder under ./runs that does not exist. */
function freeRunDir({ task, config }: RunParts): string {
  const name = resolve("runs", `${task.name}-${config.method}-seed${config.seed}`);
  for (let n = 1; ; n++) {
    const dir = n === 1 ? name : `${name}-${n}`;
    if (!existsSync(dir)) return dir;
  }
}

/** Runs `action` and closes the store, whatever happens. */
async function within<T>(store: RunStore, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } finally {
    store.close();
  }
}

/** Returns a function that gives the seconds since now. */
function stopwatch(): () => number {
  const start = performance.now();
  return () => (performance.now() - start) / 1000;
}
