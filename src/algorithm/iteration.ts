/**
 * One iteration of Algorithm 1 (AdaSTaR, section 3), exact under batching and the same for every method.
 *
 * Departures from the paper's text:
 * 1. Samples are drawn for a wave of observations at a time. m is still the shortest prefix of the visiting order
 *    whose correct samples reach βᵗ. What a wave drew beyond it is `speculated`: its cost counts, and it is used for
 *    nothing.
 * 2. α is the share of the m visited observations that were solved in any of their tries, as in the authors' code.
 * 3. Step 4 takes the first ⌊m·αᵖ⌋ off the queue before it puts any of them back. With the key (t̃, w̃) that
 *    gives the same as one pop and push after the other. With a key that begins with w̃, an observation put back could
 *    come up again at once.
 *
 * Everything that the algorithm needs from outside is passed in as a function. Given the outcomes of the tries, all of
 * it is deterministic. So a caller that recorded them repeats an interrupted visit by answering `draw` from its
 * records.
 */

import { gateCount } from "./curriculum.js";
import type { Method } from "./methods.js";
import type { ObservationQueue } from "./observation-queue.js";
import { seedFor, shuffled } from "./random.js";

/** One sample to draw. */
export interface TryRequest {
  /** Index of the observation. */
  readonly observation: number;
  /** 1 … K */
  readonly attempt: number;
  /** Whether the prompt carries the gold answer as a hint (STaR, section 3.2). */
  readonly hinted: boolean;
}

/**
 * A request and its outcome: what the algorithm needs to know of a sample. Callers may put more into it and get it
 * back.
 */
export interface DrawnTry extends TryRequest {
  readonly correct: boolean;
}

/** Draws a sample for each request; resolves to the samples in the order of the requests. */
export type Draw<T extends DrawnTry> = (requests: readonly TryRequest[]) => Promise<readonly T[]>;

export interface VisitProgress {
  /** Observations visited so far that may count: m once the visit is over. */
  readonly visited: number;
  /** Samples so far that D₊ would take, before it is cut to βᵗ. */
  readonly correct: number;
  /** βᵗ */
  readonly target: number | null;
}

export interface VisitOptions<T extends DrawnTry> {
  readonly method: Method;
  /** All observations in their current order; only read. */
  readonly queue: ObservationQueue;
  /** t = 1, 2, … */
  readonly iteration: number;
  /** The run's seed. */
  readonly seed: number;
  /** βᵗ (`targetAt`); null for methods that keep everything. */
  readonly target: number | null;
  /** Observations to draw for at once, at most; 1 or more. Changes only how much is speculated. */
  readonly waveSize: number;
  readonly draw: Draw<T>;
  /** Called after every answer of `draw`. */
  readonly onProgress?: (progress: VisitProgress) => void;
}

/** The statistics of a visit: all that step 4 needs, as plain numbers that a caller may store on disk. */
export interface VisitStatistics {
  /** t */
  readonly iteration: number;
  /** Indices of the m visited observations, in visiting order. */
  readonly observations: Uint32Array;
  /** Correct samples of each, in the same order. */
  readonly correct: Uint8Array;
  /** Samples drawn of each, in the same order. */
  readonly drawn: Uint8Array;
  /** Visited observations with at least one correct sample. */
  readonly solved: number;
}

export interface Visit<T extends DrawnTry> extends VisitStatistics {
  /** α = solved / m, in [0, 1]; 0 when nothing was visited. */
  readonly alpha: number;
  /** D₊, in visiting order. */
  readonly kept: readonly T[];
  /** Every try of the m visited observations, in visiting order, D₊ included. */
  readonly tries: readonly T[];
  /** Tries of observations beyond the m visited: spent, but used for nothing. */
  readonly speculated: readonly T[];
  /** All observations were visited, and still fewer than βᵗ samples are correct. */
  readonly exhausted: boolean;
}

export interface IterationOptions<T extends DrawnTry> extends VisitOptions<T> {
  /** p of the curriculum's gate f(α) = αᵖ, 0 or more. The paper: 2. */
  readonly power: number;
  /** Trains the model on `visit.kept`. */
  readonly train: (visit: Visit<T>) => Promise<void>;
}

