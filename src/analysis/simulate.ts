/**
 * A method on the simulated learner without any text: for research on sampling orders at sizes of real data sets and
 * beyond. The learner is the scripted engine's (engine/scripted/learner.ts), asked for outcomes instead of completions.
 *
 * Memory: about 60 bytes an observation for methods that visit in the queue's order; some hundred more for those that
 * visit all.
 */

import { commit, visit } from "../algorithm/iteration.js";
import type { Method } from "../algorithm/methods.js";
import { seedFor, uniform } from "../algorithm/random.js";
import { stepsAt, targetAt } from "../algorithm/schedule.js";
import { trainingBatches } from "../algorithm/training-order.js";
import { Learner } from "../engine/scripted/learner.js";
import { DEFAULT_TRAITS } from "../engine/scripted/scripted-engine.js";
import { UserError } from "../errors.js";
import { emptyQueue } from "../run/config/config.js";
import type { RunConfig } from "../run/config/fields.js";
import { optimizerParams, scheduleOf } from "../run/loop/training.js";

export interface SimulatedIteration {
  readonly iteration: number;
  readonly target: number | null;
  readonly visited: number;
  readonly alpha: number;
  readonly popped: number;
  readonly kept: number;
  readonly draws: number;
  /** Training examples so far. */
  readonly trained: number;
  /** Mean probability of being right on observations that are never trained on. */
  readonly accuracy: number;
  readonly seconds: number;
}

/** Difficulties from 0 on, equally frequent; observations of one difficulty are alike. */
const DIFFICULTIES = 6;
const HELD_OUT = 1_200;
/** Tokens of every completion; only the loss's scale depends on it. */
const COMPLETION = 20;

/** @param observations N, 1 to 10⁷ */
export async function simulate(
  config: RunConfig,
  method: Method,
  observations: number,
  onIteration: (iteration: SimulatedIteration) => void = () => {},
): Promise<SimulatedIteration[]> {
  if (method.completions === "gold" || method.temperature === "balance") {
    throw new UserError(
      `expected a method that samples at a fixed temperature, got ${method.name}: the simulation has neither answers nor temperatures`,
    );
  }
  const kinds = Array.from({ length: DIFFICULTIES }, (_, difficulty) => ({ difficulty, group: String(difficulty) }));
  // The place in the data says nothing about the difficulty.
  const lessons = Array.from(
    { length: observations + HELD_OUT },
    (_, i) => kinds[Math.floor(uniform(seedFor(config.seed, "data"), i) * DIFFICULTIES)],
  );
  const learner = new Learner(lessons, DEFAULT_TRAITS);
  const queue = emptyQueue(config, method, observations);
  const iterations: SimulatedIteration[] = [];
  let trained = 0;
  for (let t = 1; t <= config.iterations; t++) {
    const start = performance.now();
    const target = targetAt(t, scheduleOf(config), method);
    const visited = await visit({
      method,
      queue,
      iteration: t,
      seed: config.seed,
      target,
      waveSize: config.samplingBatch,
      draw: async (requests) =>
        requests.map((request) => {
          const { observation, attempt, hinted } = request;
          const random = uniform(seedFor(config.seed, "sample", t, observation, attempt), 0);
          return { ...request, correct: random < probability(learner, observation, hinted) };
        }),
    });
    if (method.start === "reset") learner.reset();
    else learner.resetOptimizer();
    const { batchSize, seed } = config;
    const steps = method.batch === "schedule" ? stepsAt(t, scheduleOf(config)) : null;
    const size = visited.kept.length;
    let step = 0;
    const total = steps ?? Math.ceil(size / batchSize);
    for (const batch of trainingBatches({ size, batchSize, steps, seed, iteration: t })) {
      const evidence = batch.map((entry) => ({
        lesson: visited.kept[entry].observation,
        right: COMPLETION,
        wrong: 0,
        length: COMPLETION,
      }));
      learner.update(learner.gradient(evidence).gradient, 1, optimizerParams(config, ++step, total));
      trained += batch.length;
    }
    const iteration = {
      iteration: t,
      target,
      visited: visited.observations.length,
      alpha: visited.alpha,
      popped: commit(queue, visited, method, config.curriculumPower),
      kept: size,
      draws: visited.tries.length + visited.speculated.length,
      trained,
      accuracy: heldOutAccuracy(learner, observations),
      seconds: (performance.now() - start) / 1000,
    };
    iterations.push(iteration);
    onIteration(iteration);
  }
  return iterations;
}

function heldOutAccuracy(learner: Learner, from: number): number {
  let sum = 0;
  for (let i = 0; i < HELD_OUT; i++) sum += probability(learner, from + i, false);
  return sum / HELD_OUT;
}

function probability(learner: Learner, lesson: number, hinted: boolean): number {
  return 1 / (1 + Math.exp(-learner.logOdds(lesson, hinted)));
}
