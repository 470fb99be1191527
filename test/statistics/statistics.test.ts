import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bootstrap,
  mean,
  median,
  populationDeviation,
  quantile,
  quarterPersistence,
  quarterShares,
} from "../../src/statistics/statistics.js";

describe("known values", () => {
  it("mean and deviation", () => {
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

describe("bootstrap", () => {
  it("covers the true mean about as often as it says", () => {
    // 200 samples of 12 values of a known mean; the percentile interval of so few is a little too narrow.
    let covered = 0;
    for (let trial = 0; trial < 200; trial++) {
      const values = Array.from({ length: 12 }, (_, i) => {
        const x = Math.sin(12.9898 * (trial * 12 + i + 1)) * 43758.5453;
        return x - Math.floor(x);
      });
      const { low, high } = bootstrap(values, mean, { resamples: 400, seed: trial });
      if (low <= 0.5 && 0.5 <= high) covered++;
    }
    expect(covered).toBeGreaterThan(170);
    expect(covered).toBeLessThan(200);
  });

  it("is the interval of the normal theory for many values", () => {
    // 0 … 99: mean 49.5, deviation 28.866, so 49.5 ± 1.96 · 2.8866.
    const {
      mean: centre,
      low,
      high,
    } = bootstrap(
      Array.from({ length: 100 }, (_, i) => i),
      mean,
    );
    expect(centre).toBe(49.5);
    expect(low).toBeCloseTo(43.84, 0);
    expect(high).toBeCloseTo(55.16, 0);
  });

  it("keeps pairs together: a constant difference is certain, however the pairs vary", () => {
    const pairs = [1, 50, 3, 20].map((value) => [value, value - 2] as const);
    const difference = bootstrap(pairs, (all) => mean(all.map(([a, b]) => a - b)));
    expect(difference).toEqual({ mean: 2, low: 2, high: 2 });
  });

  it("gives the same every time, and no interval for one value", () => {
    expect(bootstrap([1, 2, 5], mean)).toEqual(bootstrap([1, 2, 5], mean));
    expect(bootstrap([7], mean)).toEqual({ mean: 7, low: Number.NaN, high: Number.NaN });
  });

  it("leaves out resamples in which there is no such figure", () => {
    // 1 / mean, which does not exist where only zeros were drawn; of two items that is a quarter of the resamples.
    const { mean: figure, low, high } = bootstrap([0, 2], (all) => (mean(all) === 0 ? Number.NaN : 1 / mean(all)));
    expect([figure, low, high]).toEqual([1, 0.5, 1]);
  });
});

describe("quarters by training frequency", () => {
  it("are the least and the most trained", () => {
    expect([...quarterShares([5, 1, 9, 7], "least")]).toEqual([0, 1, 0, 0]);
    expect([...quarterShares([5, 1, 9, 7], "most")]).toEqual([0, 0, 1, 0]);
  });

  it("share the places at the border", () => {
    // Two places; one observation is below the border and three tie for the other.
    expect([...quarterShares([0, 1, 1, 1, 2, 2, 3, 4], "least")]).toEqual([1, 1 / 3, 1 / 3, 1 / 3, 0, 0, 0, 0]);
  });

  it("hold a quarter of the observations, whatever ties there are", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 40 }), (frequencies) => {
        for (const which of ["least", "most"] as const) {
          const total = quarterShares(frequencies, which).reduce((sum, share) => sum + share, 0);
          expect(total).toBeCloseTo(frequencies.length / 4, 9);
        }
      }),
    );
  });

  it("persist wholly, not at all, or by chance", () => {
    expect(quarterPersistence([1, 2, 3, 4], [1, 2, 3, 4], "least")).toBe(1);
    expect(quarterPersistence([1, 2, 3, 4], [4, 3, 2, 1], "least")).toBe(0);
    expect(quarterPersistence([1, 2, 3, 4], [7, 7, 7, 7], "most")).toBe(1 / 4);
  });
});
