/**
 * AdaSTaR's order around a custom trainer: no model, no files. Here the "model" is a skill that grows with what it
 * is trained on, and a question is a difficulty in [0, 1).
 *
 * Run it with Node 22.18 or newer: `node examples/own-sampler.ts`.
 */

import { commit, methodNamed, ObservationQueue, seedFor, uniform, visit } from "adastar";

const SEED = 1;
const OBSERVATIONS = 2000;
/** βᵗ, correct samples wanted in each iteration. */
const TARGET = 160;

const difficulties = Array.from({ length: OBSERVATIONS }, (_, i) => uniform(seedFor(SEED, "data", 0, i), 0));
let skill = 0.2;

/** Most right where skill is well above difficulty. */
function chanceOfRight(difficulty: number): number {
  return 1 / (1 + Math.exp(8 * (difficulty - skill)));
}

const method = methodNamed("adastar");
const queue = ObservationQueue.create(OBSERVATIONS, method.queueKey, { tieSeed: seedFor(SEED, "ties") });

for (let iteration = 1; iteration <= 8; iteration++) {
  const visited = await visit({
    method,
    queue,
    iteration,
    seed: SEED,
    target: TARGET,
    waveSize: 64,
    // A real program asks its model here. Keyed random numbers make a try come out the same whatever is drawn beside
    // it.
    draw: async (requests) =>
      requests.map((request) => {
        const { observation, attempt } = request;
        const luck = uniform(seedFor(SEED, "sample", iteration, observation, attempt), 0);
        return { ...request, correct: luck < chanceOfRight(difficulties[observation] ?? 1) };
      }),
  });

  // And trains it here, on `visited.kept`.
  const hardest = Math.max(...visited.kept.map(({ observation }) => difficulties[observation] ?? 0));
  skill += 0.15 * Math.max(0, hardest - skill);

  const updated = commit(queue, visited, method, 2);
  console.log(
    `iteration ${iteration}: m ${visited.observations.length}, α ${visited.alpha.toFixed(2)}, updated ${updated}, skill ${skill.toFixed(2)}`,
  );
}
