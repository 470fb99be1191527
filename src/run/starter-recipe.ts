/** How a starter model is made, as data: what `adastar pretrain` offers as settings, apart from the engine that it takes to do it. */

import { PRETRAINING_HARD_SHARE } from "../tasks/arithmetic.js";

export interface PretrainOptions {
  /** Of the weights and of the examples. */
  readonly seed: number;
  readonly steps: number;
  /** Examples a step. */
  readonly batchSize: number;
  /** Peak rate; rises over `warmupSteps`, then falls along a cosine to a tenth. */
  readonly learningRate: number;
  readonly warmupSteps: number;
  /** Probability that an entry of a question is hard. */
  readonly hardShare: number;
  /** Sizes of the model; `width` is a multiple of 2 · `heads`. */
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly mlpWidth: number;
  /** Longest sequence, in tokens. */
  readonly contextLength: number;
  readonly threads: number | null;
}

/** How the bundled starter model was made. */
export const STARTER_RECIPE: PretrainOptions = {
  seed: 1,
  steps: 1000,
  batchSize: 16,
  learningRate: 2e-3,
  warmupSteps: 50,
  hardShare: PRETRAINING_HARD_SHARE,
  width: 128,
  layers: 4,
  heads: 4,
  mlpWidth: 352,
  contextLength: 256,
  threads: null,
};