/** One whole iteration. A caller that must be able to stop in between calls `visit` and then `commit` itself. */
export async function runIteration<T extends DrawnTry>(
  options: IterationOptions<T>,
): Promise<{ readonly visit: Visit<T>; readonly updated: number }> {
  // Steps 1 and 2: D₊ ← ∅; sample in order until |D₊| reaches βᵗ.
  const visited = await visit(options);
  // Step 3: train on D₊.
  await options.train(visited);
  // Step 4: update the statistics of the first ⌊m·αᵖ⌋.
  const updated = commit(options.queue, visited, options.method, options.power);
  return { visit: visited, updated };
}

/**
 * Steps 1 and 2: draws up to K samples for one observation after the other, in the method's order, until βᵗ samples are
 * correct or every observation was visited. The queue does not change.
 */
export async function visit<T extends DrawnTry>(options: VisitOptions<T>): Promise<Visit<T>> {
  const { method, queue, iteration, seed, target, waveSize } = options;
  if (!(waveSize >= 1)) throw new Error(`expected waves of 1 observation or more, got ${waveSize}`);
  /** |D₊| that ends the visit; without it all are visited. */
  const enough = method.visits !== "all" && target !== null ? target : Number.POSITIVE_INFINITY;
  const order = method.visits === "queue" ? queue.peekInOrder() : randomOrder(queue.size, seed, iteration);
  const visited: Candidate<T>[] = [];
  const speculated: T[] = [];
  let gained = 0;
  while (gained < enough) {
    const settled = { visited: visited.length, gained };
    const wave = take<T>(order, waveSizeAt(options, enough, settled));
    if (wave.length === 0) break;
    await drawWave(wave, options, enough, settled);
    for (const candidate of wave) {
      if (gained < enough) {
        visited.push(candidate);
        gained += usable(candidate, method);
      } else {
        speculated.push(...candidate.tries);
      }
    }
  }
  const solved = visited.filter((candidate) => candidate.correct > 0).length;
  return {
    iteration,
    observations: Uint32Array.from(visited, (candidate) => candidate.observation),
    correct: Uint8Array.from(visited, (candidate) => candidate.correct),
    drawn: Uint8Array.from(visited, (candidate) => candidate.tries.length),
    solved,
    alpha: visited.length === 0 ? 0 : solved / visited.length,
    kept: keep(visited, options),
    tries: visited.flatMap((candidate) => candidate.tries),
    speculated,
    exhausted: target !== null && gained < target,
  };
}

/**
 * Step 4: for the first ⌊m·αᵖ⌋ visited (all m without the gate), t̃ ← t and w̃ ← w, and the queue is put in order.
 * Returns how many. Repeating it changes nothing. All m are recorded as visited.
 */
export function commit(
  queue: ObservationQueue,
  { iteration, observations, correct, drawn, solved }: VisitStatistics,
  method: Pick<Method, "curriculum">,
  power: number,
): number {
  queue.recordVisits(observations);
  const visited = observations.length;
  const updated = method.curriculum === "gate" ? gateCount(visited, solved, power) : visited;
  // In the queue's order these are exactly those that ⌊m·αᵖ⌋ pops would return; an update is a pop and a push in one.
  for (let i = 0; i < updated; i++) queue.update(observations[i], iteration, correct[i], drawn[i]);
  return updated;
}

/** An observation of the current wave. Its place in the order is certain; whether it is needed is not. */
interface Candidate<T extends DrawnTry> {
  readonly observation: number;
  readonly tries: T[];
  /** How many of them are correct. */
  correct: number;
}

/** What was certain before the current wave. */
interface Settled {
  readonly visited: number;
  readonly gained: number;
}

/** How many of a candidate's correct samples D₊ takes. */
function usable({ correct }: { readonly correct: number }, { keepPerObservation }: Method): number {
  return Math.min(correct, keepPerObservation ?? correct);
}

function randomOrder(size: number, seed: number, iteration: number): Iterator<number> {
  return shuffled(size, seedFor(seed, "visit-order", iteration)).values();
}

