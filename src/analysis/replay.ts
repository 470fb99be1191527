/**
 * Sampling policies on outcomes that a run recorded, without a model: which observations a method would have visited,
 * updated and trained on, had the model of each iteration been the recorded one. The answer is exact where every
 * outcome asked for was recorded; the rest is filled in, and how much that was is reported.
 */

import { commit, type DrawnTry, type TryRequest, visit } from "../algorithm/iteration.js";
import type { Method } from "../algorithm/methods.js";
import { seedFor, uniform } from "../algorithm/random.js";
import { targetAt } from "../algorithm/schedule.js";
import { UserError } from "../errors.js";
import { emptyQueue, methodOf, resolveConfig } from "../run/config/config.js";
import type { RunConfig } from "../run/config/fields.js";
import { refuseIneffectiveFlags } from "../run/config/ineffective.js";
import { RunReader } from "../run/directory/reader.js";
import type { DrawnSample } from "../run/directory/records.js";
import { scheduleOf } from "../run/loop/training.js";
import { observationCount } from "./training-frequency.js";

/** Where an outcome came from. */
type OutcomeSource = "recorded" | "other iteration" | "estimated";

type SourceCounts = Readonly<Record<OutcomeSource, number>>;

export interface ReplayedIteration {
  readonly iteration: number;
  readonly target: number | null;
  readonly visited: number;
  readonly solved: number;
  readonly alpha: number;
  readonly popped: number;
  /** |D₊| */
  readonly kept: number;
  readonly draws: number;
  readonly sources: SourceCounts;
}

export interface Replay {
  readonly method: Method;
  readonly observations: number;
  readonly iterations: readonly ReplayedIteration[];
  /** Of all outcomes that were needed. */
  readonly sources: SourceCounts;
  /** Times that each observation was in D₊. */
  readonly frequencies: Uint32Array;
}

interface SourcedTry extends DrawnTry {
  readonly source: OutcomeSource;
}

/**
 * @param settings of the method and of the schedule, by key, over those of the run Throws UserError where there is no
 *   finished iteration, or a method whose outcomes no run of another method can have recorded.
 */
export async function replayRun(dir: string, settings: Readonly<Record<string, unknown>>): Promise<Replay> {
  const run = RunReader.open(dir);
  const opened = run.find("opened");
  const size = observationCount(run);
  if (opened === undefined || size === 0) {
    throw new UserError(`expected a run with at least one finished iteration, got ${dir}, which has none`);
  }
  const resolved = resolveConfig([
    { source: "run", folder: dir, values: run.config },
    { source: "flags", folder: dir, values: settings },
  ]);
  refuseIneffectiveFlags(resolved);
  const { config } = resolved;
  const outcomes = new RecordedOutcomes(run, config.seed);
  if (!outcomes.hasDraws) {
    throw new UserError(
      `expected a run that sampled, got ${dir}, whose method ${opened.method.name} trains on gold answers: there are no outcomes to replay`,
    );
  }
  const method = methodOf(config, { rationalize: opened.method.rationalize || outcomes.hasHints });
  refuseUnrecorded(method);
  return replay(config, method, size, outcomes);
}

function refuseUnrecorded({ name, completions, temperature }: Method): void {
  if (completions === "gold") {
    throw new UserError(
      `expected a method that samples, got ${name}, which trains on gold answers: there is nothing to replay`,
    );
  }
  if (temperature === "balance") {
    throw new UserError(
      `expected a method with a fixed temperature, got ${name}: what a run recorded was drawn at one temperature. Set --temperature-policy fixed`,
    );
  }
}

