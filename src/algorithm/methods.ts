/**
 * Every method as a row of data on one machinery (paper section 4.1 and its baselines): the loop in iteration.ts reads these fields and
 * has no branch for a method's name.
 */

/** Field of the observation queue's key, in order of importance; the index is always the last. */
export type QueueKeyField = "lastSampled" | "winRate";

export interface Method {
  readonly name: string;
  /** One line for `adastar methods`. */
  readonly summary: string;
  /** Paper and section, or the reference of the baseline. */
  readonly source: string;
  /** `queue`: heap order until βᵗ correct samples are there. `all`: every observation, in an order drawn anew each iteration. */
  readonly visits: "queue" | "all";
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
}
