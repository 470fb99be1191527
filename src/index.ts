/**
 * The public interface of `adastar`. What is not exported here may change at any time.
 *
 * Four ways in, the most complete first:
 * 1. `loadConfig` and `startRun`: a whole run, as the command line does it; `RunOptions` takes a custom task or
 *    engine.
 * 2. `ObservationQueue`, `visit`, `commit`, `runIteration`: the sampler alone, around a custom trainer.
 * 3. `openOnnxEngine`: sampling from and training a Hugging Face checkpoint in this process.
 * 4. `numberVerifier` and its like: verifying outputs, wherever they come from.
 */

// The algorithm (AdaSTaR, Algorithm 1): pure, with no model, no disk and no clock.
export {
  BALANCE_TEMPERATURES,
  balanceScore,
  bestTemperature,
  type ProbeOptions,
  type ProbeOutcome,
  probeTemperatures,
  type ScoredTemperature,
} from "./algorithm/balance.js";
export { combineMethod } from "./algorithm/combine.js";
export { gateCount } from "./algorithm/curriculum.js";
export {
  type CostFacts,
  forwardFlops,
  type SampledLength,
  sampledFlops,
  sampledFlopsUnshared,
  trainedFlops,
} from "./algorithm/flops.js";
export {
  commit,
  type Draw,
  type DrawnTry,
  type IterationOptions,
  runIteration,
  type TryRequest,
  type Visit,
  type VisitOptions,
  type VisitProgress,
  type VisitStatistics,
  visit,
} from "./algorithm/iteration.js";
export {
  type EvaluationKind,
  METHODS,
  type Method,
  type MethodOverrides,
  methodNamed,
  type QueueKeyField,
} from "./algorithm/methods.js";
export { ObservationQueue } from "./algorithm/observation-queue.js";
export { type Purpose, seedFor, shuffled, uniform } from "./algorithm/random.js";
export {
  type LearningRateSchedule,
  learningRateAt,
  type StepSchedule,
  stepsAt,
  targetAt,
} from "./algorithm/schedule.js";
// What finished and running runs say: comparisons, audits, explanations.
export { type Audit, type AuditCounts, type AuditFinding, type AuditOptions, auditRun } from "./analysis/audit.js";
export { type ComparedRun, type CurvePoint, comparedRuns } from "./analysis/compared-runs.js";
export { type Launch, type PlannedRun, planComparison, runComparison } from "./analysis/comparison-runs.js";
export { type Explanation, explainObservation, type IterationExplanation } from "./analysis/explain.js";
// Engines: what samples and trains.
export { locateModel, type ModelSource } from "./engine/checkpoint/model-source.js";
export type {
  CallOptions,
  Capabilities,
  ChatMessage,
  ChatTemplate,
  CheckpointPlace,
  CheckpointRef,
  Engine,
  ModelFacts,
  OptimizerParams,
  Sample,
  SampleRequest,
  SampleRequests,
  SamplingParams,
  SaveOptions,
  SaveTarget,
  StopReason,
  Tokenizer,
  TrainingExample,
  TrainStepResult,
} from "./engine/engine.js";
export { type OnnxEngineOptions, openOnnxEngine } from "./engine/onnx/onnx-engine.js";
// Errors: UserError is anything the user can fix; everything else that is thrown is a bug.
export { UserError } from "./errors.js";
// Reports: comparisons, tables as text, Markdown or LaTeX.
export { type Comparison, compareMethods, type MethodResult } from "./report/comparison/compare.js";
export { learningCurves } from "./report/comparison/learning-curves.js";
export { reportFiles } from "./report/comparison/page.js";
export type { SeedResult } from "./report/comparison/seed.js";
export { iterationTable } from "./report/run-table.js";
export { type Column, renderLatex, renderMarkdown, renderText, type Table } from "./report/tables.js";
// Runs: configuration, the loop, and its results.
export { type ConfigRequest, loadConfig, type ResolvedConfig } from "./run/config/config.js";
export type { ConfigKey, RunConfig } from "./run/config/fields.js";
export type { EvaluationResult } from "./run/directory/journal.js";
export { type RunView, readRun } from "./run/directory/reader.js";
export type { FlopsByPurpose, IterationRecord, Listener, RunEvent, RunSummary } from "./run/events.js";
export { type Listeners, tee } from "./run/listeners.js";
export type { RunOptions } from "./run/loop/context.js";
export { type ResumeOptions, resumeRun, startRun } from "./run/loop/runner.js";
// One-shot commands: check a task, evaluate a checkpoint, forecast a run.
export { checkTask, type TaskCheck } from "./run/oneshot/check-task.js";
export { type CheckpointEvaluation, evaluateCheckpoint } from "./run/oneshot/evaluate-checkpoint.js";
export { type Calibration, type Forecast, forecastRun, type IterationForecast } from "./run/oneshot/forecast.js";
// Tasks: observations, prompts, verifiers.
export { type GradedRow, GradeTally, type GradeTotals, gradeFile } from "./tasks/grade.js";
export { type PlainFormatOptions, plainFormat } from "./tasks/prompt.js";
export { openTask, openVerifier, TASKS } from "./tasks/registry.js";
export type {
  AnswerOption,
  Correctness,
  Exemplar,
  Observation,
  PromptFormat,
  RationaleCheck,
  Task,
  TaskDefaults,
  TaskSource,
  Verdict,
  Verifier,
  VerifierModule,
} from "./tasks/task.js";
export type { TaskEntry } from "./tasks/task-entry.js";
export type { TaskOptions } from "./tasks/task-options.js";
export {
  choiceVerifier,
  exactVerifier,
  type NumberVerifierOptions,
  numberVerifier,
  type VerifierKind,
  verifierOf,
  yesNoVerifier,
} from "./tasks/verifiers/index.js";
