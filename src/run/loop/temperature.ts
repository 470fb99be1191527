/** The sampling temperature of an iteration: the configured one, or chosen by probes (algorithm/balance.ts) that are recorded like samples. */

import { bestTemperature, probeTemperatures, type ScoredTemperature } from "../../algorithm/balance.js";
import type { ProbeSample } from "../directory/records.js";
import { lostDraws, Tape } from "../directory/tape.js";
import { type RunContext, stopIfAsked } from "./context.js";
import { drawTries, tellFailures } from "./sampling.js";

export interface ChosenTemperature {
  readonly temperature: number;
  /** What it was chosen by; null where it is fixed. */
  readonly balance: readonly ScoredTemperature[] | null;
  readonly probes: readonly ProbeSample[];
}

/** @param onToken told how many tokens each finished probe took */
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
  tellFailures(emit, `iteration ${iteration}, probes`, "train", tape.played);
  return { temperature: bestTemperature(balance), balance, probes: tape.played };
}
