/**
 * Runs of several methods and seeds in one folder: those that went far enough are reused, others are continued, the
 * rest is started. A run's folder is named after everything that determines it but for how far it goes, so a comparison
 * that is asked for again with other settings never mistakes one run for another, and a larger budget continues the
 * runs of a smaller one.
 *
 *     runs/adastar-seed1-9ae0f1c2/   a run directory
 *     configs/adastar-seed1-9ae0f1c2.yaml
 */

import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { METHODS } from "../algorithm/methods.js";
import { messageOf, UserError } from "../errors.js";
import { formatConfig, loadConfig, type ResolvedConfig } from "../run/config/config.js";
import type { RunConfig } from "../run/config/fields.js";
import { refuseFlagsWithoutUse } from "../run/config/ineffective.js";
import { isBudgetSpent, iterationCosts } from "../run/cost.js";
import { findEntry } from "../run/directory/journal.js";
import { readRun } from "../run/directory/reader.js";
import type { RunSummary } from "../run/events.js";
import { BUDGET_KEYS, differingPart, settingsDigest } from "../run/identity.js";
import { inParallel } from "../workers.js";
import { type ComparedRun, comparedRuns } from "./compared-runs.js";

export interface ComparisonRequest {
  /** Names of methods; `all` stands for every one. */
  readonly methods: readonly string[];
  readonly seeds: readonly number[];
  /** Folder of the comparison. */
  readonly out: string;
  /** Settings of every run, such as flags give them. */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** Path of a YAML file with settings of every run. */
  readonly file?: string | undefined;
  /** Where relative paths in `flags` start; by default the working directory. */
  readonly folder?: string;
}

/** One run of a comparison. */
export interface PlannedRun {
  /** Also its folder's name. */
  readonly name: string;
  readonly method: string;
  readonly config: RunConfig & { readonly runDir: string };
  /** YAML file with the same configuration. */
  readonly configFile: string;
}

/** With a budget of FLOPs and no number of iterations, the budget alone ends a run. */
const UNTIL_BUDGET = 1_000;

/** The settings of every method of a comparison and where they come from. */
function comparedConfigs({ methods, flags, file, folder }: ComparisonRequest): ResolvedConfig[] {
  const names = methods.includes("all") ? Object.keys(METHODS) : [...new Set(methods)];
  return names.map((method) =>
    loadConfig({
      flags: { ...flags, method },
      ...(file === undefined ? {} : { file }),
      ...(folder === undefined ? {} : { folder }),
    }),
  );
}

/**
 * What runs there will be, checked as far as that goes without data and model. Throws UserError for what cannot work.
 */
export function planComparison(request: ComparisonRequest): PlannedRun[] {
  const configs = comparedConfigs(request);
  const seeds = [...new Set(request.seeds)];
  if (configs.length === 0) throw new UserError("expected at least one method to compare, got none");
  if (seeds.length === 0) throw new UserError("expected at least one seed, got none");
  refuseFlagsWithoutUse(configs);
  const out = resolve(request.out);
  return configs.flatMap(({ config, origins }) => {
    const settings: RunConfig = {
      ...config,
      ...(config.maxFlops !== null && !isStated(origins.iterations) ? { iterations: UNTIL_BUDGET } : {}),
      // Many runs' models would fill the disk, and a comparison reads none of them.
      ...(isStated(origins.keepCheckpoints) ? {} : { keepCheckpoints: "last" }),
    };
    return seeds.map((seed) => planned(out, config.method, { ...settings, seed }));
  });
}

function isStated(origin: string): boolean {
  return origin !== "default" && !origin.startsWith("task ") && !origin.startsWith("preset ");
}

function planned(out: string, method: string, config: RunConfig): PlannedRun {
  const name = `${method}-seed${config.seed}-${settingsDigest(config)}`;
  const runDir = join(out, "runs", name);
  return { name, method, config: { ...config, runDir }, configFile: join(out, "configs", `${name}.yaml`) };
}

/** Where a planned run stands. `started`: it is continued, with the changed parts of the budget. */
export type RunState =
  | { readonly kind: "missing" | "finished" }
  | { readonly kind: "started"; readonly changed: Partial<RunConfig> };

export function stateOf({ config }: PlannedRun): RunState {
  const journal = join(config.runDir, "journal.jsonl");
  if (!existsSync(journal) || statSync(journal).size === 0) return { kind: "missing" };
  const { config: begun, records, summary } = readRun(config.runDir);
  const changed = Object.fromEntries(
    BUDGET_KEYS.filter((key) => begun[key] !== config[key]).map((key) => [key, config[key]]),
  );
  const farEnough = records.length >= config.iterations || isBudgetSpent(config.maxFlops, iterationCosts(records));
  // Within the same budget a run may also have ended by its target accuracy.
  const over = summary.status === "done" && Object.keys(changed).length === 0;
  return farEnough || over ? { kind: "finished" } : { kind: "started", changed };
}

/** Starts the run, or continues it where `resume` says what changes (often nothing); rejects if it fails. */
export type Launch = (
  run: PlannedRun,
  resume: Partial<RunConfig> | null,
  signal: AbortSignal,
) => Promise<Pick<RunSummary, "status">>;

