/**
 * What share of intervals holds the true value, by simulation. Seeds are fixed, so the shares are the same every time.
 */

import { describe, expect, test } from "vitest";
import { uniform } from "../../src/algorithm/random.js";
import { type Interval, meanEffect, meanShare, savedEffect } from "../../src/statistics/intervals.js";
import { wilsonInterval } from "../../src/statistics/proportion.js";

/** The standard error of a share near 95 % is 0.24 points. */
const TRIALS = 8_000;

/** Draws uniform numbers in turn. */
type Draw = () => number;

function drawsOf(seed: number): Draw {
  let count = 0;
  return () => uniform(seed, count++);
}

const exponential = (draw: Draw) => -Math.log(1 - draw());
const normal = (draw: Draw) => Math.sqrt(2 * exponential(draw)) * Math.cos(2 * Math.PI * draw());

/** Share of the trials whose interval holds `truth`. Where that is 0, p must say the same in each of them. */
function coverage(truth: number, intervalOf: (draw: Draw) => Interval & { readonly p?: number }, trials = TRIALS) {
  const draw = drawsOf(17);
  let held = 0;
  let contradictions = 0;
  for (let trial = 0; trial < trials; trial++) {
    const { low, high, p } = intervalOf(draw);
    const holds = low <= truth && truth <= high;
    if (holds) held++;
    // At the border itself, rounding decides.
    if (truth === 0 && p !== undefined && Math.abs(p - 0.05) > 1e-9 && p > 0.05 !== holds) contradictions++;
  }
  expect(contradictions).toBe(0);
  return held / trials;
}

function times(n: number, value: () => number): number[] {
  return Array.from({ length: n }, value);
}

describe.each([3, 5, 10])("intervals over %d seeds", (n) => {
  test("hold the mean of normal differences in 93 to 97 %", () => {
    const share = coverage(0, (draw) => meanEffect(times(n, () => normal(draw))));
    expect(share).toBeGreaterThan(0.93);
    expect(share).toBeLessThan(0.97);
  });

  test.each<readonly [string, (draw: Draw) => number]>([
    ["exponential", (draw) => exponential(draw) - 1],
    ["exponential to the left", (draw) => 1 - exponential(draw)],
    ["lognormal", (draw) => Math.exp(normal(draw) / 2) - Math.exp(1 / 8)],
  ])("hold the mean of skewed differences in nine of ten cases or more: %s", (_, differenceOf) => {
    expect(coverage(0, (draw) => meanEffect(times(n, () => differenceOf(draw))))).toBeGreaterThan(0.9);
  });

  test("hold the mean of accuracies, with the questions' chance and the seeds', in 93 to 97 %", () => {
    // 500 questions; the seeds' own accuracies spread by 2 points about 85 %. Normal noise stands for the binomial's.
    const accuracy = (draw: Draw) => 0.85 + Math.hypot(0.02, Math.sqrt((0.85 * 0.15) / 500)) * normal(draw);
    const share = coverage(0.85, (draw) =>
      meanShare(times(n, () => Math.min(1, Math.round(500 * accuracy(draw)) / 500))),
    );
    expect(share).toBeGreaterThan(0.93);
    expect(share).toBeLessThan(0.97);
  });

  test("hold the mean of accuracies near 1, which are skewed, in at least 90 %", () => {
    // −log of a product of uniforms: gamma with shape 2, mean 0.04.
    const accuracy = (draw: Draw) => 1 - 0.02 * (exponential(draw) + exponential(draw));
    expect(coverage(0.96, (draw) => meanShare(times(n, () => accuracy(draw))))).toBeGreaterThan(0.9);
  });

  test("hold what is saved, of costs that vary together, in 93 to 97 %", () => {
    const pair = (draw: Draw) => {
      const common = 0.05 * normal(draw);
      return { own: 0.8 * (1 + common + 0.08 * normal(draw)), other: 1 + common + 0.08 * normal(draw) };
    };
    const share = coverage(
      0.2,
      (draw) => {
        const pairs = Array.from({ length: n }, () => pair(draw));
        const saved = savedEffect(
          pairs.map(({ own }) => own),
          pairs.map(({ other }) => other),
        );
        if (saved === null) throw new Error("expected a ratio");
        return saved;
      },
      1_500,
    );
    expect(share).toBeGreaterThan(0.93);
    expect(share).toBeLessThan(0.97);
  });
});

test.each([50, 200, 500])(
  "of %d questions, the interval of one accuracy holds it in 19 of 20 cases on average",
  (total) => {
    const draw = drawsOf(23);
    const trials = 2_000;
    let held = 0;
    for (let trial = 0; trial < trials; trial++) {
      const truth = 0.02 + 0.96 * draw();
      const right = times(total, draw).filter((value) => value < truth).length;
      const interval = wilsonInterval(right, total);
      if (interval !== null && interval.low <= truth && truth <= interval.high) held++;
    }
    expect(held / trials).toBeGreaterThan(0.93);
    expect(held / trials).toBeLessThan(0.97);
  },
);
