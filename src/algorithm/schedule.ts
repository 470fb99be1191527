/** How much each iteration trains (STaR, appendix; AdaSTaR section 4.1) and at which learning rate. */

import { shown, UserError } from "../errors.js";
import type { Method } from "./methods.js";
import { truncate } from "./rounding.js";

export interface StepSchedule {
  /** σ¹: optimizer steps of the first iteration. The paper: 40. */
  readonly initialSteps: number;
  /** σ grows by this factor an iteration. The paper: 1.2. */
  readonly growth: number;
  /**
   * `once`: σᵗ = ⌊σ¹ · growth^(t−1)⌋, the default. `each`: σᵗ = ⌊σᵗ⁻¹ · growth⌋, the rule of runs that began before
   * there was a choice.
   */
  readonly rounding?: "once" | "each";
  /** β: examples an optimizer step. The paper: 8. */
  readonly batchSize: number;
}

/**
 * σᵗ, the optimizer steps of iteration t = 1, 2, … With σ¹ = 40 and a growth of 1.2: 40, 48, 57, 69, 82, 99, 119, 143,
 * 171, 206. Rounded down in each iteration, it would fall behind (σ⁴ = 68), and a σ¹ of 4 would never grow.
 */
export function stepsAt(iteration: number, schedule: StepSchedule): number {
  checkSchedule(schedule);
  const steps = schedule.rounding === "each" ? roundedEach(iteration, schedule) : roundedOnce(iteration, schedule);
  if (!Number.isSafeInteger(steps * schedule.batchSize)) {
    throw new UserError(
      `expected a step schedule that stays a countable number, got ${steps} steps in iteration ${iteration}; lower growth (${schedule.growth}) or run fewer iterations`,
    );
  }
  return steps;
}

/** ⌊σ¹ · growth^(t−1)⌋ in integers: with the growth as the decimal fraction that was written, so that 1.2 is 12/10. */
function roundedOnce(iteration: number, { initialSteps, growth }: StepSchedule): number {
  const estimate = initialSteps * growth ** (iteration - 1);
  // Refused by the caller; an exact power would have no end.
  if (estimate > 2 * Number.MAX_SAFE_INTEGER) return estimate;
  const { numerator, denominator } = decimalFraction(growth);
  const power = BigInt(iteration - 1);
  return Number((BigInt(initialSteps) * numerator ** power) / denominator ** power);
}

function roundedEach(iteration: number, { initialSteps, growth }: StepSchedule): number {
  let steps = initialSteps;
  for (let t = 1; t < iteration; t++) steps = truncate(steps * growth);
  return steps;
}

/** The shortest decimal text of a number of 1 or more as a fraction. */
function decimalFraction(value: number): { readonly numerator: bigint; readonly denominator: bigint } {
  const [digits, exponent = "0"] = String(value).split("e");
  const [whole, decimals = ""] = digits.split(".");
  // At most 17 digits, so from an exponent of 21 on, where the text has one, the value is an integer.
  const scale = BigInt(exponent) - BigInt(decimals.length);
  const numerator = BigInt(whole + decimals);
  return scale < 0n
    ? { numerator, denominator: 10n ** -scale }
    : { numerator: numerator * 10n ** scale, denominator: 1n };
}

/**
 * βᵗ, the correct samples that iteration t trains on: σᵗ · β for methods whose batch follows the schedule; null for
 * methods that keep everything, whose βᵗ is |D₊|.
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

/**
 * What may follow the warm-up: the share of the way from `final` up to the peak that is left at a progress from 0, the
 * first step after the warm-up, to 1, just after the last step. `constant` stays at the peak.
 */
const DECAYS = {
  constant: () => 1,
  linear: (progress: number) => 1 - progress,
  cosine: (progress: number) => (1 + Math.cos(Math.PI * progress)) / 2,
} as const satisfies Readonly<Record<string, (progress: number) => number>>;

export type DecayName = keyof typeof DECAYS;

export const DECAY_NAMES = Object.keys(DECAYS) as [DecayName, ...DecayName[]];

export interface LearningRateSchedule {
  /** The rate that the warm-up reaches. */
  readonly peak: number;
  /** Steps over which the rate rises in equal parts to the peak. 0: no warm-up. */
  readonly warmupSteps: number;
  /** What follows the warm-up: a row of `DECAYS`. */
  readonly decay: DecayName;
  /** The rate that the decay falls to, as a share of the peak, in [0, 1]; 0 if left out. */
  readonly final?: number;
}

/**
 * The learning rate of optimizer step `step` = 0 … steps − 1 of an iteration (or of a pretraining) of `steps` steps.
 * The first step has the rate peak / warmupSteps and not 0, which would make it a step that does nothing. For the same
 * reason a decay to zero reaches zero only after the last step.
 */
export function learningRateAt(step: number, steps: number, schedule: LearningRateSchedule): number {
  const { peak, warmupSteps, decay, final = 0 } = schedule;
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  /** 0 at the first step after the warm-up, 1 just after the last. */
  const progress = (step - warmupSteps) / (steps - warmupSteps);
  return peak * (final + (1 - final) * DECAYS[decay](progress));
}
