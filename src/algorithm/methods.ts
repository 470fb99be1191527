/**
 * Every method as a row of data on one machinery (paper section 4.1 and its baselines): the loop in iteration.ts reads these fields and
 * has no branch for a method's name.
 */

import { shown, UserError } from "../errors.js";

/** Field of the observation queue's key, in order of importance; the index is always the last. */
export type QueueKeyField = "lastSampled" | "winRate";

/**
 * How test accuracy is measured. `zero-shot`: one greedy answer. `few-shot`: the same after the task's worked examples. `self-consistency`: the
 * majority of several sampled answers (Wang et al. 2023).
 */
export type EvaluationKind = "zero-shot" | "few-shot" | "self-consistency";

export interface Method {
  readonly name: string;
  /** One line for `adastar methods`. */
  readonly summary: string;
  /** Paper and section, or the reference of the baseline. */
  readonly source: string;
  /** `sampled`: D₊ is what the model wrote and the verifier found right. `gold`: every gold answer as it stands, with no rationale and no sampling. */
  readonly completions: "sampled" | "gold";
  /**
   * `queue`: heap order until βᵗ correct samples are there. `random`: the same stop, in an order drawn anew each iteration. `all`: every observation,
   * in such an order.
   */
  readonly visits: "queue" | "random" | "all";
  /** Key of the queue; read when visits is `queue`. */
  readonly queueKey: readonly QueueKeyField[];
  /** AdaC (paper section 3.2): `gate` updates the first ⌊m·αᵖ⌋ visited, `all` updates all m. */
  readonly curriculum: "gate" | "all";
  /** K: samples an observation may get. */
  readonly tries: number;
  /** `failures`: a further try only when all before it failed. `always`: all K. */
  readonly retry: "failures" | "always";
  /** Further tries carry the gold answer as a hint (where the task allows it). */
  readonly rationalize: boolean;
  /** Most correct samples kept of one observation; null keeps all. */
  readonly keepPerObservation: number | null;
  /** `schedule`: D₊ is cut to βᵗ and trained for σᵗ steps. `all`: everything correct is kept, one pass over it. */
  readonly batch: "schedule" | "all";
  /** `reset`: each iteration trains from the base model. `accumulate`: from the previous iteration's. */
  readonly start: "reset" | "accumulate";
  /** `fixed`: the configured temperature. `balance`: chosen anew each iteration by B-STaR's balance score. */
  readonly temperature: "fixed" | "balance";
  /** How each iteration's model is tested; the first is the accuracy that the run is judged by. */
  readonly evaluations: readonly EvaluationKind[];
}

/** Every observation in random order, no queue to read and none to hold back: what all baselines share. */
const VISIT_ALL = { visits: "all", queueKey: ["lastSampled", "winRate"], curriculum: "all" } as const;

/** STaR's two tries: a failed observation gets a second one, with the answer as a hint. */
const STAR_TRIES = { tries: 2, retry: "failures", rationalize: true, keepPerObservation: null } as const;

/** What no method but those with a policy of their own departs from. */
const USUAL = { completions: "sampled", temperature: "fixed", evaluations: ["zero-shot"] } as const;

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
  ...USUAL,
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
    summary: "AdaSTaR's stop without its order: observations at random until enough samples are correct",
    source: "ours: what of AdaSTaR's saving the stop at βᵗ brings by itself",
    visits: "random",
    curriculum: "all",
  },
  {
    name: "star",
    summary: "Samples everything, trains the base model anew on a random part of what is correct",
    source: "STaR, Zelikman et al. 2022",
    ...VISIT_ALL,
    ...STAR_TRIES,
    batch: "schedule",
    start: "reset",
    ...USUAL,
  },
  {
    name: "star-acc",
    summary: "STaR that goes on from the previous iteration's model",
    source: "AdaSTaR, section 4.1 (baseline STaR-Acc)",
    ...VISIT_ALL,
    ...STAR_TRIES,
    batch: "schedule",
    start: "accumulate",
    ...USUAL,
  },
  {
    name: "star-full",
    summary: "STaR on everything that is correct",
    source: "AdaSTaR, section 4.1 (baseline STaR-Full)",
    ...VISIT_ALL,
    ...STAR_TRIES,
    batch: "all",
    start: "reset",
    ...USUAL,
  },
  {
    name: "star-acc-full",
    summary: "STaR on everything that is correct, from the previous iteration's model",
    source: "AdaSTaR, section 4.1 (baseline STaR-Acc-Full)",
    ...VISIT_ALL,
    ...STAR_TRIES,
    batch: "all",
    start: "accumulate",
    ...USUAL,
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
    ...USUAL,
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
    ...USUAL,
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
    ...USUAL,
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
    ...USUAL,
    completions: "gold",
    evaluations: ["zero-shot", "few-shot", "self-consistency"],
  },
];

/** Every method by name, in the order in which they are listed. */
export const METHODS: Readonly<Record<string, Method>> = Object.freeze(
  Object.fromEntries(ROWS.map((row) => [row.name, row])),
);

/** The method of that name; throws UserError listing the names when there is none. */
export function methodNamed(name: string): Method {
  const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
  if (method === undefined) {
    throw new UserError(`expected a method: ${Object.keys(METHODS).join(", ")}, got ${shown(name)}`);
  }
  return method;
}

/** The parts of a method that a user may set one by one. */
export type MethodOverrides = Partial<Omit<Method, "name" | "summary" | "source">>;
