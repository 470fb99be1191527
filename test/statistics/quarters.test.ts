import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quarterPersistence, quarterShares } from "../../src/statistics/quarters.js";

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
