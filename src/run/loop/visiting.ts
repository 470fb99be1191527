/** The visit of an iteration (steps 1 and 2 of Algorithm 1) with recorded draws. */

import { type Visit, visit } from "../../algorithm/iteration.js";
import type { ObservationQueue } from "../../algorithm/observation-queue.js";
import { targetAt } from "../../algorithm/schedule.js";
import { sum } from "../../statistics/descriptive.js";
import { addCosts, ownCost, samplingCost } from "../cost.js";
import type { VisitResult } from "../directory/journal.js";
import type { DrawnSample, KeptSample } from "../directory/records.js";
import { lostDraws, Tape } from "../directory/tape.js";
import { type RunContext, stopIfAsked } from "./context.js";
import { goldSamples } from "./gold.js";
import { drawTries, reportFailures } from "./sampling.js";
import { type ChosenTemperature, temperatureOf } from "./temperature.js";
import { scheduleOf } from "./training.js";

/** A visit and its figures. */
export interface Visited {
  readonly visit: Visit<DrawnSample>;
  readonly result: VisitResult;
}

/**
 * Visits observations until D₊ is full. Draws that an earlier session recorded are reused, so the outcome is that of an
 * uninterrupted visit. After the iteration's training all of them must be there, because the engine then holds other
 * weights.
 */
export async function visitObservations(run: RunContext, queue: ObservationQueue, iteration: number): Promise<Visited> {
  const { config, method, store, emit } = run;
  const log = store.log<DrawnSample>(iteration, "samples");
  const tape = new Tape(log);
  const clock = performance.now();
  let tokens = 0;
  let progress = { visited: 0, correct: 0, target: targetAt(iteration, scheduleOf(config), method) };
  const report = () =>
    emit({ kind: "visiting", iteration, ...progress, tokens, seconds: (performance.now() - clock) / 1000 });
  report();
  const chosen = await temperatureOf(run, iteration, (more) => {
    tokens += more;
    report();
  });
  const visited = await visit<DrawnSample>({
    method,
    queue,
    iteration,
    seed: config.seed,
    target: progress.target,
    waveSize: config.samplingBatch,
    draw: async (requests) => {
      if (method.completions === "gold") return goldSamples(run, requests);
      return tape.next(
        requests.length,
        (drawn, i) => drawn.observation === requests[i].observation && drawn.attempt === requests[i].attempt,
        async (wave) => {
          if (store.journal.find("trained", iteration) !== undefined) throw lostDraws(log.path);
          stopIfAsked(run);
          const place = { iteration, wave, temperature: chosen.temperature, purpose: "sample" } as const;
          const samples = await drawTries(run, requests, place, ({ generatedTokens }) => {
            tokens += generatedTokens;
            report();
          });
          emit({ kind: "samples", iteration, split: "train", samples });
          return samples;
        },
      );
    },
    onProgress: (now) => {
      progress = now;
      report();
    },
  });
  reportFailures(emit, `iteration ${iteration}`, "train", tape.played);
  return { visit: visited, result: figures(run, iteration, visited, tape.played, chosen) };
}

/** Lines of kept.jsonl. */
export function keptLines({ kept }: Visit<DrawnSample>): KeptSample[] {
  return kept.map(({ observation, id, attempt, hinted, tokens, text }) => ({
    observation,
    id,
    attempt,
    hinted,
    tokens,
    text,
  }));
}

function figures(
  run: RunContext,
  iteration: number,
  visited: Visit<DrawnSample>,
  draws: readonly DrawnSample[],
  { temperature, balance, probes }: ChosenTemperature,
): VisitResult {
  const { engine, config, method } = run;
  // Samples and probes number their waves separately, so each log is costed by itself.
  const probing = samplingCost(engine, probes);
  return {
    target: targetAt(iteration, scheduleOf(config), method),
    visited: visited.observations.length,
    solved: visited.solved,
    alpha: visited.alpha,
    kept: visited.kept.length,
    draws: draws.length,
    wrongSteps: wrongStepShare(run, visited.kept),
    temperature,
    balance,
    sampledTokens: sum([...draws, ...probes].map(({ generatedTokens }) => generatedTokens)),
    flops: {
      ...addCosts(samplingCost(engine, draws), probing),
      probes: probing.sampling,
      wasted: ownCost(engine, visited.speculated),
    },
  };
}

/** Share of D₊ that states the right answer after a wrong step; null if the task cannot check steps, or D₊ is empty. */
function wrongStepShare({ task }: RunContext, kept: readonly DrawnSample[]): number | null {
  // Gold answers have no rationale.
  if (task.checkRationale === undefined || kept.every(({ wrongStep }) => wrongStep === undefined)) return null;
  return kept.filter(({ wrongStep }) => wrongStep !== null).length / kept.length;
}
