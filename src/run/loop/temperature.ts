/**
 * The sampling temperature of an iteration: the configured one, or one that is chosen by probes (algorithm/balance.ts).
 * Probes are recorded like samples.
 */

import { bestTemperature, probeTemperatures, type ScoredTemperature } from "../../algorithm/balance.js";
import type { ProbeSample } from "../directory/records.js";
import { lostDraws, Tape } from "../directory/tape.js";
import { type RunContext, stopIfAsked } from "./context.js";
import { drawTries, reportFailures } from "./sampling.js";

export interface ChosenTemperature {
  readonly temperature: number;
  /** The scores that it was chosen by; null if it is fixed. */
  readonly balance: readonly ScoredTemperature[] | null;
  readonly probes: readonly ProbeSample[];
}

/** @param onToken called with the number of tokens of each finished probe */
export async function temperatureOf(
  run: RunContext,
  iteration: number,
  onToken: (tokens: number) => void,
): Promise<ChosenTemperature> {
  const { config, method, store, train, emit } = run;
  if (method.temperature === "fixed") return { temperature: config.temperature, balance: null, probes: [] };
  const log = store.log<ProbeSample>(iteration, "probes");
  const tape = new Tape(log);
  const balance = await probeTemperatures<ProbeSample>({
    observations: train.length,
    queries: config.probes,
    tries: method.tries,
    iteration,
    seed: config.seed,
    waveSize: config.samplingBatch,
    draw: (temperature, requests) =>
      tape.next(
        requests.length,
        (probe, i) =>
          probe.temperature === temperature &&
          probe.observation === requests[i].observation &&
          probe.attempt === requests[i].attempt,
        async (wave) => {
          if (store.journal.find("trained", iteration) !== undefined) throw lostDraws(log.path);
          stopIfAsked(run);
          const place = { iteration, wave, temperature, purpose: "probe" } as const;
          const drawn = await drawTries(run, requests, place, ({ generatedTokens }) => onToken(generatedTokens));
          return drawn.map((sample) => ({ ...sample, temperature }));
        },
      ),
  });
  reportFailures(emit, `iteration ${iteration}, probes`, "train", tape.played);
  return { temperature: bestTemperature(balance), balance, probes: tape.played };
}
