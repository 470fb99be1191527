import type { FlopsByPurpose, IterationRecord, RunEvent, RunSummary } from "../../src/run/events.js";

/** A run of two iterations as its listener sees it, with round figures. */

const flops = (total: number): FlopsByPurpose => ({
  sampling: total * 0.75,
  sharedPrefix: total * 0.125,
  prompt: total * 0.125,
  generation: total * 0.5,
  samplingUnshared: total,
  wasted: total * 0.05,
  probes: 0,
  training: total * 0.25,
  total,
});

const record = (iteration: number): IterationRecord => ({
  iteration,
  target: 320,
  visited: 500 * iteration,
  solved: 310 * iteration,
  alpha: 0.62,
  popped: 192 * iteration,
  kept: 320,
  steps: 40,
  loss: 0.5 / iteration,
  testAccuracy: 0.5 + 0.125 * iteration,
  accuracies: { "zero-shot": 0.5 + 0.125 * iteration },
  testFinished: 0.99,
  wrongSteps: null,
  temperature: 1,
  sampledTokens: 40_000,
  trainedTokens: 20_000,
  flops: flops(2e12),
  cumulativeFlops: flops(2e12 * iteration),
  seconds: { visit: 20, train: 8, evaluate: 2 },
});

export const summary: RunSummary = {
  status: "done",
  runDir: "/tmp/run",
  checkpoint: "/tmp/run/checkpoints/2",
  bestCheckpoint: "/tmp/run/checkpoints/2",
  iterations: 2,
  baseAccuracy: 0.5,
  bestAccuracy: 0.75,
  bestIteration: 2,
  flops: { sampling: 3e12, training: 1e12, total: 4e12 },
  seconds: 62,
};

export const started: RunEvent = {
  kind: "started",
  runDir: "/tmp/run",
  task: "arithmetic",
  method: "adastar",
  seed: 1,
  iterations: 2,
  exampleQuestion: "1 + 1?",
  model: {
    name: "starter",
    parameters: 1_200_000,
    nonEmbeddingParameters: 1_100_000,
    trainableParameters: 1_200_000,
    layers: 4,
    attentionWidth: 128,
    contextLength: 256,
    vocabularySize: 64,
  },
  observations: 4000,
  testObservations: 500,
  resumed: false,
};

export const visiting = (iteration: number, correct: number): RunEvent => ({
  kind: "visiting",
  iteration,
  visited: 2 * correct,
  correct,
  target: 320,
  tokens: 12_000,
  seconds: 2,
});

export const training = (iteration: number, step: number): RunEvent => ({
  kind: "training",
  iteration,
  step,
  steps: 40,
  loss: 0.4321,
  tokens: 9000,
  learningRate: 1e-5,
  gradientNorm: 1,
  seconds: 3,
});

export const evaluating = (iteration: number, done: number): RunEvent => ({
  kind: "evaluating",
  iteration,
  done,
  total: 500,
  verified: done,
  correct: done / 2,
  tokens: 5000,
  seconds: 1,
});

export const base: RunEvent = { kind: "base", testAccuracy: 0.5, testFinished: 0.98, seconds: 2 };
export const iteration = (number: number): RunEvent & { kind: "iteration" } => ({
  kind: "iteration",
  record: record(number),
});

export const wholeRun: readonly RunEvent[] = [
  started,
  evaluating(0, 250),
  base,
  visiting(1, 160),
  training(1, 20),
  evaluating(1, 500),
  iteration(1),
  { kind: "notice", text: "a remark" },
  visiting(2, 100),
  training(2, 40),
  evaluating(2, 500),
  iteration(2),
  { kind: "finished", summary },
];
