import { expect, test } from "vitest";
import { agreementOf } from "../../src/statistics/agreement.js";
import { wilsonInterval } from "../../src/statistics/proportion.js";

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
