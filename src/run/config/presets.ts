/** Named sets of values to start from; files and flags override them. docs/methods.md explains them. */

import type { RunConfig } from "./fields.js";

export const presets: Readonly<Record<NonNullable<RunConfig["preset"]>, Partial<RunConfig>>> = {
  /** AdaSTaR (NeurIPS 2025), section 4.1 and its appendix: chosen for models of 3 billion parameters. */
  paper: {
    batchSize: 8,
    steps: 40,
    stepsGrowth: 1.2,
    learningRate: 1e-5,
    learningRateSchedule: "constant",
    warmupSteps: 100,
    optimizer: "adam",
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    maxGradientNorm: null,
    temperature: 1,
    topP: 0.9,
    fewShot: "all",
    curriculumPower: 2,
  },
  /** A look in under a minute on the default task. */
  quick: {
    iterations: 3,
    steps: 20,
    evalLimit: 200,
  },
};