export type ComparisonEvent =
  | { readonly kind: "planned"; readonly runs: number; readonly reused: number; readonly resumed: number }
  | { readonly kind: "started"; readonly run: string; readonly resumed: boolean }
  | {
      readonly kind: "ended";
      readonly run: string;
      readonly done: number;
      readonly total: number;
      readonly seconds: number;
      /**
       * Expected, of the runs that are left, from those that ended since the comparison was started; 0 after the last.
       */
      readonly secondsLeft: number;
    }
  | { readonly kind: "failed"; readonly run: string; readonly reason: string };

export interface FailedRun {
  readonly run: string;
  readonly method: string;
  readonly seed: number;
  readonly reason: string;
}

export interface ComparisonRuns {
  /** Runs that came to their end, in the order planned. */
  readonly finished: readonly PlannedRun[];
  readonly failed: readonly FailedRun[];
  /** Runs that have not come to their end: the comparison was interrupted. */
  readonly missing: readonly PlannedRun[];
  /** Stopped by the signal; asking for the same comparison again continues it. */
  readonly interrupted: boolean;
}

/** Brings every run to its end, `jobs` at a time. A failed run is reported; the others continue. */
export async function runComparison(
  plan: readonly PlannedRun[],
  launch: Launch,
  {
    jobs,
    signal,
    listener,
  }: { readonly jobs: number; readonly signal: AbortSignal; readonly listener: (event: ComparisonEvent) => void },
): Promise<ComparisonRuns> {
  const failed: FailedRun[] = [];
  const fail = (run: PlannedRun, reason: string) => {
    failed.push(failureOf(run, reason));
    listener({ kind: "failed", run: run.name, reason });
  };
  const states = new Map<PlannedRun, RunState>();
  for (const run of plan) {
    try {
      states.set(run, stateOf(run));
    } catch (error) {
      fail(run, messageOf(error));
    }
  }
  const count = (kind: RunState["kind"]) => [...states.values()].filter((state) => state.kind === kind).length;
  listener({ kind: "planned", runs: plan.length, reused: count("finished"), resumed: count("started") });
  const waiting = [...states].flatMap(([run, { kind }]) => (kind === "finished" ? [] : [run]));
  const finished = new Set([...states].flatMap(([run, { kind }]) => (kind === "finished" ? [run] : [])));
  let broken = 0;
  const begun = performance.now();
  let ended = 0;
  await inParallel(waiting, jobs, undefined, async (run) => {
    if (signal.aborted) return;
    const state = states.get(run);
    const resume = state?.kind === "started" ? state.changed : null;
    const started = performance.now();
    listener({ kind: "started", run: run.name, resumed: resume !== null });
    try {
      mkdirSync(join(run.configFile, ".."), { recursive: true });
      writeFileSync(run.configFile, formatConfig(run.config));
      const { status } = await launch(run, resume, signal);
      if (status !== "done") return;
      finished.add(run);
      ended++;
      const now = performance.now();
      const left = waiting.length - ended - broken;
      listener({
        kind: "ended",
        run: run.name,
        done: finished.size,
        total: plan.length,
        seconds: (now - started) / 1000,
        secondsLeft: ((now - begun) / 1000 / ended) * left,
      });
    } catch (error) {
      if (signal.aborted) return;
      broken++;
      fail(run, messageOf(error));
    }
  });
  for (const { run, unlike } of onOtherGround([...finished])) {
    finished.delete(run);
    fail(
      run,
      `it began with ${unlike.what} than ${unlike.of}, though all settings are the same: files were changed in between. Restore them, or move ${run.config.runDir} away and it is run anew`,
    );
  }
  const missing = plan.filter((run) => !finished.has(run) && !failed.some(({ run: name }) => name === run.name));
  return { finished: plan.filter((run) => finished.has(run)), failed, missing, interrupted: signal.aborted };
}

function failureOf({ name, method, config }: PlannedRun, reason: string): FailedRun {
  return { run: name, method, seed: config.seed, reason };
}

/** Results of the finished runs, and the runs whose logs cannot be read any more. */
export function readFinished(finished: readonly PlannedRun[]): {
  readonly runs: readonly ComparedRun[];
  readonly failed: readonly FailedRun[];
} {
  const failed: FailedRun[] = [];
  const runs = finished.flatMap((run) => {
    try {
      return comparedRuns(run.config.runDir, run.method, run.config.iterations);
    } catch (error) {
      failed.push(failureOf(run, messageOf(error)));
      return [];
    }
  });
  return { runs, failed };
}

/**
 * Runs that began with other observations or another base model than the one that began last, by content: a folder's
 * name only says where they lie. In a chat model's form the digest of the data covers the method's prompts, so there
 * only runs of one method are held against each other.
 */
export function onOtherGround(runs: readonly PlannedRun[]) {
  const begun = runs.flatMap((run) => {
    const opened = findEntry(readRun(run.config.runDir).entries, "opened");
    return opened === undefined ? [] : [{ run, opened }];
  });
  const latest = begun.toSorted((a, b) => b.opened.time.localeCompare(a.opened.time));
  return begun.flatMap(({ run, opened }) => {
    const reference = latest.find(({ run: other }) => !run.config.chat || other.method === run.method);
    if (reference === undefined) return [];
    const differing = differingPart(reference.opened, opened);
    if (differing === null) return [];
    const what = differing === "data" ? "other observations or prompts" : "another base model";
    return [{ run, unlike: { what, of: reference.run.name } }];
  });
}
