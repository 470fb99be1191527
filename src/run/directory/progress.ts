/**
 * progress.json: what a run is doing right now, for whoever looks at its directory. One sealed line, replaced as a
 * whole and at most twice a second. Nothing depends on it: a resume never reads it, a run continues if it cannot be
 * written, and a kill leaves it as it was.
 */

import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { messageOf } from "../../errors.js";
import type { RunEvent } from "../events.js";
import { PROGRESS_FILE } from "./paths.js";
import type { VerifiedSample } from "./records.js";
import { sealed, unsealedBytes } from "./sealed-log.js";

const FORMAT = 1;
/** Least time between two writes, in milliseconds. */
const INTERVAL = 500;
/** So many of the last outputs are shown, each cut to so many characters. */
const MAX_OUTPUTS = 4;
const MAX_OUTPUT_LENGTH = 1_000;

const number = z.number();
const count = z.int().nonnegative();
const correctness = z.enum(["correct", "wrong", "none"]);
const figures = { tokens: count, seconds: number };
/** Nothing that is not finite is in a file of JSON; a reader gets null. */
const measured = number.nullable();

const schema = z.object({
  format: z.literal(FORMAT),
  pid: count,
  host: z.string(),
  /** When this session began, and when the file was written; ISO 8601. */
  startedAt: z.string(),
  updatedAt: z.string(),
  /** What this session does, or how it ended. `running` in a file whose process is gone: it was killed. */
  state: z.enum(["running", "finished", "interrupted", "failed"]),
  /** Why it failed. */
  error: z.string().nullable(),
  task: z.string().nullable(),
  method: z.string().nullable(),
  model: z.string().nullable(),
  observations: count.nullable(),
  testObservations: count.nullable(),
  /** T: iterations planned. */
  iterations: count.nullable(),
  resumed: z.boolean(),
  /** t; 0 while the base model is tested. */
  iteration: count,
  phase: z.enum(["opening", "visiting", "training", "evaluating"]),
  phaseStartedAt: z.string(),
  /** Figures of iteration t, as far as it came in this session. */
  visiting: z.object({ visited: count, correct: count, target: count.nullable(), ...figures }).nullable(),
  training: z
    .object({ step: count, steps: count, loss: measured, learningRate: measured, gradientNorm: measured, ...figures })
    .nullable(),
  evaluating: z.object({ done: count, total: count, verified: count, correct: count, ...figures }).nullable(),
  /** The last outputs, oldest first, of draws or of answers to the test set. */
  outputs: z.array(
    z.object({
      iteration: count,
      split: z.enum(["train", "test"]),
      observation: count,
      id: z.string(),
      gold: z.string(),
      /** Its beginning, where it is long. */
      text: z.string(),
      extracted: z.string().nullable(),
      strict: correctness,
      lenient: correctness,
      correct: z.boolean(),
    }),
  ),
});

export type Progress = Readonly<z.infer<typeof schema>>;
type Output = Progress["outputs"][number];

/** What progress.json of the run in `dir` says; null where there is none that can be read. Never throws. */
export function readProgress(dir: string): Progress | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(dir, PROGRESS_FILE));
  } catch {
    return null;
  }
  const end = bytes.indexOf(10);
  const record = end < 0 ? null : unsealedBytes(bytes.subarray(0, end));
  return schema.safeParse(record).data ?? null;
}

/**
 * Writes progress.json from a run's events. Make it while the run's lock is held, and close it before the lock is given
 * back.
 */
export class ProgressWriter {
  readonly #path: string;
  #progress: Progress;
  #written = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;

  constructor(dir: string) {
    this.#path = join(dir, PROGRESS_FILE);
    const now = new Date().toISOString();
    this.#progress = {
      format: FORMAT,
      pid: process.pid,
      host: hostname(),
      startedAt: now,
      updatedAt: now,
      state: "running",
      error: null,
      task: null,
      method: null,
      model: null,
      observations: null,
      testObservations: null,
      iterations: null,
      resumed: false,
      iteration: 0,
      phase: "opening",
      phaseStartedAt: now,
      visiting: null,
      training: null,
      evaluating: null,
      outputs: [],
    };
  }

  /** Takes a run's event in; writes now or a moment later. Never throws. */
  readonly listen = (event: RunEvent): void => {
    this.#progress = advanced(this.#progress, event);
    const wait = this.#written + INTERVAL - performance.now();
    if (wait <= 0) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), wait).unref();
  };

  /** Writes how the session ended. @param failure what it ended by, where it did not end in order */
  close(failure?: { readonly error: unknown }): void {
    const { state } = this.#progress;
    if (failure !== undefined) this.#progress = { ...this.#progress, state: "failed", error: messageOf(failure.error) };
    else if (state === "running") this.#progress = { ...this.#progress, state: "interrupted" };
    this.#write();
  }

  #write(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#written = performance.now();
    this.#progress = { ...this.#progress, updatedAt: new Date().toISOString() };
    const draft = `${this.#path}.tmp`;
    try {
      writeFileSync(draft, `${sealed(this.#progress)}\n`);
      renameSync(draft, this.#path);
    } catch {
      // A full disk or a folder that is gone: the run itself will say so if it matters to it.
      removed(draft);
    }
  }
}

function removed(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It cannot be written, so it may be impossible to remove as well.
  }
}

function advanced(progress: Progress, event: RunEvent): Progress {
  switch (event.kind) {
    case "started": {
      const { task, method, model, observations, testObservations, iterations, resumed } = event;
      return { ...progress, task, method, model: model.name, observations, testObservations, iterations, resumed };
    }
    case "visiting": {
      const { visited, correct, target, tokens, seconds } = event;
      return { ...phaseOf(progress, event), visiting: { visited, correct, target, tokens, seconds } };
    }
    case "training": {
      const { step, steps, loss, learningRate, gradientNorm, tokens, seconds } = event;
      return {
        ...phaseOf(progress, event),
        training: { step, steps, loss, learningRate, gradientNorm, tokens, seconds },
      };
    }
    case "evaluating": {
      const { done, total, verified, correct, tokens, seconds } = event;
      return { ...phaseOf(progress, event), evaluating: { done, total, verified, correct, tokens, seconds } };
    }
    case "samples":
      return { ...progress, outputs: [...progress.outputs, ...lastOutputs(event)].slice(-MAX_OUTPUTS) };
    case "finished":
      return { ...progress, state: event.summary.status === "done" ? "finished" : "interrupted" };
    case "base":
    case "iteration":
    case "notice":
      return progress;
  }
}

/** The progress at an event's phase. Figures of an earlier iteration go. */
function phaseOf(progress: Progress, { kind, iteration }: Extract<RunEvent, { kind: Progress["phase"] }>): Progress {
  const fresh = iteration !== progress.iteration;
  if (!fresh && kind === progress.phase) return progress;
  const started = { iteration, phase: kind, phaseStartedAt: new Date().toISOString() };
  return fresh
    ? { ...progress, ...started, visiting: null, training: null, evaluating: null }
    : { ...progress, ...started };
}

function lastOutputs({ iteration, split, samples }: Extract<RunEvent, { kind: "samples" }>): Output[] {
  return samples.slice(-MAX_OUTPUTS).map(
    ({ observation, id, gold, text, extracted, strict, lenient, correct }: VerifiedSample): Output => ({
      iteration,
      split,
      observation,
      id,
      gold,
      text: text.slice(0, MAX_OUTPUT_LENGTH),
      extracted,
      strict,
      lenient,
      correct,
    }),
  );
}
