/** Events of a run, for progress displays and trackers, and its summary. Nothing in the run depends on who listens. */

import type { EvaluationKind } from "../algorithm/methods.js";
import type { ModelFacts } from "../engine/engine.js";
import type { VerifiedSample } from "./directory/records.js";

/** Training FLOPs by purpose (AdaSTaR, section 4.1). Evaluation is not a training cost, so it is counted apart. */
export interface FlopsByPurpose {
  /** Everything computed while sampling: sharedPrefix + prompt + generation. */
  readonly sampling: number;
  /** Worked examples before the questions, counted as often as they were computed. */
  readonly sharedPrefix: number;
  /** Tokens of the questions. */
  readonly prompt: number;
  /** Tokens that the model wrote. */
  readonly generation: number;
  /** What sampling would have cost had every request computed the shared prefix itself. */
  readonly samplingUnshared: number;
  /** The part of `sampling` that was spent on observations beyond the m visited. */
  readonly wasted: number;
  /** The part of `sampling` that was spent on choosing the temperature. */
  readonly probes: number;
  readonly training: number;
  /** sampling + training. */
  readonly total: number;
}

/** One row of the closing table. Counts are of this iteration; `cumulativeFlops` runs from the start. */
export interface IterationRecord {
  readonly iteration: number;
  /** βᵗ; null for methods that keep everything. */
  readonly target: number | null;
  /** m: observations visited. */
  readonly visited: number;
  /** Visited observations solved in any of their tries. */
  readonly solved: number;
  /** α = solved / visited. */
  readonly alpha: number;
  /** Observations whose statistics were updated: ⌊m·αᵖ⌋. */
  readonly popped: number;
  /**
   * Observations visited in this iteration or an earlier one, and N. Missing in runs that began before it was recorded.
   */
  readonly everVisited?: number;
  readonly observations?: number;
  /** |D₊| */
  readonly kept: number;
  readonly steps: number;
  /** Mean training loss of the iteration, nats a token; null when nothing was trained. */
  readonly loss: number | null;
  /** In [0, 1]. */
  readonly testAccuracy: number;
  /** Accuracy by each of the method's evaluations; `testAccuracy` is that of the first. */
  readonly accuracies: Readonly<Partial<Record<EvaluationKind, number>>>;
  /** Share of the test outputs that ended and stated an answer, in [0, 1]. */
  readonly testFinished: number;
  /**
   * Share of D₊ whose rationale has a wrong step though its answer is right; null where the task cannot check steps.
   */
  readonly wrongSteps: number | null;
  readonly temperature: number;
  readonly sampledTokens: number;
  readonly trainedTokens: number;
  readonly flops: FlopsByPurpose;
  readonly cumulativeFlops: FlopsByPurpose;
  /** Wall time of this iteration, by phase. */
  readonly seconds: { readonly visit: number; readonly train: number; readonly evaluate: number };
}

/** The line that `--json` prints. */
export interface RunSummary {
  /** When a run ends, it is one of the first two; the others are of a run that is read from its directory. */
  readonly status: "done" | "interrupted" | "running" | "failed";
  readonly runDir: string;
  /** Folder or URI of the last model. */
  readonly checkpoint: string;
  /** Folder or URI of the best model, the base model's if no iteration beats it; null if the run did not keep it. */
  readonly bestCheckpoint: string | null;
  readonly iterations: number;
  /** Accuracies in [0, 1]. */
  readonly baseAccuracy: number;
  readonly bestAccuracy: number;
  readonly bestIteration: number;
  /**
   * Observations ever visited, of N; missing in runs that began before it was recorded, and before the first finished
   * iteration.
   */
  readonly everVisited?: number;
  readonly observations?: number;
  readonly flops: { readonly sampling: number; readonly training: number; readonly total: number };
  readonly seconds: number;
}

export type RunEvent =
  | {
      readonly kind: "started";
      readonly runDir: string;
      readonly task: string;
      readonly method: string;
      readonly seed: number;
      readonly iterations: number;
      readonly model: ModelFacts;
      readonly observations: number;
      /** The first question of the test set. */
      readonly exampleQuestion: string;
      readonly testObservations: number;
      readonly resumed: boolean;
    }
  | {
      readonly kind: "visiting";
      readonly iteration: number;
      readonly visited: number;
      readonly correct: number;
      readonly target: number | null;
      readonly tokens: number;
      readonly seconds: number;
    }
  | {
      readonly kind: "training";
      readonly iteration: number;
      readonly step: number;
      readonly steps: number;
      /** Mean over the completion tokens of the step's examples, nats a token. */
      readonly loss: number;
      readonly learningRate: number;
      /** Global L2 norm before clipping. */
      readonly gradientNorm: number;
      /** Trained by this session in this iteration so far. */
      readonly tokens: number;
      readonly seconds: number;
    }
  | {
      /** Outputs of the model with their verdicts, as they come; not those that an earlier session recorded. */
      readonly kind: "samples";
      readonly iteration: number;
      readonly split: "train" | "test";
      readonly samples: readonly VerifiedSample[];
    }
  | {
      readonly kind: "evaluating";
      /** 0 is the base model. */
      readonly iteration: number;
      /** Answers finished. */
      readonly done: number;
      readonly total: number;
      /** How many of them are verified so far, and how many of those are correct. */
      readonly verified: number;
      readonly correct: number;
      readonly tokens: number;
      readonly seconds: number;
    }
  | { readonly kind: "base"; readonly testAccuracy: number; readonly testFinished: number; readonly seconds: number }
  | { readonly kind: "iteration"; readonly record: IterationRecord }
  | { readonly kind: "notice"; readonly text: string }
  | { readonly kind: "finished"; readonly summary: RunSummary };

export type Listener = (event: RunEvent) => void;
