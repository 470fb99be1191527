/**
 * Every method as a row of data (paper section 4.1 and its baselines). They share one loop: iteration.ts reads a row's
 * parts and has no branch for a method's name, so a new method is a new row.
 */

import { shown, UserError } from "../errors.js";
import type { MethodParts } from "./parts.js";

/** A field of the observation queue's key. */
export type QueueKeyField = MethodParts["queueKey"][number];

/** A way of measuring test accuracy. */
export type EvaluationKind = MethodParts["evaluations"][number];

/** A name, and a value for every part (parts.ts says what they mean). */
export interface Method extends MethodParts {
  readonly name: string;
  /** One line for `adastar methods`. */
  readonly summary: string;
  /** Paper and section, or the reference of the baseline. */
  readonly source: string;
}

/** All baselines visit every observation in random order. No queue is read, so there is nothing to hold back either. */
const VISIT_ALL = { visits: "all", queueKey: ["lastSampled", "winRate"], curriculum: "all" } as const;

/** STaR's two tries: an observation that failed gets a second one, with the answer as a hint. */
const STAR_TRIES = { tries: 2, retry: "failures", rationalize: true, keepPerObservation: null } as const;

/** Defaults of every method that does not override them. */
const COMMON = { completions: "sampled", temperature: "fixed", evaluations: ["zero-shot"] } as const;

const ADASTAR: Method = {
  name: "adastar",
  summary: "Least recently sampled first, hardest among them first; as the model gets stronger, fewer are repeated",
  source: "AdaSTaR, Algorithm 1",
  visits: "queue",
  queueKey: ["lastSampled", "winRate"],
  curriculum: "gate",
  ...STAR_TRIES,
  batch: "schedule",
  start: "accumulate",
  ...COMMON,
};

const ROWS: readonly Method[] = [
  ADASTAR,
  {
    ...ADASTAR,
    name: "adastar-no-curriculum",
    summary: "AdaSTaR's order alone (AdaD): every visited observation is updated",
    source: "AdaSTaR, section 4 (ablation)",
    curriculum: "all",
  },
  {
    ...ADASTAR,
    name: "adastar-no-winrate",
    summary: "AdaSTaR with an order by last sampled only",
    source: "AdaSTaR, section 4 (ablation)",
    queueKey: ["lastSampled"],
  },
  {
    ...ADASTAR,
    name: "adastar-priority-flipped",
    summary: "AdaSTaR with the hardest first, least recently sampled among them first",
    source: "AdaSTaR, section 4 (ablation)",
    queueKey: ["winRate", "lastSampled"],
  },
  {
    ...ADASTAR,
    name: "adastar-random-order",
    summary: "AdaSTaR's stop without its order: random observations until enough samples are correct",
    source: "ours: shows how much of AdaSTaR's saving comes from stopping at βᵗ alone",
    visits: "random",
    curriculum: "all",
  },
  {
    name: "star",
    summary: "Samples everything, trains the base model again on a random part of what is correct",
    source: "STaR, Zelikman et al. 2022",
    ...VISIT_ALL,
    ...STAR_TRIES,
    batch: "schedule",
    start: "reset",
    ...COMMON,
  },
  {
    name: "star-acc",
    summary: "STaR that continues from the previous iteration's model",
    source: "AdaSTaR, section 4.1 (baseline STaR-Acc)",
    ...VISIT_ALL,
    ...STAR_TRIES,
    batch: "schedule",
    start: "accumulate",
    ...COMMON,
  },
  {
    name: "star-full",
    summary: "STaR on everything that is correct",
    source: "AdaSTaR, section 4.1 (baseline STaR-Full)",
    ...VISIT_ALL,
    ...STAR_TRIES,
    batch: "all",
    start: "reset",
    ...COMMON,
  },
  {
    name: "star-acc-full",
    summary: "STaR on everything that is correct, from the previous iteration's model",
    source: "AdaSTaR, section 4.1 (baseline STaR-Acc-Full)",
    ...VISIT_ALL,
    ...STAR_TRIES,
    batch: "all",
    start: "accumulate",
    ...COMMON,
  },
  {
    name: "star-acc-full-k",
    summary: "Five samples of every observation, all correct ones kept, no hints",
    source: "AdaSTaR, section 4.1 (baseline STaR-Acc-Full-K)",
    ...VISIT_ALL,
    tries: 5,
    retry: "always",
    rationalize: false,
    keepPerObservation: null,
    batch: "all",
    start: "accumulate",
    ...COMMON,
  },
  {
    name: "rest-em",
    summary: "Eleven samples of every observation, at most three correct ones kept, from the base model each time",
    source: "ReST-EM, Singh et al. 2024",
    ...VISIT_ALL,
    tries: 11,
    retry: "always",
    rationalize: false,
    keepPerObservation: 3,
    batch: "all",
    start: "reset",
    ...COMMON,
  },
  {
    name: "b-star",
    summary: "Five samples of every observation at the temperature with the best balance of exploring and being right",
    source: "B-STaR, Zeng et al. 2025 (outcome rewards)",
    ...VISIT_ALL,
    tries: 5,
    retry: "always",
    rationalize: false,
    keepPerObservation: null,
    batch: "all",
    start: "accumulate",
    ...COMMON,
    temperature: "balance",
  },
  {
    name: "sft",
    summary: "Trains on the answers themselves, without rationales: one epoch an iteration",
    source: "AdaSTaR, section 4.1 (baseline SFT)",
    ...VISIT_ALL,
    tries: 1,
    retry: "failures",
    rationalize: false,
    keepPerObservation: null,
    batch: "all",
    start: "accumulate",
    ...COMMON,
    completions: "gold",
    evaluations: ["zero-shot", "few-shot", "self-consistency"],
  },
];

/** Every method by name, in the order in which they are listed. */
export const METHODS: Readonly<Record<string, Method>> = Object.freeze(
  Object.fromEntries(ROWS.map((row) => [row.name, row])),
);

/** The method of that name. Throws UserError listing the names if there is none. */
export function methodNamed(name: string): Method {
  if (!Object.hasOwn(METHODS, name)) {
    throw new UserError(`expected a method: ${Object.keys(METHODS).join(", ")}, got ${shown(name)}`);
  }
  return METHODS[name];
}

/** Parts that replace those of a method. */
export type MethodOverrides = Partial<MethodParts>;
