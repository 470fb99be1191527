import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gateCount } from "../../src/algorithm/curriculum.js";

describe("gateCount", () => {
  it.each([
    { visited: 400, solved: 320, power: 2, updated: 256 },
    { visited: 10, solved: 9, power: 2, updated: 8 },
    { visited: 7, solved: 3, power: 1, updated: 3 },
    { visited: 7, solved: 3, power: 0, updated: 7 },
    { visited: 7, solved: 0, power: 0, updated: 7 },
    { visited: 7, solved: 0, power: 2, updated: 0 },
    { visited: 7, solved: 7, power: 3.7, updated: 7 },
    { visited: 0, solved: 0, power: 2, updated: 0 },
    { visited: 1_000_000, solved: 999_999, power: 5, updated: 999_995 },
    { visited: 9, solved: 1, power: 1000, updated: 0 },
    // Whole results of broken powers: 16 · √¼ = 8, 27 · (4/9)^1.5 = 8, 1024 · (1/1024)^0.1 = 512.
    { visited: 16, solved: 4, power: 0.5, updated: 8 },
    { visited: 27, solved: 12, power: 1.5, updated: 8 },
    { visited: 1024, solved: 1, power: 0.1, updated: 512 },
  ])("is $updated for m = $visited, $solved solved, p = $power", ({ visited, solved, power, updated }) => {
    expect(gateCount(visited, solved, power)).toBe(updated);
  });

  it("keeps observations that plain floating point loses", () => {
    const wrong: string[] = [];
    let lost = 0;
    for (let visited = 1; visited <= 300; visited++) {
      for (let solved = 0; solved <= visited; solved++) {
        const exact = Math.floor((solved * solved) / visited);
        if (gateCount(visited, solved, 2) !== exact) wrong.push(`${solved} of ${visited}`);
        if (Math.floor(visited * (solved / visited) ** 2) !== exact) lost++;
      }
    }
    expect(wrong).toEqual([]);
    expect(lost).toBeGreaterThan(0);
  });

  it("is the floor of the real number, for whole powers", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000 }),
        fc.nat(),
        fc.integer({ min: 1, max: 6 }),
        (visited, any, power) => {
          const solved = any % (visited + 1);
          const updated = BigInt(gateCount(visited, solved, power));
          const numerator = BigInt(solved) ** BigInt(power);
          const denominator = BigInt(visited) ** BigInt(power - 1);
          expect(updated * denominator <= numerator && numerator < (updated + 1n) * denominator).toBe(true);
        },
      ),
    );
  });

  it("opens with α and closes with p", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000 }),
        fc.nat(),
        fc.double({ min: 0, max: 8, noNaN: true }),
        fc.double({ min: 0, max: 8, noNaN: true }),
        (visited, any, power, more) => {
          const solved = any % visited;
          const updated = gateCount(visited, solved, power);
          expect(updated).toBeGreaterThanOrEqual(0);
          expect(updated).toBeLessThanOrEqual(visited);
          expect(gateCount(visited, solved + 1, power)).toBeGreaterThanOrEqual(updated);
          expect(gateCount(visited, solved, power + more)).toBeLessThanOrEqual(updated);
        },
      ),
    );
  });
});
