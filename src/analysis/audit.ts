/**
 * Verdicts on a run's samples, from its directory alone: where the two readings differ, and which samples got no
 * verdict.
 */

import type { EvaluationKind } from "../algorithm/methods.js";
import { UserError } from "../errors.js";
import type { RunConfig } from "../run/config/fields.js";
import { EVALUATION_LOGS } from "../run/directory/paths.js";
import { RunReader } from "../run/directory/reader.js";
import type { DrawnSample, VerifiedSample } from "../run/directory/records.js";

export type Split = "train" | "test";

export interface AuditOptions {
  /** Only this iteration; 0 is the base model's evaluation. */
  readonly iteration?: number | undefined;
  /** Only samples drawn for training, or answers to the test set. */
  readonly split?: Split | undefined;
}

/** The samples of one iteration and split in numbers. */
export interface AuditCounts {
  readonly iteration: number;
  readonly split: Split;
  /** How the test set was answered; null for training samples. */
  readonly evaluation: EvaluationKind | null;
  readonly samples: number;
  /** Finished and correct, by each reading. */
  readonly strict: number;
  readonly lenient: number;
  /** Finished, and the two readings differ. */
  readonly disagreements: number;
  /** Cut by the token limit: wrong, whatever they state. */
  readonly unfinished: number;
  /** Finished without an answer that either reading found. */
  readonly none: number;
  /** On which the user's own verifier came to no verdict. */
  readonly failures: number;
  /** Right by the run's `accept`, with a wrong step before; null where the task does not check steps. */
  readonly wrongSteps: number | null;
}

/** A sample worth a look. */
export interface AuditFinding {
  readonly kind: "disagreement" | "wrong step" | "failure";
  readonly iteration: number;
  readonly split: Split;
  readonly evaluation: EvaluationKind | null;
  readonly sample: VerifiedSample;
}

export interface Audit {
  readonly accept: RunConfig["accept"];
  readonly counts: readonly AuditCounts[];
  readonly findings: readonly AuditFinding[];
}

/** A log of an iteration, and whose samples are in it. */
interface Part {
  readonly split: Split;
  readonly evaluation: EvaluationKind | null;
}

const TRAINING: Part = { split: "train", evaluation: null };
const PARTS: readonly Part[] = [
  TRAINING,
  ...Object.keys(EVALUATION_LOGS).map((kind): Part => ({ split: "test", evaluation: kind as EvaluationKind })),
];

/**
 * Reads a run directory, whether the run is over or not, and writes nothing. Memory: the samples of one iteration, and
 * the findings. Throws UserError when there is no run, no such iteration, or a log is damaged.
 */
export function auditRun(dir: string, { iteration, split }: AuditOptions = {}): Audit {
  const run = RunReader.open(dir);
  const { accept } = run.config;
  const counts: AuditCounts[] = [];
  const findings: AuditFinding[] = [];
  for (const t of chosenIterations(run, iteration)) {
    for (const part of PARTS.filter((one) => split === undefined || one.split === split)) {
      const samples = readPart(run, t, part);
      if (samples.length === 0) continue;
      counts.push(countsOf(t, part, samples));
      findings.push(...samples.flatMap((sample) => findingOf(t, part, sample)));
    }
  }
  return { accept, counts, findings };
}

/**
 * Those that the run directory holds, in order, or the one that was asked for. Throws UserError when that is not there.
 */
export function chosenIterations(run: RunReader, iteration: number | undefined): readonly number[] {
  const { iterations, dir } = run;
  if (iteration === undefined) return iterations;
  if (iterations.includes(iteration)) return [iteration];
  const has = iterations.length === 0 ? "none" : iterations.join(", ");
  throw new UserError(`expected one of the iterations that ${dir} holds (${has}), got ${iteration}`);
}

function readPart(run: RunReader, iteration: number, { evaluation }: Part): readonly VerifiedSample[] {
  return [...(evaluation === null ? run.draws(iteration) : run.answers(iteration, evaluation))];
}

/** Whether a sample counted as correct under one reading. */
const right = (sample: VerifiedSample, reading: RunConfig["accept"]) =>
  finished(sample) && sample[reading] === "correct";

const finished = ({ stop }: VerifiedSample) => stop !== "length";

const disagrees = (sample: VerifiedSample) => finished(sample) && sample.strict !== sample.lenient;

const hasWrongStep = ({ wrongStep }: VerifiedSample) => typeof wrongStep === "number";

function countsOf(iteration: number, { split, evaluation }: Part, samples: readonly VerifiedSample[]): AuditCounts {
  const count = (holds: (sample: VerifiedSample) => boolean) => samples.filter(holds).length;
  const checksSteps = samples.some(({ wrongStep }) => wrongStep !== undefined);
  return {
    iteration,
    split,
    evaluation,
    samples: samples.length,
    strict: count((sample) => right(sample, "strict")),
    lenient: count((sample) => right(sample, "lenient")),
    disagreements: count(disagrees),
    unfinished: count((sample) => !finished(sample)),
    none: count((sample) => finished(sample) && sample.strict === "none" && sample.lenient === "none"),
    failures: count(({ failure }) => failure !== undefined),
    wrongSteps: checksSteps ? count(hasWrongStep) : null,
  };
}

function findingOf(iteration: number, { split, evaluation }: Part, sample: VerifiedSample): AuditFinding[] {
  const found = (kind: AuditFinding["kind"]) => [{ kind, iteration, split, evaluation, sample }];
  if (sample.failure !== undefined) return found("failure");
  if (disagrees(sample)) return found("disagreement");
  return hasWrongStep(sample) ? found("wrong step") : [];
}

/** Which try a training sample was; null for answers to the test set. */
export function attemptOf(sample: VerifiedSample): number | null {
  return "attempt" in sample ? (sample as DrawnSample).attempt : null;
}
