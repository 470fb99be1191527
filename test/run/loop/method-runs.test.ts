/**
 * Methods that do more than sample at one temperature and train on what is right: B-STaR, SFT, and parts put together.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BALANCE_TEMPERATURES } from "../../../src/algorithm/balance.js";
import { methodOf, resolveConfig } from "../../../src/run/config/config.js";
import type { RunConfig } from "../../../src/run/config/fields.js";
import { findEntry, readJournal } from "../../../src/run/directory/journal.js";
import { readRun } from "../../../src/run/directory/reader.js";
import type { DrawnSample, ProbeSample, VerifiedSample } from "../../../src/run/directory/records.js";
import { readSealedLog } from "../../../src/run/directory/sealed-log.js";
import { majority } from "../../../src/run/loop/evaluation.js";
import { resumeRun, startRun } from "../../../src/run/loop/runner.js";
import { essence, recorder, records, smallConfig, smallTask } from "../small-run.js";

const quiet = () => {};

describe("b-star", () => {
  const config = (values: Partial<RunConfig> = {}) =>
    smallConfig({ method: "b-star", iterations: 2, probes: 6, ...values });

  test("probes, samples at what it chose, and counts what the probes cost", async () => {
    const { events, listen } = recorder();
    const { runDir } = await startRun(config(), listen, { task: smallTask });
    const journal = readJournal(join(runDir, "journal.jsonl"));
    for (const record of records(events)) {
      const folder = join(runDir, "iterations", String(record.iteration).padStart(4, "0"));
      const probes = readSealedLog<ProbeSample>(join(folder, "probes.jsonl"));
      expect(probes).toHaveLength(6 * 5 * BALANCE_TEMPERATURES.length);
      const balance = findEntry(journal, "visited", record.iteration)?.result.balance ?? [];
      expect(balance.map(({ temperature }) => temperature)).toEqual(BALANCE_TEMPERATURES);
      const best = balance.toSorted((a, b) => b.score - a.score || a.temperature - b.temperature)[0];
      expect(record.temperature).toBe(best?.temperature);
      expect(record.flops.probes).toBeGreaterThan(0);
      expect(record.flops.sampling).toBe(record.flops.sharedPrefix + record.flops.prompt + record.flops.generation);
      expect(record.flops.total).toBe(record.flops.sampling + record.flops.training);
      const samples = readSealedLog<DrawnSample>(join(folder, "samples.jsonl"));
      expect(samples).toHaveLength(60 * 5);
      const tokens = [...samples, ...probes].reduce((total, { generatedTokens }) => total + generatedTokens, 0);
      expect(record.sampledTokens).toBe(tokens);
    }
  });

  test("resumes from its recorded probes after it was stopped", async () => {
    const whole = await startRun(config(), quiet, { task: smallTask });
    const stop = new AbortController();
    const stopped = config();
    let told = 0;
    const halfway = (event: { kind: string }) => {
      // In the middle of the probes of the first iteration.
      if (event.kind === "visiting" && ++told === 100) stop.abort();
    };
    const interrupted = await startRun(stopped, halfway, { task: smallTask, signal: stop.signal });
    expect(interrupted.status).toBe("interrupted");
    expect(existsSync(join(interrupted.runDir, "iterations", "0001", "probes.jsonl"))).toBe(true);
    expect(existsSync(join(interrupted.runDir, "iterations", "0001", "kept.jsonl"))).toBe(false);
    await resumeRun(interrupted.runDir, quiet, { task: smallTask });
    expect(essence(interrupted.runDir)).toEqual(essence(whole.runDir));
  });

  test("its temperature goes with AdaSTaR's order", async () => {
    const { events, listen } = recorder();
    await startRun(smallConfig({ temperaturePolicy: "balance", probes: 4, iterations: 1 }), listen, {
      task: smallTask,
    });
    expect(records(events)[0]).toMatchObject({ target: 20, kept: 20 });
    expect(records(events)[0].flops.probes).toBeGreaterThan(0);
  });
});

describe("sft", () => {
  const config = (values: Partial<RunConfig> = {}) => smallConfig({ method: "sft", iterations: 2, ...values });

  test("trains an epoch on bare answers, samples nothing, and is tested in three ways", async () => {
    const { events, listen } = recorder();
    const { runDir, bestAccuracy, baseAccuracy } = await startRun(config(), listen, { task: smallTask });
    const [record] = records(events);
    expect(record).toMatchObject({ target: null, kept: 60, steps: 15, sampledTokens: 0, wrongSteps: null });
    expect(record.flops).toMatchObject({ sampling: 0, probes: 0 });
    expect(record.flops.total).toBe(record.flops.training);
    expect(Object.keys(record.accuracies)).toEqual(["zero-shot", "few-shot", "self-consistency"]);
    expect(record.accuracies["zero-shot"]).toBe(record.testAccuracy);
    expect(bestAccuracy).toBeGreaterThan(baseAccuracy);

    const folder = join(runDir, "iterations", "0001");
    const kept = readSealedLog<{ id: string; text: string }>(join(folder, "kept.jsonl"));
    const gold = new Map(smallTask.train.map(({ id, answer }) => [id, answer]));
    expect(new Set(kept.map(({ id }) => id)).size).toBe(60);
    for (const { id, text } of kept) expect(text).toBe(`\nThe answer is ${gold.get(id)}.`);
    const fewShot = readSealedLog<VerifiedSample>(join(folder, "evaluation-few-shot.jsonl"));
    const zeroShot = readSealedLog<VerifiedSample>(join(folder, "evaluation.jsonl"));
    expect(fewShot).toHaveLength(20);
    expect(fewShot[0].prefixTokens).toBeGreaterThan(zeroShot[0].prefixTokens);
    expect(readSealedLog(join(folder, "evaluation-self-consistency.jsonl"))).toHaveLength(20 * 5);
  });

  test("leaves few-shot out where there are no worked examples, and refuses it when asked for", async () => {
    const bare = { ...smallTask, exemplars: [] };
    const { events, listen } = recorder();
    await startRun(config({ iterations: 1 }), listen, { task: bare });
    expect(Object.keys(records(events)[0].accuracies)).toEqual(["zero-shot", "self-consistency"]);
    const asked = config({ evaluations: ["few-shot"] });
    await expect(startRun(asked, quiet, { task: bare })).rejects.toThrow(
      /expected worked examples for few-shot, got none/,
    );
  });

  test("any method may be tested in several ways, the first deciding", async () => {
    const several = smallConfig({ evaluations: ["self-consistency", "zero-shot"], iterations: 1 });
    const { runDir } = await startRun(several, quiet, { task: smallTask });
    const [record] = readRun(runDir).records;
    expect(record.testAccuracy).toBe(record.accuracies["self-consistency"]);
    expect(record.accuracies["zero-shot"]).toBeDefined();
  });
});

describe("majority", () => {
  const answer = (extracted: string | null, stop: "end" | "length" = "end") =>
    ({ extracted, stop, strict: extracted === null ? "none" : "wrong", lenient: "none" }) as VerifiedSample;

  test.each([
    ["the most frequent", ["1", "2", "2"], "2"],
    ["the first among equals", ["3", "2", "2", "3"], "3"],
    ["those without an answer do not vote", [null, null, "4"], "4"],
  ])("%s", (_, answers, elected) => {
    expect(
      majority(
        answers.map((text) => answer(text)),
        "strict",
      )?.extracted,
    ).toBe(elected);
  });

  test("nobody is elected where nobody finished", () => {
    expect(majority([answer("1", "length"), answer(null)], "strict")).toBeNull();
    expect(majority([answer("1")], "lenient")).toBeNull();
  });
});

describe("parts put together in the configuration", () => {
  const method = (values: Partial<RunConfig>) =>
    methodOf(resolveConfig([{ source: "test", folder: "/", values }]).config, { rationalize: false });

  test("AdaSTaR's order with ReST-EM's cap", () => {
    expect(method({ tries: 11, retry: "always", keepPerObservation: 3 })).toMatchObject({
      visits: "queue",
      curriculum: "gate",
      tries: 11,
      keepPerObservation: 3,
      rationalize: false,
    });
  });

  test("B-STaR's temperature with AdaSTaR's order", () => {
    expect(method({ temperaturePolicy: "balance" })).toMatchObject({ visits: "queue", temperature: "balance" });
  });

  test("hints where the task does without them must be asked for, and then exclude tries of what is solved", () => {
    expect(method({ rationalize: true }).rationalize).toBe(true);
    expect(() => method({ rationalize: true, retry: "always" })).toThrow(/not for those already solved/);
  });
});
