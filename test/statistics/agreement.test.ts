import fc from "fast-check";
import { expect, test } from "vitest";
import { agreementOf, wilsonInterval } from "../../src/statistics/agreement.js";

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

test("agreement of two raters", () => {
  // The textbook example of kappa: 20 both yes, 15 both no, 10 and 5 apart, which is 0.7 against 0.5 by chance.
  const agreement = agreementOf({ both: 20, onlyTested: 5, onlyReference: 10, neither: 15 });
  expect(agreement).toMatchObject({ compared: 50, agreeing: 0.7, recall: 20 / 30, precision: 0.8 });
  expect(agreement.kappa).toBeCloseTo(0.4, 12);
  expect(agreement.interval).toEqual(wilsonInterval(35, 50));
});

test("kappa is 1 of full agreement, 0 of a rater who always says the same, −1 of opposites", () => {
  expect(agreementOf({ both: 3, onlyTested: 0, onlyReference: 0, neither: 4 }).kappa).toBe(1);
  expect(agreementOf({ both: 3, onlyTested: 4, onlyReference: 0, neither: 0 }).kappa).toBe(0);
  expect(agreementOf({ both: 0, onlyTested: 3, onlyReference: 3, neither: 0 }).kappa).toBe(-1);
});

test("what there is nothing to take a share of is null", () => {
  expect(agreementOf({ both: 0, onlyTested: 0, onlyReference: 0, neither: 4 })).toMatchObject({
    agreeing: 1,
    kappa: null,
    recall: null,
    precision: null,
  });
  expect(agreementOf({ both: 0, onlyTested: 0, onlyReference: 0, neither: 0 })).toMatchObject({
    agreeing: null,
    interval: null,
    kappa: null,
  });
});
