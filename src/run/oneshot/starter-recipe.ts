/** How a starter model is made, as data: the settings of `adastar pretrain`, without the engine that it needs. */

export interface PretrainOptions {
  /** Name of the generated task whose examples it is trained on. */
  readonly task: string;
  /** Seed of weights and examples. */
  readonly seed: number;
  readonly steps: number;
  /** Examples per step. */
  readonly batchSize: number;
  /** Peak rate; rises over `warmupSteps`, then falls along a cosine to a tenth. */
  readonly learningRate: number;
  readonly warmupSteps: number;
  /** Probability that a part of an example is hard; the task's own if null. */
  readonly hardShare: number | null;
  /** Sizes of the model; `width` is a multiple of 2 · `heads`. */
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly mlpWidth: number;
  /** Longest sequence, in tokens. */
  readonly contextLength: number;
  readonly threads: number | null;
}

/** How the bundled starter model of the default task was made; those of other tasks differ in the task only. */
export const STARTER_RECIPE: PretrainOptions = {
  task: "arithmetic",
  seed: 1,
  steps: 1000,
  batchSize: 16,
  learningRate: 2e-3,
  warmupSteps: 50,
  hardShare: null,
  width: 128,
  layers: 4,
  heads: 4,
  mlpWidth: 352,
  contextLength: 256,
  threads: null,
};