function take<T extends DrawnTry>(order: Iterator<number>, count: number): Candidate<T>[] {
  const wave: Candidate<T>[] = [];
  while (wave.length < count) {
    const next = order.next();
    if (next.done === true) break;
    wave.push({ observation: next.value, tries: [], correct: 0 });
  }
  return wave;
}

/**
 * How many observations to draw for next: at most `waveSize`, and towards the end about as many as are still needed by
 * the yield so far, plus one standard deviation, so that few waves are small and little is speculated. The result of a
 * visit does not depend on it.
 */
function waveSizeAt<T extends DrawnTry>(
  { waveSize }: VisitOptions<T>,
  enough: number,
  { visited, gained }: Settled,
): number {
  if (enough === Number.POSITIVE_INFINITY) return waveSize;
  const missing = enough - gained;
  // One before anything is known.
  const yieldPerVisit = (gained + 1) / (visited + 1);
  return Math.max(1, Math.min(waveSize, Math.ceil((missing + Math.sqrt(missing)) / yieldPerVisit)));
}

/**
 * Draws the tries of a wave, one try of each observation at a time. Before each round, candidates after the place where
 * the correct samples so far reach βᵗ are dropped: more samples can only move that place forward, so they are not among
 * the m visited.
 */
async function drawWave<T extends DrawnTry>(
  wave: readonly Candidate<T>[],
  { method, draw, target, onProgress }: VisitOptions<T>,
  enough: number,
  settled: Settled,
): Promise<void> {
  let needed = wave;
  for (let attempt = 1; attempt <= method.tries; attempt++) {
    const open = attempt === 1 || method.retry === "always" ? needed : needed.filter(({ correct }) => correct === 0);
    if (open.length === 0) return;
    const hinted = attempt > 1 && method.rationalize;
    const requests = open.map(({ observation }): TryRequest => ({ observation, attempt, hinted }));
    const drawn = await draw(requests);
    checkDrawn(drawn, requests);
    for (const [i, candidate] of open.entries()) {
      candidate.tries.push(drawn[i]);
      if (drawn[i].correct) candidate.correct++;
    }
    const reach = shortestPrefix(needed, enough - settled.gained, method);
    needed = needed.slice(0, reach.length);
    onProgress?.({ visited: settled.visited + reach.length, correct: settled.gained + reach.gained, target });
  }
}

function checkDrawn(drawn: readonly DrawnTry[], requests: readonly TryRequest[]): void {
  if (drawn.length !== requests.length) {
    throw new Error(`expected ${requests.length} outcomes of draw, got ${drawn.length}`);
  }
  const other = requests.findIndex(
    ({ observation, attempt }, i) => drawn[i].observation !== observation || drawn[i].attempt !== attempt,
  );
  if (other >= 0) {
    const name = ({ observation, attempt }: TryRequest) => `try ${attempt} of observation ${observation}`;
    throw new Error(`expected ${name(requests[other])} of draw, got ${name(drawn[other])}`);
  }
}

/** The shortest prefix of the wave whose usable samples reach `missing`, or all of it. */
function shortestPrefix<T extends DrawnTry>(
  wave: readonly Candidate<T>[],
  missing: number,
  method: Method,
): { readonly length: number; readonly gained: number } {
  let length = 0;
  let gained = 0;
  while (length < wave.length && gained < missing) gained += usable(wave[length++], method);
  return { length, gained };
}

/**
 * D₊: of each observation's correct samples the first `keepPerObservation`; of these the first βᵗ in visiting order, or
 * βᵗ random ones where all observations are visited whatever is found.
 */
function keep<T extends DrawnTry>(
  visited: readonly Candidate<T>[],
  { method, target, seed, iteration }: VisitOptions<T>,
): readonly T[] {
  const usableTries = visited.flatMap((candidate) =>
    candidate.tries.filter(({ correct }) => correct).slice(0, usable(candidate, method)),
  );
  if (target === null || usableTries.length <= target) return usableTries;
  if (method.visits !== "all") return usableTries.slice(0, target);
  const chosen = shuffled(usableTries.length, seedFor(seed, "keep", iteration))
    .subarray(0, target)
    .sort();
  return Array.from(chosen, (i) => usableTries[i]);
}
