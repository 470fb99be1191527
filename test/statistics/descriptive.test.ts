import { describe, expect, it } from "vitest";
import { mean, meanOfKnown, median, populationDeviation, quantile, sum } from "../../src/statistics/descriptive.js";

describe("known values", () => {
  it("sum, mean and deviation", () => {
    expect(sum([1, 2, 4])).toBe(7);
    expect(sum([])).toBe(0);
    expect(meanOfKnown([1, null, 2])).toBe(1.5);
    expect(meanOfKnown([null])).toBeNull();
    expect(mean([2, 4, 4, 4, 5, 5, 7, 9])).toBe(5);
    // The textbook example whose population deviation is 2.
    expect(populationDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toBe(2);
    expect(populationDeviation(Uint32Array.of(3, 3, 3))).toBe(0);
    expect(mean([])).toBeNaN();
  });

  it.each([
    // numpy.quantile([1, 2, 3, 4], q)
    [0, 1],
    [0.25, 1.75],
    [0.5, 2.5],
    [0.95, 3.85],
    [1, 4],
  ])("the %d quantile of 1 … 4 is %d", (q, value) => expect(quantile([4, 2, 1, 3], q)).toBeCloseTo(value, 12));

  it("the median of what was reached by most is a number, by few infinite", () => {
    const never = Number.POSITIVE_INFINITY;
    expect(median([3, 1, never])).toBe(3);
    expect(median([never, 1, never])).toBe(never);
    expect(median([never, never])).toBe(never);
    expect(median([1, never])).toBe(never);
    expect(median([])).toBeNaN();
  });
});
