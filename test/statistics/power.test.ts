import { expect, test } from "vitest";
import { uniform } from "../../src/algorithm/random.js";
import { meanEffect } from "../../src/statistics/intervals.js";
import { detectableMean, POWER, seedsNeeded } from "../../src/statistics/power.js";

function drawsOf(seed: number): () => number {
  let count = 0;
  return () => uniform(seed, count++);
}

test.each([
  [3, 0.05],
  [5, 0.0125],
  [10, 0.05],
])("with %d seeds at a rate of %d, the detectable mean is found in four of five other samples", (seeds, rate) => {
  const mean = detectableMean(2, seeds, { rate, draw: drawsOf(1) });
  const draw = drawsOf(2);
  const normal = () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
  const trials = 3_000;
  let found = 0;
  for (let trial = 0; trial < trials; trial++) {
    const values = Array.from({ length: seeds }, () => mean + 2 * normal());
    if (meanEffect(values).p <= rate) found++;
  }
  expect(found / trials).toBeGreaterThan(POWER - 0.04);
  expect(found / trials).toBeLessThan(POWER + 0.04);
});

test("the seeds needed find the difference, and one fewer does not", () => {
  const findings = () => ({ rate: 0.05, draw: drawsOf(3) });
  const seeds = seedsNeeded(1, 1, findings());
  // The noncentral t distribution gives 10 for the plain t test.
  expect(seeds).toBeGreaterThanOrEqual(10);
  expect(seeds).toBeLessThanOrEqual(13);
  expect(detectableMean(1, seeds ?? 0, findings())).toBeLessThan(1.05);
  expect(detectableMean(1, (seeds ?? 0) - 1, findings())).toBeGreaterThan(0.97);
  expect(seedsNeeded(1, 0.01, findings())).toBeNull();
});
