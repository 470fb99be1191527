/** Optimizer steps and queues in a size that a page can draw, whatever the size of the run. */

import { UserError } from "../errors.js";
import type { RunReader } from "../run/directory/reader.js";
import type { StepRecord } from "../run/directory/records.js";
import type { QueuePicture, StepBin, StepPage } from "./api-types.js";

/** Columns of win rates in the picture of a queue: 0, 0.05 … 1. */
const RATES = 21;

/** All optimizer steps so far in at most about `points` bins, none of which spans iterations. */
export async function stepPage(reader: RunReader, points: number): Promise<StepPage> {
  const done = reader.records.map(({ steps }) => steps);
  const total = done.reduce((a, b) => a + b, 0);
  const width = Math.max(1, Math.ceil(total / points));
  const bins: StepBin[] = [];
  let before = 0;
  for (const iteration of reader.iterations) {
    const steps = reader.steps(iteration);
    for (let i = 0; i < steps.length; i += width) bins.push(binOf(steps.slice(i, i + width), before, iteration));
    before += steps.length;
    await nextTurn();
  }
  return { steps: before, bins };
}

function binOf(steps: readonly StepRecord[], before: number, iteration: number): StepBin {
  const meanOf = (figure: (step: StepRecord) => number) =>
    steps.reduce((a, step) => a + figure(step), 0) / steps.length;
  const losses = steps.map(({ loss }) => loss);
  return {
    step: before + steps[steps.length - 1].step,
    iteration,
    loss: meanOf(({ loss }) => loss),
    lossLow: Math.min(...losses),
    lossHigh: Math.max(...losses),
    learningRate: meanOf(({ learningRate }) => learningRate),
    gradientNorm: meanOf(({ gradientNorm }) => gradientNorm),
  };
}

/** The queue as an iteration left it. Throws UserError where the iteration is not finished. */
export function queuePicture(reader: RunReader, iteration: number): QueuePicture {
  const cells = reader.queueCells(iteration);
  if (cells === null) throw new UserError(`iteration ${iteration} is not finished, so it has left no queue yet`);
  const counts = new Map<number, number>();
  let never = 0;
  let observations = 0;
  for (const cell of cells) {
    observations += cell.observations;
    if (cell.drawn === 0) never += cell.observations;
    else {
      const key = cell.lastSampled * RATES + Math.round((cell.correct / cell.drawn) * (RATES - 1));
      counts.set(key, (counts.get(key) ?? 0) + cell.observations);
    }
  }
  return {
    iteration,
    iterations: reader.records.length,
    observations,
    rates: RATES,
    cells: [...counts].map(([key, count]) => [Math.floor(key / RATES), key % RATES, count]),
    never,
  };
}

/** Lets other requests be answered. */
export function nextTurn(): Promise<void> {
  return new Promise((resume) => setImmediate(resume));
}
