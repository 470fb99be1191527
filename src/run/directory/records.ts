/** Lines of an iteration's logs: their types, and the schemas that reading checks them by. */

import { z } from "zod";
import type { DrawnTry } from "../../algorithm/iteration.js";
import type { StopReason } from "../../engine/engine.js";
import { UserError } from "../../errors.js";
import type { Correctness } from "../../tasks/task.js";
import type { TapeRecord } from "./tape.js";

/** A sample and its verdict: a line of evaluation.jsonl, and most of one of samples.jsonl. */
export interface VerifiedSample extends TapeRecord {
  /** Index of the observation in its split. */
  readonly observation: number;
  readonly id: string;
  readonly gold: string;
  readonly tokens: readonly number[];
  readonly text: string;
  readonly stop: StopReason;
  readonly prefixTokens: number;
  readonly promptTokens: number;
  readonly generatedTokens: number;
  readonly strict: Correctness;
  readonly lenient: Correctness;
  readonly extracted: string | null;
  /** Why the user's own verifier reached no verdict; absent where it did. */
  readonly failure?: string;
  /** Ended, and correct by the run's `accept`. */
  readonly correct: boolean;
  /** Of a correct sample whose task checks steps: index of the first wrong step, null when all are right. */
  readonly wrongStep?: number | null;
}

/** A line of samples.jsonl. */
export interface DrawnSample extends VerifiedSample, DrawnTry {}

/** A line of probes.jsonl. */
export interface ProbeSample extends DrawnSample {
  readonly temperature: number;
}

/** A sample of D₊: a line of kept.jsonl. */
export type KeptSample = Pick<DrawnSample, "observation" | "id" | "attempt" | "hinted" | "tokens" | "text">;

/** An optimizer step: a line of training.jsonl. */
export interface StepRecord {
  /** 1 … steps */
  readonly step: number;
  readonly learningRate: number;
  /** Nats a token. */
  readonly loss: number;
  readonly gradientNorm: number;
  readonly tokens: number;
  readonly completionTokens: number;
  readonly flops: number;
}

const count = z.int().nonnegative();
const correctness = z.enum(["correct", "wrong", "none"]);
const text = z.string();

const verified = {
  wave: count,
  observation: count,
  id: text,
  gold: text,
  tokens: z.array(count),
  text,
  stop: z.enum(["end", "stop", "length"]),
  prefixTokens: count,
  promptTokens: count,
  generatedTokens: count,
  strict: correctness,
  lenient: correctness,
  extracted: text.nullable(),
  failure: text.exactOptional(),
  correct: z.boolean(),
  wrongStep: count.nullable().exactOptional(),
};
const drawn = { ...verified, attempt: count, hinted: z.boolean() };

export const verifiedSchema: z.ZodType<VerifiedSample> = z.looseObject(verified);
export const drawnSchema: z.ZodType<DrawnSample> = z.looseObject(drawn);
export const keptSchema: z.ZodType<KeptSample> = z.looseObject({
  observation: count,
  id: text,
  attempt: count,
  hinted: z.boolean(),
  tokens: z.array(count),
  text,
});
export const stepSchema: z.ZodType<StepRecord> = z.looseObject({
  step: count,
  learningRate: z.number(),
  loss: z.number(),
  gradientNorm: z.number(),
  tokens: count,
  completionTokens: count,
  flops: z.number(),
});

/** The record that a line carries. Throws UserError when it is not what the schema says. */
export function checked<T extends object>(schema: z.ZodType<T>, record: object, path: string, line: number): T {
  const parsed = schema.safeParse(record);
  if (!parsed.success) throw malformed(parsed.error, path, line);
  // The record as it was written: parsing would put its keys in another order.
  return record as T;
}

/**
 * A whole line whose content is not what the file holds: another version of the program wrote it, or another program.
 */
export function malformed(error: z.ZodError, path: string, line: number): UserError {
  const [issue] = error.issues;
  const where = issue.path.length === 0 ? "" : ` for ${issue.path.join(".")}`;
  return new UserError(
    `${path}: line ${line} is whole, but not what a run writes there${where}: ${issue.message}. ` +
      "It was written by another version of adastar, or belongs to something else.",
  );
}
