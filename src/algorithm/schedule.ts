/** How much each iteration trains (STaR, appendix; AdaSTaR section 4.1) and at which learning rate. */

import { shown, UserError } from "../errors.js";
import type { Method } from "./methods.js";
import { truncate } from "./rounding.js";

export interface StepSchedule {
  /** σ¹: optimizer steps of the first iteration. The paper: 40. */
  readonly initialSteps: number;
  /** σ grows by this factor an iteration, truncated to an integer each time. The paper: 1.2. */
  readonly growth: number;
  /** β: examples an optimizer step. The paper: 8. */
  readonly batchSize: number;
}

/**
 * σᵗ, the optimizer steps of iteration t = 1, 2, …: σ¹ = initialSteps, σᵗ⁺¹ = ⌊σᵗ · growth⌋. Because of the truncation, a factor of
 * 1.2 never moves fewer than 5 steps.
 */
export function stepsAt(iteration: number, schedule: StepSchedule): number {
  checkSchedule(schedule);
  let steps = schedule.initialSteps;
  for (let t = 1; t < iteration; t++) steps = truncate(steps * schedule.growth);
  if (!Number.isSafeInteger(steps * schedule.batchSize)) {
    throw new UserError(
      `expected a step schedule that stays a countable number, got ${steps} steps in iteration ${iteration}; lower growth (${schedule.growth}) or run fewer iterations`,
    );
  }
  return steps;
}

/**
 * βᵗ, the correct samples that iteration t trains on: σᵗ · β for methods whose batch follows the schedule; null for those that keep
 * everything, whose βᵗ is |D₊|.
 */
export function targetAt(iteration: number, schedule: StepSchedule, method: Pick<Method, "batch">): number | null {
  return method.batch === "schedule" ? stepsAt(iteration, schedule) * schedule.batchSize : null;
}

function checkSchedule({ initialSteps, growth, batchSize }: StepSchedule): void {
  if (!Number.isSafeInteger(initialSteps) || initialSteps < 1) {
    throw new UserError(
      `expected the steps of the first iteration to be a whole number of 1 or more, got ${shown(initialSteps)}`,
    );
  }
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
    throw new UserError(`expected a batch size of 1 or more, got ${shown(batchSize)}`);
  }
  if (!Number.isFinite(growth) || growth < 1) {
    throw new UserError(`expected a growth of the steps of 1 or more, got ${shown(growth)}`);
  }
}

export interface LearningRateSchedule {
  /** The rate that the warm-up reaches. */
  readonly peak: number;
  /** Steps over which the rate rises in equal parts to the peak. 0: no warm-up. */
  readonly warmupSteps: number;
  /** What follows the warm-up; `linear` and `cosine` fall towards `final` over the steps that are left. */
  readonly decay: "constant" | "linear" | "cosine";
  /** What the decay falls to, as a share of the peak, in [0, 1]; 0 when left out. */
  readonly final?: number;
}

/**
 * The learning rate of optimizer step `step` = 0 … steps − 1 of an iteration (or of a pretraining) of `steps` steps. The first step has
 * peak / warmupSteps rather than 0, which would be a step that does nothing; for the same reason a decay to zero reaches zero only
 * after the last step.
 */
export function learningRateAt(step: number, steps: number, schedule: LearningRateSchedule): number {
  const { peak, warmupSteps, decay, final = 0 } = schedule;
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  if (decay === "constant") return peak;
  /** 0 at the first step after the warm-up, 1 just after the last. */
  const progress = (step - warmupSteps) / (steps - warmupSteps);
  const share = decay === "linear" ? 1 - progress : (1 + Math.cos(Math.PI * progress)) / 2;
  return peak * (final + (1 - final) * share);
}
