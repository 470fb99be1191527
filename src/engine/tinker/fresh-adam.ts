/**
 * A fresh optimizer on a server that cannot reset one.
 *
 * An update with gradients of zero, a learning rate of 0 and both betas 0 sets Adam's moments to zero and leaves the
 * weights alone. Only the server's count of steps goes on, by which Adam corrects its bias (Kingma & Ba 2015,
 * algorithm 1): after `before` earlier steps it divides the moments of the k-th new step by 1 − β^(before + k) instead
 * of 1 − β^k. The learning rate, ε and decay that are sent make up for that, so the update is that of a fresh Adam.
 */

import type { OptimizerParams } from "../engine.js";
import type { AdamParams } from "./protocol.js";

/** The update that sets the moments to zero. */
export const FORGET: AdamParams = { learning_rate: 0, beta1: 0, beta2: 0, eps: 1, weight_decay: 0 };

/** What to send for the `step`-th update (from 1) of an optimizer that was reset after `before` updates. */
export function adamParams(params: OptimizerParams, before: number, step: number): AdamParams {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = params;
  const correction = (beta: number) => (1 - beta ** step) / (1 - beta ** (before + step));
  const root = Math.sqrt(correction(beta2));
  const rate = (learningRate * root) / correction(beta1);
  return {
    learning_rate: rate,
    beta1,
    beta2,
    eps: epsilon * root,
    // The decay is multiplied by the learning rate.
    weight_decay: rate === 0 ? 0 : (weightDecay * learningRate) / rate,
  };
}
