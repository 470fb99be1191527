/** The visit of an iteration: Algorithm 1's steps 1 and 2 with recorded draws. */

import { type DrawnTry, type Visit, visit } from "../algorithm/iteration.js";
import type { ObservationQueue } from "../algorithm/observation-queue.js";
import { targetAt } from "../algorithm/schedule.js";
import { UserError } from "../errors.js";
import { type RunContext, stopIfAsked } from "./context.js";
import { ownCost, samplingCost, sum } from "./cost.js";
import type { VisitResult } from "./journal.js";
import { type DrawnSample, drawTries, tellFailures } from "./sampling.js";
import { Tape } from "./tape.js";
import { scheduleOf } from "./training.js";

/** A visit, and its figures. */
export interface Visited {
  readonly visit: Visit<DrawnSample>;
  readonly result: VisitResult;
}

/**
 * Visits observations until D₊ is full. Draws that an earlier session recorded are played back, so the outcome is that of an uninterrupted visit;
 * after the iteration's training (the engine then holds other weights) all of them must be there.
 */
export async function visitObservations(run: RunContext, queue: ObservationQueue, iteration: number): Promise<Visited> {
  const { config, method, store, emit } = run;
  const temperature = config.temperature;
  const log = store.log<DrawnSample>(iteration, "samples");
  const tape = new Tape(log);
  const clock = performance.now();
  let tokens = 0;
  let progress = { visited: 0, correct: 0, target: targetAt(iteration, scheduleOf(config), method) };
  const tell = () =>
    emit({ kind: "visiting", iteration, ...progress, tokens, seconds: (performance.now() - clock) / 1000 });
  const visited = await visit<DrawnSample>({
    method,
    queue,
    iteration,
    seed: config.seed,
    target: progress.target,
    waveSize: config.samplingBatch,
    draw: (requests) =>
      tape.next(
        requests.length,
        (drawn, i) => drawn.observation === requests[i].observation && drawn.attempt === requests[i].attempt,
        async (wave) => {
          if (store.journal.find("trained", iteration) !== undefined) throw lostDraws(log.path);
          stopIfAsked(run);
          return drawTries(run, requests, { iteration, wave, temperature }, ({ generatedTokens }) => {
            tokens += generatedTokens;
            tell();
          });
        },
      ),
    onProgress: (now) => {
      progress = now;
      tell();
    },
  });
  tellFailures(emit, `iteration ${iteration}`, "train", tape.played);
  return { visit: visited, result: figures(run, iteration, visited, tape.played) };
}

function figures(
  run: RunContext,
  iteration: number,
  visited: Visit<DrawnSample>,
  draws: readonly DrawnSample[],
): VisitResult {
  const { engine, config, method } = run;
  return {
    target: targetAt(iteration, scheduleOf(config), method),
    visited: visited.observations.length,
    solved: visited.solved,
    alpha: visited.alpha,
    kept: visited.kept.length,
    draws: draws.length,
    wrongSteps: wrongStepShare(run, visited.kept),
    temperature: config.temperature,
    sampledTokens: sum(draws.map(({ generatedTokens }) => generatedTokens)),
    flops: {
      ...samplingCost(engine, draws),
      wasted: ownCost(
        engine,
        visited.speculated.map(({ outcome }) => outcome),
      ),
    },
  };
}

/** Share of D₊ that states the right answer after a wrong step; null where the task cannot tell or D₊ is empty. */
function wrongStepShare({ task }: RunContext, kept: readonly DrawnTry<DrawnSample>[]): number | null {
  if (task.checkRationale === undefined || kept.length === 0) return null;
  return kept.filter(({ outcome }) => outcome.wrongStep !== null).length / kept.length;
}

function lostDraws(path: string): UserError {
  return new UserError(
    `${path} is not what the run wrote: expected every sample of an iteration that was trained on, got fewer. ` +
      "Restore the file from a copy, or start the run again in a new directory.",
  );
}
