import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { holm } from "../../src/statistics/holm.js";
import { meanEffect, meanEstimate, meanShare, savedEffect } from "../../src/statistics/intervals.js";
import { twoSidedQuantile, twoSidedTail } from "../../src/statistics/student.js";

describe("Student's t", () => {
  it.each([
    // Printed tables of the two-sided 5 % points.
    [1, 12.7062],
    [2, 4.302653],
    [3, 3.182446],
    [4, 2.776445],
    [9, 2.262157],
    [30, 2.042272],
  ])("with %d degrees of freedom leaves a twentieth beyond %d", (degrees, t) => {
    expect(twoSidedQuantile(0.05, degrees)).toBeCloseTo(t, 4);
    expect(twoSidedTail(t, degrees)).toBeCloseTo(0.05, 6);
  });

  it("leaves everything beyond 0 and nothing beyond infinity", () => {
    for (const degrees of [1, 2, 3, 8]) {
      expect(twoSidedTail(0, degrees)).toBe(1);
      expect(twoSidedTail(Number.POSITIVE_INFINITY, degrees)).toBeCloseTo(0, 12);
    }
  });
});

describe("a mean", () => {
  it("of symmetric values has the t interval", () => {
    // Mean 3, standard error √(2.5 / 5), 2.776445 times that.
    const { mean, low, high } = meanEstimate([1, 2, 3, 4, 5]);
    expect(mean).toBe(3);
    expect(low).toBeCloseTo(3 - 2.776445 * Math.SQRT1_2, 5);
    expect(high).toBeCloseTo(3 + 2.776445 * Math.SQRT1_2, 5);
  });

  it("of skewed values reaches further towards the long tail only", () => {
    const { mean, low, high } = meanEstimate([0, 0, 3]);
    // Standard error 1; the skewness of two equal values and one other is 1/√2.
    expect(mean - low).toBeCloseTo(4.302653, 5);
    expect(high - mean).toBeCloseTo(4.302653 * (1 + 0.6 * Math.SQRT1_2), 5);
  });

  it("of one value has no interval and no p value, and of equal ones a point", () => {
    expect(meanEffect([7])).toEqual({ mean: 7, low: Number.NaN, high: Number.NaN, p: Number.NaN });
    expect(meanEffect([2, 2, 2])).toEqual({ mean: 2, low: 2, high: 2, p: Number.NaN });
    expect(meanEffect([0, 0])).toEqual({ mean: 0, low: 0, high: 0, p: 1 });
  });

  it("of shares stays within [0, 1]", () => {
    expect(meanShare([0.9, 1, 1]).high).toBe(1);
    expect(meanShare([0, 0, 0.1]).low).toBe(0);
  });
});

describe("what is saved", () => {
  it("of a constant ratio is certain", () => {
    const saved = savedEffect([3, 4, 5], [6, 8, 10]);
    expect(saved?.mean).toBe(0.5);
    expect(saved?.low).toBeCloseTo(0.5, 9);
    expect(saved?.high).toBeCloseTo(0.5, 9);
  });

  it("does not exist where there was nothing to save, and has no interval where that cannot be told from nothing", () => {
    expect(savedEffect([1, 2], [0, 0])).toBeNull();
    expect(savedEffect([1, 2, 1], [-1, 2, 0.5])).toMatchObject({ low: Number.NaN, p: Number.NaN });
    expect(savedEffect([1], [2])).toEqual({ mean: 0.5, low: Number.NaN, high: Number.NaN, p: Number.NaN });
  });

  it("holds its own figure, and leaves out 0 exactly when p says so", () => {
    const costs = fc.array(fc.tuple(fc.integer({ min: 50, max: 150 }), fc.integer({ min: 50, max: 150 })), {
      minLength: 3,
      maxLength: 8,
    });
    fc.assert(
      fc.property(costs, (pairs) => {
        const saved = savedEffect(
          pairs.map(([own]) => own),
          pairs.map(([, other]) => other),
        );
        if (saved === null || Number.isNaN(saved.low)) return;
        expect(saved.low).toBeLessThanOrEqual(saved.mean);
        expect(saved.high).toBeGreaterThanOrEqual(saved.mean);
        if (Math.abs(saved.p - 0.05) > 1e-6) expect(saved.low <= 0 && 0 <= saved.high).toBe(saved.p > 0.05);
      }),
      { seed: 5, numRuns: 200 },
    );
  });
});

describe("Holm's correction", () => {
  it("steps down from the smallest p value and stops at the first that fails", () => {
    // 0.01 ≤ 0.05/4, 0.015 ≤ 0.05/3, 0.03 > 0.05/2; 0.04 is within 0.05/1 but comes after.
    expect(holm([0.04, 0.01, 0.03, 0.015])).toEqual([false, true, false, true]);
    expect(holm([0.04, Number.NaN])).toEqual([true, false]);
    expect(holm([])).toEqual([]);
  });
});