async function replay(config: RunConfig, method: Method, size: number, outcomes: RecordedOutcomes): Promise<Replay> {
  const queue = emptyQueue(config, method, size);
  const frequencies = new Uint32Array(size);
  const iterations: ReplayedIteration[] = [];
  for (let t = 1; t <= outcomes.iterations; t++) {
    const sources = { ...NONE };
    const visited = await visit({
      method,
      queue,
      iteration: t,
      seed: config.seed,
      target: targetAt(t, scheduleOf(config), method),
      waveSize: config.samplingBatch,
      draw: async (requests) =>
        requests.map((request) => {
          const outcome = outcomes.of(t, request);
          sources[outcome.source]++;
          return outcome;
        }),
    });
    for (const { observation } of visited.kept) frequencies[observation]++;
    iterations.push({
      iteration: t,
      target: targetAt(t, scheduleOf(config), method),
      visited: visited.observations.length,
      solved: visited.solved,
      alpha: visited.alpha,
      popped: commit(queue, visited, method, config.curriculumPower),
      kept: visited.kept.length,
      draws: visited.tries.length + visited.speculated.length,
      sources,
    });
  }
  const total = (source: OutcomeSource) => iterations.reduce((sum, { sources }) => sum + sources[source], 0);
  const sources = {
    recorded: total("recorded"),
    "other iteration": total("other iteration"),
    estimated: total("estimated"),
  };
  return { method, observations: size, iterations, sources, frequencies };
}

const NONE: SourceCounts = { recorded: 0, "other iteration": 0, estimated: 0 };

/** Outcomes by iteration and try. */
class RecordedOutcomes {
  readonly iterations: number;
  readonly hasDraws: boolean;
  readonly hasHints: boolean;
  readonly #seed: number;
  /** By iteration, from 1: whether a try was right, by its key. */
  readonly #byIteration: readonly ReadonlyMap<string, boolean>[];
  /** By iteration: share of right tries, plain and hinted; null where none was drawn. */
  readonly #rates: readonly Readonly<Record<"plain" | "hinted", number | null>>[];

  /** Of the run's finished iterations. */
  constructor(run: RunReader, seed: number) {
    this.iterations = run.records.length;
    this.#seed = seed;
    const draws = run.records.map(({ iteration }) => [...run.draws(iteration)]);
    this.hasDraws = draws.some((all) => all.length > 0);
    this.hasHints = draws.some((all) => all.some(({ hinted }) => hinted));
    this.#byIteration = draws.map((all) => new Map(all.map((draw) => [keyOf(draw), draw.correct])));
    this.#rates = draws.map((all) => ({
      plain: shareOfRight(all.filter(({ hinted }) => !hinted)),
      hinted: shareOfRight(all.filter(({ hinted }) => hinted)),
    }));
  }

  /**
   * As recorded; else from the iteration nearest to t that has this very try; else by chance, at the rate of such tries
   * in iteration t.
   */
  of(t: number, request: TryRequest): SourcedTry {
    const key = keyOf(request);
    for (const other of this.#nearest(t)) {
      const correct = this.#byIteration[other - 1].get(key);
      if (correct !== undefined) return { ...request, correct, source: other === t ? "recorded" : "other iteration" };
    }
    const random = uniform(seedFor(this.#seed, "replay", t, request.observation, request.attempt), 0);
    return { ...request, correct: random < this.#rate(t, request.hinted), source: "estimated" };
  }

  #nearest(t: number): number[] {
    const all = Array.from({ length: this.iterations }, (_, i) => i + 1);
    return all.sort((a, b) => Math.abs(a - t) - Math.abs(b - t) || a - b);
  }

  /** Where no such try was drawn in any iteration, the rate of the other kind stands in. */
  #rate(t: number, hinted: boolean): number {
    const nearest = this.#nearest(t).map((other) => this.#rates[other - 1]);
    const kinds = hinted ? (["hinted", "plain"] as const) : (["plain", "hinted"] as const);
    for (const kind of kinds) {
      const known = nearest.find((rates) => rates[kind] !== null)?.[kind];
      if (typeof known === "number") return known;
    }
    return 0;
  }
}

function keyOf({ observation, attempt, hinted }: TryRequest): string {
  return `${observation} ${attempt} ${hinted}`;
}

function shareOfRight(draws: readonly DrawnSample[]): number | null {
  return draws.length === 0 ? null : draws.filter(({ correct }) => correct).length / draws.length;
}
