/**
 * Why a run visited an observation when it did, and the outcome: from the run directory alone, whether the run is over
 * or not.
 */

import type { Method } from "../algorithm/methods.js";
import { ObservationQueue } from "../algorithm/observation-queue.js";
import { seedFor, shuffled } from "../algorithm/random.js";
import { shown, UserError } from "../errors.js";
import { emptyQueue } from "../run/config/config.js";
import type { RunConfig } from "../run/config/fields.js";
import { RunReader } from "../run/directory/reader.js";
import type { DrawnSample, KeptSample } from "../run/directory/records.js";
import { observationCount, trainingCounts } from "./training-frequency.js";

/** An observation's statistics in the queue, by which it is ordered. */
interface QueuePosition {
  /** t̃ */
  readonly lastSampled: number;
  /** w̃ as correct of drawn samples; 0 of 0 before the first update. */
  readonly correct: number;
  readonly drawn: number;
}

export interface IterationExplanation {
  readonly iteration: number;
  /** Place in the visiting order, from 1; null where it cannot be known yet. */
  readonly place: number | null;
  /** Null for methods that visit everything in random order. */
  readonly key: QueuePosition | null;
  /** m; null while the visit is under way. */
  readonly visited: number | null;
  /** ⌊m·αᵖ⌋; null until the iteration is finished. */
  readonly popped: number | null;
  /**
   * not reached: the visit ended before it. speculated: drawn for along with others, and not needed. updated: its
   * statistics are new. held back: visited, and the curriculum's gate kept its old statistics. under way: the iteration
   * is not finished.
   */
  readonly outcome: "not reached" | "speculated" | "updated" | "held back" | "under way";
  readonly tries: readonly DrawnSample[];
  /** Times it was trained on in this iteration. */
  readonly trained: number;
}

export interface Explanation {
  readonly index: number;
  /** Null where it was never drawn. */
  readonly id: string | null;
  readonly gold: string | null;
  readonly method: Method;
  /** What decides among equal keys of the queue: a random rank, or the index. */
  readonly ties: RunConfig["queueTies"];
  /** N; null before the first iteration is finished. */
  readonly observations: number | null;
  readonly iterations: readonly IterationExplanation[];
  /** Times it was trained on in all. */
  readonly trained: number;
}

const WHOLE_NUMBER = /^\d+$/;

/**
 * @param observation its id, or else its index in the training set
 * Throws UserError when there is no such run or the run knows no such observation.
 */
export function explainObservation(dir: string, observation: string): Explanation {
  const run = RunReader.open(dir);
  const { opened } = run;
  const gold = opened.method.completions === "gold";
  const begun = run.iterations.filter((t) => t > 0);
  const logs = new Map(begun.map((t) => [t, [...run.draws(t)]]));
  const size = observationCount(run);
  // Where nothing is sampled, every observation is in D₊.
  const known = [...logs.values(), ...(gold ? begun.map((t) => [...run.kept(t)]) : [])].flat();
  const index = indexOf(observation, known, size, dir);
  const counts = Array.from(trainingCounts(run, run.records.length), (all) => all[index]);
  const iterations = begun.map((t) => {
    const before = counts[t - 2] ?? 0;
    const trained = (counts[t - 1] ?? before) - before;
    const tries = (logs.get(t) ?? []).filter((draw) => draw.observation === index);
    return {
      ...explainIteration(run, opened.method, { t, index, size, drawn: tries.length > 0 }),
      tries,
      trained,
    };
  });
  return {
    index,
    id: known.find((sample) => sample.observation === index)?.id ?? null,
    gold: iterations.flatMap(({ tries }) => tries)[0]?.gold ?? null,
    method: opened.method,
    ties: run.config.queueTies,
    observations: size === 0 ? null : size,
    iterations,
    trained: counts.at(-1) ?? 0,
  };
}

/** What an iteration did with an observation, but for its tries. `size` is N; `drawn`: whether it has draws. */
export function explainIteration(
  run: RunReader,
  method: Method,
  {
    t,
    index,
    size,
    drawn,
  }: { readonly t: number; readonly index: number; readonly size: number; readonly drawn: boolean },
): Omit<IterationExplanation, "tries" | "trained"> {
  const { place, key } =
    method.visits === "queue" ? queuePlace(run, method, { t, index, size }) : randomPlace(run, t, index, size);
  const visited = run.find("visited", t)?.result.visited ?? null;
  const popped = run.find("committed", t)?.record.popped ?? null;
  const outcome = (): IterationExplanation["outcome"] => {
    if (visited === null || place === null) return "under way";
    if (place > visited) return drawn ? "speculated" : "not reached";
    if (popped === null) return "under way";
    return place <= popped ? "updated" : "held back";
  };
  return { iteration: t, place, key, visited, popped, outcome: outcome() };
}

/**
 * In the queue as the iteration before left it. Nothing can be said of the first one before the number of observations
 * is known.
 */
function queuePlace(
  run: RunReader,
  method: Method,
  { t, index, size }: { readonly t: number; readonly index: number; readonly size: number },
) {
  const before = run.find("committed", t - 1);
  if (t === 1 ? size === 0 : before === undefined) return { place: null, key: null };
  const queue =
    before === undefined ? emptyQueue(run.config, method, size) : ObservationQueue.restore(run.read(before.queue));
  let place = 1;
  for (const observation of queue.peekInOrder()) {
    if (observation === index) break;
    place++;
  }
  return { place, key: { lastSampled: queue.lastSampled(index), ...queue.counts(index) } };
}

function randomPlace({ config }: RunReader, t: number, index: number, size: number) {
  if (size === 0) return { place: null, key: null };
  return { place: shuffled(size, seedFor(config.seed, "visit-order", t)).indexOf(index) + 1, key: null };
}

/** @param known samples with the ids of their observations */
function indexOf(
  observation: string,
  known: readonly Pick<KeptSample, "observation" | "id">[],
  size: number,
  dir: string,
): number {
  const named = known.find(({ id }) => id === observation);
  if (named !== undefined) return named.observation;
  // Where ids are numbers themselves, a number that is not a known id would be the index of some other observation.
  const numbered = known.some(({ id }) => WHOLE_NUMBER.test(id));
  const index = WHOLE_NUMBER.test(observation) && !numbered ? Number(observation) : Number.NaN;
  if (index < size || known.some((sample) => sample.observation === index)) return index;
  const indices = size === 0 || numbered ? "" : `, or an index below ${size}`;
  throw new UserError(
    `expected the id of an observation that ${dir} has drawn samples of${indices}, got ${shown(observation)}`,
  );
}
