import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Permutation } from "../../src/algorithm/permutation.js";

const seeds = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

function numbersOf(size: number, seed: number): number[] {
  const permutation = new Permutation(size, seed);
  return Array.from({ length: size }, (_, place) => permutation.at(place));
}

/** χ² of counts against equal expectation. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

describe("Permutation", () => {
  it("has every number once, and both directions agree", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 }), seeds, (size, seed) => {
        const numbers = numbersOf(size, seed);
        expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i));
        const permutation = new Permutation(size, seed);
        for (const [place, number] of numbers.entries()) expect(permutation.indexOf(number)).toBe(place);
      }),
    );
  });

  it("inverts at any size", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 - 1 }), seeds, fc.nat(), (size, seed, any) => {
        const permutation = new Permutation(size, seed);
        const place = any % size;
        const number = permutation.at(place);
        expect(number).toBeLessThan(size);
        expect(permutation.indexOf(number)).toBe(place);
      }),
    );
  });

  it("never changes: runs depend on it", () => {
    expect(numbersOf(12, 1)).toEqual([6, 1, 8, 7, 0, 5, 4, 9, 10, 3, 11, 2]);
    expect(new Permutation(10_000_000, 2 ** 52 + 1).at(1_234_567)).toBe(4817654);
  });

  it("gives each order of three and of four about equally often", () => {
    for (const [size, orders] of [
      [3, 6],
      [4, 24],
    ]) {
      const counts = new Map<string, number>();
      for (let seed = 0; seed < 1000 * orders; seed++) {
        const order = numbersOf(size, seed).join("");
        counts.set(order, (counts.get(order) ?? 0) + 1);
      }
      expect(counts.size).toBe(orders);
      // Exceeded by chance once in ten thousand: 26 with 5 degrees of freedom, 57 with 23.
      expect(chiSquare([...counts.values()])).toBeLessThan(size === 3 ? 26 : 57);
    }
  });

  it("puts every number at every place equally often, and neighbours apart", () => {
    const size = 50;
    const places = Array.from({ length: size }, () => new Array<number>(size).fill(0));
    let distance = 0;
    const trials = 5000;
    for (let seed = 0; seed < trials; seed++) {
      const permutation = new Permutation(size, seed);
      for (let number = 0; number < size; number++) places[number][permutation.indexOf(number)]++;
      distance += Math.abs(permutation.indexOf(0) - permutation.indexOf(1));
    }
    // 49 degrees of freedom, 50 rows: the highest of them stays below 105 but once in ten thousand.
    for (const row of places) expect(chiSquare(row)).toBeLessThan(105);
    // Two random different places are (size + 1) / 3 apart on average; the standard error is 0.17.
    expect(Math.abs(distance / trials - (size + 1) / 3)).toBeLessThan(0.7);
  });

  it("refuses numbers outside", () => {
    for (const number of [5, 6, -1, Number.NaN]) {
      expect(() => new Permutation(5, 1).at(number)).toThrow("expected a number below 5");
      expect(() => new Permutation(5, 1).indexOf(number)).toThrow("expected a number below 5");
    }
  });
});
