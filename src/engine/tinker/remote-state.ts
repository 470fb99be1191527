/**
 * What is known of weights that only the server has: digests of what made them, and the number of steps that the
 * server's optimizer counts. A saved checkpoint carries it in its URI, behind the server's own path.
 */

import { createHash } from "node:crypto";
import { z } from "zod";
import { shown, UserError } from "../../errors.js";
import type { OptimizerParams, TrainingExample } from "../engine.js";

export interface RemoteState {
  /** Digest of all that made the weights: base model, adapter, updates. */
  readonly weights: string;
  /** Digest of all that made the optimizer's moments; FRESH where they are zero. */
  readonly moments: string;
  /** Steps that the server counted before the optimizer was last reset, the resetting one included. */
  readonly before: number;
  /** Steps since. */
  readonly steps: number;
}

export const FRESH = "fresh";

export function digestOf(...parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** The state after an update. A learning rate of 0 leaves the weights alone, but not the moments. */
export function updated(
  state: RemoteState,
  examples: readonly TrainingExample[],
  { kind: _, ...params }: OptimizerParams,
): RemoteState {
  const batch = examples.map(({ tokens, completionStart }) => [completionStart, ...tokens]);
  const made = digestOf(state.weights, state.moments, state.steps, batch, params);
  return {
    weights: params.learningRate === 0 ? state.weights : made,
    moments: digestOf("moments", made),
    before: state.before,
    steps: state.steps + 1,
  };
}

/** What a checkpoint's URI says of it. */
export interface SavedState {
  readonly path: string;
  /** Steps that the server's optimizer counted when it was saved. */
  readonly before: number;
  readonly steps: number;
  /** FRESH where the moments are not to be used. */
  readonly moments: string;
}

const fragment = z.object({
  before: z.coerce.number().int().nonnegative(),
  steps: z.coerce.number().int().nonnegative(),
  moments: z.string().min(1),
});

export function uriOf({ path, ...state }: SavedState): string {
  return `${path}#${new URLSearchParams({ before: `${state.before}`, steps: `${state.steps}`, moments: state.moments })}`;
}

/** Throws UserError for a URI that `uriOf` did not write. */
export function savedStateOf(uri: string): SavedState {
  const [path, behind = ""] = uri.split("#");
  const parsed = fragment.safeParse(Object.fromEntries(new URLSearchParams(behind)));
  if (path.startsWith("tinker://") && parsed.success) return { path, ...parsed.data };
  throw new UserError(`expected the URI of a checkpoint that this engine saved, got ${shown(uri, 200)}`);
}
