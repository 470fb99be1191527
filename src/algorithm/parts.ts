/**
 * The parts that a method is made of. This is the one place of a part: `Method`, the check of combinations
 * (combine.ts), the settings of a run and the flags of the commands are derived from it. Its meaning is coded where it
 * acts, mostly in iteration.ts.
 */

/** Largest K. The queue keeps a win rate as two counts of one byte each. */
export const MAX_TRIES = 255;

type Words = readonly [string, ...string[]];

/** How a part presents itself as a setting. */
interface Presentation {
  /** For help, without what holds when it is not set. */
  readonly description: string;
  /** What holds when it is not set; "the method's" if left out. */
  readonly unset?: string;
  /** Key of the setting, where the part's own name is taken. */
  readonly setting?: string;
  /** The commands besides `run` and `compare` that read it (settings.ts). */
  readonly readBy: readonly ("tasks check" | "replay" | "replay --simulate")[];
}

/** One of several words. */
interface Choice<W extends Words = Words> extends Presentation {
  readonly kind: "choice";
  readonly words: W;
}

/** Some of several words, each at most once and at least one, the most important first. */
interface List<W extends Words = Words> extends Presentation {
  readonly kind: "list";
  readonly words: W;
}

interface YesOrNo extends Presentation {
  readonly kind: "yes or no";
}

/** An integer from 1 to MAX_TRIES. */
interface Count extends Presentation {
  readonly kind: "count";
}

/** The same, or null for all; `all` as a setting. */
interface CountOrAll extends Presentation {
  readonly kind: "count or all";
}

export type Part = Choice | List | YesOrNo | Count | CountOrAll;

export const PARTS = {
  /**
   * `sampled`: D₊ is what the model wrote and the verifier found right. `gold`: every gold answer as it stands, with no
   * rationale and no sampling.
   */
  completions: {
    kind: "choice",
    words: ["sampled", "gold"],
    description: "Train on what the model wrote and got right, or on the bare gold answers",
    readBy: [],
  },
  /**
   * `queue`: the queue's order until there are βᵗ correct samples. `random`: the same stop, in an order drawn anew each
   * iteration. `all`: every observation, in such an order.
   */
  visits: {
    kind: "choice",
    words: ["queue", "random", "all"],
    description: "Visit observations in the queue's order or at random until enough samples are correct, or all",
    readBy: ["replay"],
  },
  /** K: samples an observation may get. */
  tries: { kind: "count", description: "K, samples an observation may get", readBy: ["replay"] },
  /** `failures`: a further try only if all before it failed. `always`: all K. */
  retry: {
    kind: "choice",
    words: ["failures", "always"],
    description: "When to draw a further sample",
    readBy: ["replay"],
  },
  /** Further tries carry the gold answer as a hint (where the task allows it). */
  rationalize: {
    kind: "yes or no",
    description: "Give further tries the answer as a hint",
    unset: "when not set: if the method does and it suits the task",
    readBy: ["tasks check", "replay"],
  },
  /** The highest number of correct samples kept of one observation; null keeps all. */
  keepPerObservation: {
    kind: "count or all",
    description: "The highest number of correct samples kept of one observation",
    readBy: ["replay"],
  },
  /** `schedule`: D₊ is cut to βᵗ and trained for σᵗ steps. `all`: everything correct is kept, one pass over it. */
  batch: {
    kind: "choice",
    words: ["schedule", "all"],
    description: "Train on batchSize × steps samples, or on all correct ones",
    readBy: ["replay"],
  },
  /** `reset`: each iteration trains from the base model. `accumulate`: from the previous iteration's. */
  start: {
    kind: "choice",
    words: ["reset", "accumulate"],
    description: "Model that an iteration trains: the base model or the latest",
    readBy: ["replay --simulate"],
  },
  /** Key of the queue, the most important field first; read when visits is `queue`. */
  queueKey: {
    kind: "list",
    words: ["lastSampled", "winRate"],
    description: "Order of the observation queue",
    readBy: ["replay"],
  },
  /** AdaC (paper section 3.2): `gate` updates the first ⌊m·αᵖ⌋ visited, `all` updates all m. */
  curriculum: {
    kind: "choice",
    words: ["gate", "all"],
    description: "Update the statistics of the first ⌊m·αᵖ⌋ visited, or of all m",
    readBy: ["replay"],
  },
  /** `fixed`: the configured temperature. `balance`: chosen anew each iteration by B-STaR's balance score. */
  temperature: {
    kind: "choice",
    words: ["fixed", "balance"],
    description: "Sample at the temperature set, or at the one with the best balance score before each iteration",
    setting: "temperaturePolicy",
    readBy: ["replay"],
  },
  /**
   * How each iteration's model is tested; the first is the accuracy that counts for the run. `zero-shot`: one greedy
   * answer. `few-shot`: the same after the task's worked examples. `self-consistency`: the majority of several sampled
   * answers (Wang et al. 2023).
   */
  evaluations: {
    kind: "list",
    words: ["zero-shot", "few-shot", "self-consistency"],
    description: "How models are tested, the deciding one first: zero-shot, few-shot, self-consistency",
    readBy: [],
  },
} as const satisfies Readonly<Record<string, Part>>;

type Parts = typeof PARTS;
export type PartName = keyof Parts;

export const PART_NAMES = Object.keys(PARTS) as PartName[];

type ValueOf<P extends Part> =
  P extends Choice<infer W>
    ? W[number]
    : P extends List<infer W>
      ? readonly W[number][]
      : P extends YesOrNo
        ? boolean
        : P extends Count
          ? number
          : number | null;

/** A value for every part. */
export type MethodParts = { readonly [P in PartName]: ValueOf<Parts[P]> };

type SettingName<P extends PartName> = Parts[P] extends { readonly setting: infer S extends string } ? S : P;

/** The same values by the keys and in the words of settings. */
export type PartSettings = {
  readonly [P in PartName as SettingName<P>]: Parts[P] extends CountOrAll ? number | "all" : MethodParts[P];
};

/** Key of the setting that replaces a part. */
export function settingOf(name: PartName): keyof PartSettings {
  const part: Part = PARTS[name];
  return (part.setting ?? name) as keyof PartSettings;
}
