import { describe, expect, test } from "vitest";
import { methodNamed } from "../../src/algorithm/methods.js";
import { replayRun } from "../../src/analysis/replay.js";
import { simulate } from "../../src/analysis/simulate.js";
import { trainingFrequencies } from "../../src/analysis/training-frequency.js";
import { resolveConfig } from "../../src/run/config/config.js";
import { RunReader, readRun } from "../../src/run/directory/reader.js";
import { startRun } from "../../src/run/loop/runner.js";
import { adastar } from "../cli/in-process.js";
import { smallConfig, smallTask } from "../run/small-run.js";

const quiet = () => {};
const { runDir } = await startRun(smallConfig(), quiet, { task: smallTask });
const run = readRun(runDir);

describe("replayRun", () => {
  test("the run's own method finds everything recorded, and comes to the run's own figures", async () => {
    const { iterations, sources, frequencies } = await replayRun(runDir, {});
    expect(sources).toMatchObject({ "other iteration": 0, estimated: 0 });
    for (const [i, { target, visited, solved, alpha, popped, kept }] of run.records.entries()) {
      expect(iterations[i]).toMatchObject({ target, visited, solved, alpha, popped, kept });
    }
    expect(frequencies).toEqual(trainingFrequencies(RunReader.open(runDir), 3).at(-1));
  });

  test("another method needs what was not recorded, and says so", async () => {
    const { iterations, sources } = await replayRun(runDir, { method: "star-acc", tries: 3 });
    for (const { visited } of iterations) expect(visited).toBe(60);
    expect(sources.recorded).toBeGreaterThan(0);
    expect(sources["other iteration"]).toBeGreaterThan(0);
    expect(sources.estimated).toBeGreaterThan(0);
    const draws = iterations.reduce((sum, one) => sum + one.draws, 0);
    expect(sources.recorded + sources["other iteration"] + sources.estimated).toBe(draws);
  });

  test("a run of everything holds all that AdaSTaR's order asks for", async () => {
    const everything = await startRun(smallConfig({ method: "star-acc" }), quiet, { task: smallTask });
    const { iterations, sources } = await replayRun(everything.runDir, { method: "adastar" });
    expect(sources).toMatchObject({ "other iteration": 0, estimated: 0 });
    expect(iterations[0].visited).toBeLessThan(60);
    expect(iterations[0].popped).toBe(Math.floor(iterations[0].visited * iterations[0].alpha ** 2));
  });

  test("parts of the method and the schedule may be changed", async () => {
    const open = await replayRun(runDir, { curriculumPower: 0, steps: 2 });
    for (const { visited, popped } of open.iterations) expect(popped).toBe(visited);
    expect(open.iterations[0].target).toBe(8);
  });

  test.each([
    [{ method: "sft" }, /expected a method that samples/],
    [{ method: "b-star" }, /expected a method with a fixed temperature/],
    [{ method: "adaster" }, /expected a method: adastar/],
  ])("refuses %j", async (settings, message) => {
    await expect(replayRun(runDir, settings)).rejects.toThrow(message);
  });

  test("of a run without a finished iteration there is nothing to replay", async () => {
    const empty = await startRun(smallConfig({ iterations: 0 }), quiet, { task: smallTask });
    await expect(replayRun(empty.runDir, {})).rejects.toThrow(/at least one finished iteration/);
  });
});

describe("simulate", () => {
  const { config } = resolveConfig([
    { source: "test", folder: "/", values: { iterations: 5, steps: 40, learningRate: 1e-3, samplingBatch: 64 } },
  ]);

  test("learns, the same whatever the wave, and visits by the method's order", async () => {
    const first = await simulate(config, methodNamed("adastar"), 20_000);
    expect(first.at(-1)?.accuracy).toBeGreaterThan(first[0].accuracy);
    for (const { visited, popped, alpha } of first) expect(popped).toBe(Math.floor(visited * alpha ** 2));
    const figures = (all: typeof first) => all.map(({ seconds: _, draws: __, ...rest }) => rest);
    const otherwise = await simulate({ ...config, samplingBatch: 1_000 }, methodNamed("adastar"), 20_000);
    expect(figures(otherwise)).toEqual(figures(first));
    const [everything] = await simulate({ ...config, iterations: 1 }, methodNamed("star-acc"), 20_000);
    expect(everything.visited).toBe(20_000);
  });

  test("a million observations in a moment", async () => {
    const [one] = await simulate({ ...config, iterations: 1 }, methodNamed("adastar"), 1_000_000);
    expect(one.kept).toBe(320);
  });
});

describe("at the command line", () => {
  test("a run, as text and JSON", async () => {
    const { code, stdout } = await adastar(["replay", runDir, "--method", "adastar-no-curriculum"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^method +adastar-no-curriculum$/m);
    expect(stdout).toMatch(/^recorded +\d+ \(\d+\.\d %\)$/m);
    const json = JSON.parse((await adastar(["replay", runDir, "--json"])).stdout);
    expect(json.frequencies).toHaveLength(60);
  });

  test("a simulation", async () => {
    const { code, stdout } = await adastar(["replay", "--simulate", "5000", "--iterations", "2", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).iterations).toHaveLength(2);
  });

  test.each([
    [[], /either a run directory or --simulate N, got neither/],
    [[runDir, "--simulate", "10"], /got both/],
    [[runDir, "--learning-rate", "1"], /expected no learningRate beside a run directory/],
    [["--simulate", "10000001"], /at most 10,000,000 observations/],
  ])("refuses %j", async (args, message) => {
    const { code, stderr } = await adastar(["replay", ...args]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});

test("a run that sampled nothing has nothing to replay", async () => {
  const gold = await startRun(smallConfig({ method: "sft", iterations: 1 }), quiet, { task: smallTask });
  await expect(replayRun(gold.runDir, { method: "adastar" })).rejects.toThrow(
    /expected a run that sampled, got .* trains on gold answers/,
  );
});

test("flags without effect are refused", async () => {
  const flags = { method: "star", curriculumPower: 3 };
  await expect(replayRun(runDir, flags)).rejects.toThrow(/--curriculum-power \(the curriculum has no gate\)/);
  const { code, stderr } = await adastar([
    "replay",
    "--simulate",
    "100",
    "--method",
    "star",
    "--curriculum-power",
    "3",
  ]);
  expect(stderr).toContain("--curriculum-power (the curriculum has no gate)");
  expect(code).toBe(2);
  process.exitCode = 0;
});
