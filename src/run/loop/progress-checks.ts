/**
 * Whether a run gets anywhere. All checks depend on recorded figures only, so a resumed run comes to the same result.
 */

import type { Method } from "../../algorithm/methods.js";
import { UserError } from "../../errors.js";
import type { VerifiedSample } from "../directory/records.js";
import type { IterationRecord } from "../events.js";

/** After so many iterations in a row without a correct sample, or below the base model, something is wrong. */
const PATIENCE = 2;

/** So many failures without one verdict are no accident. */
const MIN_FAILURES = 16;

/** Throws UserError if the latest iterations had no correct sample, so that there was nothing to train on. */
export function refuseNothingLearned(records: readonly IterationRecord[], method: Method): void {
  const latest = records.slice(-PATIENCE);
  if (method.completions !== "sampled" || latest.length < PATIENCE || latest.some(({ kept }) => kept > 0)) return;
  const visited = latest.map(({ visited }) => visited).join(" and ");
  throw new UserError(
    `expected correct samples to train on, got none in the last ${PATIENCE} iterations (${visited} observations visited). ` +
      "Look at the outputs (`adastar audit DIR`). Then try --max-tokens if outputs are cut, --accept lenient or " +
      "worked examples (--exemplars FILE) if answers are not in the expected form, --chat for a chat model, --tries 8, " +
      "--rationalize, easier questions or a stronger model",
  );
}

/** A remark when the accuracy has just been below the base model's for the second time in a row; else null. */
export function regressionNotice(base: number, records: readonly IterationRecord[]): string | null {
  const below = records.slice(-PATIENCE - 1).map(({ testAccuracy }) => testAccuracy < base);
  const reported = below.length > PATIENCE && below[0];
  if (below.length < PATIENCE || reported || !below.slice(-PATIENCE).every(Boolean)) return null;
  const accuracies = records.slice(-PATIENCE).map(({ testAccuracy }) => percent(testAccuracy));
  return (
    `test accuracy is below the base model's ${percent(base)} for the second time in a row (${accuracies.join(", ")}): ` +
    "training may do harm. Try a lower --learning-rate, fewer --steps, or --accept strict"
  );
}

/** Throws UserError if a verifier fails on every answer of a model, because its verdicts then say nothing. */
export function refuseFailingVerifier(answers: readonly VerifiedSample[], total: number): void {
  if (answers.length < Math.min(MIN_FAILURES, total)) return;
  const failures = answers.flatMap(({ failure }) => failure ?? []);
  if (failures.length < answers.length) return;
  throw new UserError(
    `expected verdicts of the verifier, got a failure on each of the first ${answers.length} answers. ` +
      `The first one: ${failures[0]}. Fix the verifier and start a new run; \`adastar grade\` tests it on outputs`,
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
