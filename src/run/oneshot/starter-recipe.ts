/** How a starter model is made, as data: what `adastar pretrain` offers as settings, apart from the engine that it takes to do it. */

export interface PretrainOptions {
  /** Name of the generated task whose examples it sees. */
  readonly task: string;
  /** Of the weights and of the examples. */
  readonly seed: number;
  readonly steps: number;
  /** Examples a step. */
  readonly batchSize: number;
  /** Peak rate; rises over `warmupSteps`, then falls along a cosine to a tenth. */
  readonly learningRate: number;
  readonly warmupSteps: number;
  /** Probability that something in an example is hard; the task's own when null. */
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

/** How the default task's bundled starter model was made; that of another task differs by its name. */
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
