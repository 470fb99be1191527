/** The closing table as CSV, one row an iteration, for spreadsheets and plotting. */

import type { IterationRecord } from "../events.js";

const columns: Readonly<Record<string, (record: IterationRecord) => number | null>> = {
  iteration: (r) => r.iteration,
  target: (r) => r.target,
  visited: (r) => r.visited,
  solved: (r) => r.solved,
  alpha: (r) => r.alpha,
  popped: (r) => r.popped,
  ever_visited: (r) => r.everVisited ?? null,
  kept: (r) => r.kept,
  steps: (r) => r.steps,
  loss: (r) => r.loss,
  test_accuracy: (r) => r.testAccuracy,
  test_accuracy_few_shot: (r) => r.accuracies["few-shot"] ?? null,
  test_accuracy_self_consistency: (r) => r.accuracies["self-consistency"] ?? null,
  test_finished: (r) => r.testFinished,
  wrong_steps: (r) => r.wrongSteps,
  temperature: (r) => r.temperature,
  sampled_tokens: (r) => r.sampledTokens,
  trained_tokens: (r) => r.trainedTokens,
  flops_sampling: (r) => r.flops.sampling,
  flops_shared_prefix: (r) => r.flops.sharedPrefix,
  flops_prompt: (r) => r.flops.prompt,
  flops_generation: (r) => r.flops.generation,
  flops_probes: (r) => r.flops.probes,
  flops_sampling_unshared: (r) => r.flops.samplingUnshared,
  flops_wasted: (r) => r.flops.wasted,
  flops_training: (r) => r.flops.training,
  flops_total: (r) => r.flops.total,
  cumulative_flops_total: (r) => r.cumulativeFlops.total,
  seconds_visit: (r) => r.seconds.visit,
  seconds_train: (r) => r.seconds.train,
  seconds_evaluate: (r) => r.seconds.evaluate,
};

/** Empty cells are null. */
export function formatTable(records: readonly IterationRecord[]): string {
  const rows = records.map((record) => Object.values(columns).map((cell) => cell(record) ?? ""));
  return [Object.keys(columns), ...rows].map((row) => `${row.join(",")}\n`).join("");
}
