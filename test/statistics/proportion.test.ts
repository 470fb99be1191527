import fc from "fast-check";
import { expect, test } from "vitest";
import { wilsonInterval } from "../../src/statistics/proportion.js";

test.each([
  // scipy.stats.binomtest(count, total).proportion_ci(0.95, "wilson")
  [0, 10, 0, 0.27753279986288926],
  [1, 10, 0.017876213095072896, 0.4041500267952385],
  [5, 20, 0.11186170140766571, 0.468700877618744],
  [50, 50, 0.9286524008666412, 1],
])("the interval of %d in %d", (count, total, low, high) => {
  const interval = wilsonInterval(count, total);
  expect(interval?.low).toBeCloseTo(low, 12);
  expect(interval?.high).toBeCloseTo(high, 12);
});

test("an interval holds the share, lies within [0, 1], and is none of nothing", () => {
  const cases = fc.integer({ min: 1, max: 1e6 }).chain((n) => fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n)));
  fc.assert(
    fc.property(cases, ([count, total]) => {
      const { low, high } = wilsonInterval(count, total) ?? { low: Number.NaN, high: Number.NaN };
      expect(low).toBeGreaterThanOrEqual(0);
      expect(high).toBeLessThanOrEqual(1);
      expect(low).toBeLessThanOrEqual(count / total);
      expect(high).toBeGreaterThanOrEqual(count / total);
    }),
  );
  expect(wilsonInterval(0, 0)).toBeNull();
});
