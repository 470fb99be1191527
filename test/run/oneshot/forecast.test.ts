import { existsSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { forwardFlops, trainedFlops } from "../../../src/algorithm/flops.js";
import { methodNamed } from "../../../src/algorithm/methods.js";
import { readRun } from "../../../src/run/directory/reader.js";
import { startRun } from "../../../src/run/loop/runner.js";
import { type Calibration, expectedTries, forecastIterations, forecastRun } from "../../../src/run/oneshot/forecast.js";
import { adastar } from "../../cli/in-process.js";
import { smallConfig, smallTask } from "../small-run.js";

const calibration: Calibration = {
  samples: 100,
  solveRate: 0.5,
  promptTokens: 20,
  generatedTokens: 30,
  exampleTokens: 55,
  sampleSeconds: 0.01,
  testSeconds: 0.02,
  stepSeconds: 0.5,
};

const facts = (method: string, maxFlops: number | null = null) => ({
  method: methodNamed(method),
  config: {
    iterations: 2,
    steps: 10,
    stepsGrowth: 1.2,
    stepsRounding: "once" as const,
    batchSize: 8,
    samplingBatch: 64,
    probes: 10,
    maxFlops,
    consistencySamples: 5,
  },
  model: { nonEmbeddingParameters: 1_000, layers: 2, attentionWidth: 10 },
  capabilities: { sharesPrefix: true },
  prefixTokens: 100,
  observations: 1_000,
  tests: 40,
});

describe("expectedTries", () => {
  test.each([
    // Half of the observations need a second try, and three of four are solved.
    ["adastar", { draws: 1.5, usable: 0.75 }],
    ["star-acc-full-k", { draws: 5, usable: 2.5 }],
    // Of eleven, half are right, but no more than three count: E min(X, 3) with X ~ B(11, ½).
    ["rest-em", { draws: 11, usable: 3 - (3 * 1 + 2 * 11 + 55) / 2 ** 11 }],
    ["sft", { draws: 0, usable: 1 }],
  ])("%s, by hand", (name, expected) => {
    const { draws, usable } = expectedTries(methodNamed(name), 0.5);
    expect(draws).toBeCloseTo(expected.draws, 12);
    expect(usable).toBeCloseTo(expected.usable, 12);
  });

  test("never more samples that count than are drawn", () => {
    const names = ["adastar", "rest-em", "b-star"];
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.double({ min: 0.01, max: 0.99, noNaN: true }), (name, rate) => {
        const { draws, usable } = expectedTries(methodNamed(name), rate);
        expect(usable).toBeGreaterThan(0);
        expect(usable).toBeLessThanOrEqual(draws);
      }),
    );
  });
});

describe("forecastIterations", () => {
  test("by hand for AdaSTaR", () => {
    const [first, second] = forecastIterations(facts("adastar"), calibration);
    // β¹ = 80 of which three in four visits give one: 107 visits in 2 waves of 2 tries, 161 samples.
    const { model } = facts("adastar");
    const sampling = 161 * forwardFlops(model, 100, 50) + 4 * forwardFlops(model, 0, 100);
    const training = 80 * trainedFlops(model, 55);
    expect(first).toMatchObject({
      target: 80,
      visited: 107,
      draws: 161,
      steps: 10,
      sampledTokens: 4_830,
      trainedTokens: 4_400,
    });
    expect(first.flops).toEqual({ sampling, training, total: sampling + training });
    expect(first.seconds).toBeCloseTo(1.61 + 5 + 0.8, 9);
    expect(second).toMatchObject({ target: 96, steps: 12 });
  });

  test("by hand for B-STaR and SFT", () => {
    const [bstar] = forecastIterations(facts("b-star"), calibration);
    // All observations five times, and 10 queries × 5 × 8 temperatures.
    expect(bstar).toMatchObject({ target: null, visited: 1_000, draws: 5_400, steps: 313 });
    // 16 waves of 5 tries, and 5 tries of one wave of queries at each temperature.
    const { model } = facts("b-star");
    const calls = 16 * 5 + 8 * 5;
    expect(bstar.flops.sampling).toBe(5_400 * forwardFlops(model, 100, 50) + calls * forwardFlops(model, 0, 100));
    const [sft] = forecastIterations(facts("sft"), calibration);
    expect(sft).toMatchObject({ draws: 0, steps: 125, trainedTokens: 55_000, flops: { sampling: 0 } });
    expect(sft.seconds).toBeCloseTo(125 * 0.5 + 40 * 0.02 * (1 + 1 + 5), 9);
  });

  test("ends where the budget does", () => {
    expect(forecastIterations(facts("adastar", 1), calibration)).toHaveLength(1);
  });
});

describe("forecastRun", () => {
  test("is near what the run then takes, shows its prompts, and writes nothing", async () => {
    const config = smallConfig({ iterations: 1, steps: 10 });
    const forecast = await forecastRun(config, { task: smallTask });
    expect(existsSync(config.runDir ?? "")).toBe(false);
    expect(forecast.prompts.sampling).toContain("The answer is 13.\n\nQ: Balance 20.");
    expect(forecast.prompts.sampling?.endsWith("\nA:")).toBe(true);
    expect(forecast.prompts.hinted).toMatch(/\nThe answer is \d+\.\nA:$/);
    expect(forecast.prompts.training).toMatch(/^Q: Balance .*\nA:\nFrom memory\.\nThe answer is \d+\.$/);
    expect(forecast.prompts.test).not.toContain("Balance 10. Mon +1");
    const { runDir } = await startRun(config, () => {}, { task: smallTask });
    const [record] = readRun(runDir).records;
    const [expected] = forecast.iterations;
    expect(Math.abs(expected.flops.training / record.flops.training - 1)).toBeLessThan(0.15);
    expect(expected.flops.sampling / record.flops.sampling).toBeGreaterThan(0.6);
    expect(expected.flops.sampling / record.flops.sampling).toBeLessThan(1.6);
    expect(forecast.memory).toBeGreaterThan(2 ** 20);
  });

  test("at the command line", async () => {
    const args = [
      "run",
      "--engine",
      "scripted",
      "--train-size",
      "60",
      "--test-size",
      "20",
      "--iterations",
      "2",
      "--dry-run",
    ];
    const { code, stdout } = await adastar(args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Prompt while sampling:\n {2}│ Q: Balance/);
    expect(stdout).toMatch(/^iteration +βᵗ +m +samples/m);
    const json = JSON.parse((await adastar([...args, "--json"])).stdout);
    expect(json.iterations).toHaveLength(2);
  });
});
