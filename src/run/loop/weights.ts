/**
 * Proves that sampling uses the weights that the journal names: a digest covers the weights that are kept, a canary
 * those that are used.
 */

import { UserError } from "../../errors.js";
import type { EntryOf } from "../directory/journal.js";
import type { RunContext } from "./context.js";

/** The engine's log-probabilities after the run's canary prompt, the first test question, with its present weights. */
export async function canaryOf({
  engine,
  prompts,
}: Pick<RunContext, "engine" | "prompts">): Promise<readonly number[]> {
  return engine.canary([...prompts.zeroShotPrefix, ...(prompts.test[0] ?? [])]);
}

/** Throws unless the engine holds these weights and samples from them. */
export async function proveWeights(
  run: Pick<RunContext, "engine" | "prompts">,
  { weights, canary }: { readonly weights: string; readonly canary: readonly number[] },
  what: string,
): Promise<void> {
  const { canaryTolerance } = run.engine.capabilities;
  const held = await run.engine.checksum();
  if (held !== weights) throw new Error(`${what}: expected the engine to hold weights ${weights}, got ${held}`);
  const found = await canaryOf(run);
  const agrees =
    found.length === canary.length && found.every((value, i) => Math.abs(value - canary[i]) <= canaryTolerance);
  if (agrees) return;
  throw new Error(
    `${what}: expected the engine to answer the canary prompt with ${canary.join(", ")}, got ${found.join(", ")}. It holds the right weights and samples from other ones.`,
  );
}

/**
 * The canary of weights that were just trained. Throws UserError if they are no longer finite, and Error if sampling
 * still answers as before training, with the weights `from`.
 */
export async function canaryOfTrained(
  run: Pick<RunContext, "engine" | "prompts">,
  iteration: number,
  from: Pick<EntryOf<"opened">, "weights" | "canary">,
): Promise<readonly number[]> {
  const canary = await canaryOf(run);
  if (!canary.every(Number.isFinite)) {
    throw new UserError(
      `training stopped after the last step of iteration ${iteration}: expected finite log-probabilities from the trained model, got ${canary.join(", ")}. ` +
        "The models of earlier iterations are kept. Start a new run with a lower --learning-rate or with --max-gradient-norm 1.",
    );
  }
  const stale = canary.every((value, i) => value === from.canary[i]);
  if (stale && (await run.engine.checksum()) !== from.weights) {
    throw new Error(
      `iteration ${iteration}: the weights changed in training, but the engine answers the canary prompt as before: it samples from the old weights`,
    );
  }
  return canary;
}
