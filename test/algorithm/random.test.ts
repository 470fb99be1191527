import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gaussian, philox, seedFor, shuffled, uniform } from "../../src/algorithm/random.js";

const seeds = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const words = fc.integer({ min: 0, max: 0xffff_ffff });

/** χ² of counts against equal expectation. */
function chiSquare(counts: Iterable<number>): number {
  const all = [...counts];
  const expected = all.reduce((sum, count) => sum + count, 0) / all.length;
  return all.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Pearson's correlation of two equally long rows of numbers. */
function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (row: readonly number[]) => row.reduce((sum, value) => sum + value, 0) / row.length;
  const meanA = mean(a);
  const meanB = mean(b);
  const covariance = mean(a.map((value, i) => (value - meanA) * (b[i] - meanB)));
  const deviation = (row: readonly number[], center: number) =>
    Math.sqrt(mean(row.map((value) => (value - center) ** 2)));
  return covariance / (deviation(a, meanA) * deviation(b, meanB));
}

describe("philox", () => {
  // Known answers published with Random123, the reference implementation of Salmon et al. 2011.
  it.each([
    { counter: [0, 0, 0, 0], key: [0, 0], out: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
    {
      counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      key: [0xffffffff, 0xffffffff],
      out: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      out: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ])("gives the published answer for $counter", ({ counter: [a, b, c, d], key: [k, l], out }) => {
    const found = new Uint32Array(4);
    philox(found, a, b, c, d, k, l);
    expect([...found]).toEqual(out);
  });
});

describe("seedFor", () => {
  it("gives integers in [0, 2^53), the same for the same key", () => {
    fc.assert(
      fc.property(seeds, words, words, words, (seed, iteration, observation, attempt) => {
        const key = seedFor(seed, "sample", iteration, observation, attempt);
        expect(Number.isSafeInteger(key)).toBe(true);
        expect(key).toBeGreaterThanOrEqual(0);
        expect(seedFor(seed, "sample", iteration, observation, attempt)).toBe(key);
      }),
    );
  });

  it("never changes: a run of an earlier version can be resumed", () => {
    expect(seedFor(0, "sample")).toBe(1_611_671_383_384_968);
    expect(seedFor(1, "sample", 1, 0, 1)).toBe(4_496_101_832_815_480);
    expect(seedFor(1, "visit-order", 3)).toBe(1_285_070_213_955_654);
    expect(seedFor(2 ** 40 + 7, "keep", 12, 0, 0)).toBe(5_959_524_712_915_358);
    expect(seedFor(Number.MAX_SAFE_INTEGER, "evaluate", 30, 1171, 5)).toBe(8_450_106_516_532_460);
  });

  it("gives different keys whichever part of the key differs", () => {
    const found = new Set<number>();
    for (const purpose of ["sample", "evaluate", "keep"] as const) {
      for (const seed of [0, 1, 2 ** 32, 2 ** 32 + 1]) {
        for (let iteration = 0; iteration < 5; iteration++) {
          for (let observation = 0; observation < 200; observation++) {
            for (let attempt = 0; attempt < 5; attempt++) {
              found.add(seedFor(seed, purpose, iteration, observation, attempt));
            }
          }
        }
      }
    }
    expect(found.size).toBe(3 * 4 * 5 * 200 * 5);
  });

  it("flips about half of the bits when one bit of the key changes", () => {
    let flipped = 0;
    const trials = 2_000;
    for (let i = 0; i < trials; i++) {
      const a = BigInt(seedFor(5, "sample", 2, i, 1));
      const b = BigInt(seedFor(5, "sample", 2, i ^ (1 << (i % 20)), 1));
      flipped += (a ^ b).toString(2).replaceAll("0", "").length;
    }
    expect(flipped / trials / 53).toBeCloseTo(0.5, 1);
  });
});

describe("uniform", () => {
  it("never changes", () => {
    expect(uniform(0, 0)).toBe(0.39904647231489565);
    expect(uniform(42, 1)).toBe(0.9877186516453577);
    expect(uniform(42, 2 ** 33)).toBe(0.6089577002989808);
  });

  it("stays in [0, 1)", () => {
    fc.assert(
      fc.property(seeds, seeds, (seed, counter) => {
        const value = uniform(seed, counter);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThan(1);
      }),
    );
  });

  // χ² with 255 degrees of freedom has mean 255 and standard deviation 22.6: the bounds are 4.5 deviations away on
  // either side.
  it.each([
    { of: "along one stream", draw: (i: number) => uniform(7, i) },
    { of: "over neighbouring seeds", draw: (i: number) => uniform(i, 0) },
    { of: "over neighbouring observations", draw: (i: number) => uniform(seedFor(7, "sample", 1, i, 1), 0) },
    { of: "over neighbouring tries", draw: (i: number) => uniform(seedFor(7, "sample", 1, 3, i), 0) },
  ])("is even $of", ({ draw }) => {
    const first = new Uint32Array(256);
    const low = new Uint32Array(256);
    for (let i = 0; i < 51_200; i++) {
      const value = draw(i);
      first[Math.floor(value * 256)]++;
      low[Math.floor(value * 2 ** 32) & 255]++;
    }
    for (const counts of [first, low]) {
      expect(chiSquare(counts)).toBeGreaterThan(153);
      expect(chiSquare(counts)).toBeLessThan(357);
    }
  });

  it("does not tie the tries of one observation, or neighbouring observations, to each other", () => {
    const draws = (observation: (i: number) => number, attempt: number) =>
      Array.from({ length: 20_000 }, (_, i) => uniform(seedFor(3, "sample", 1, observation(i), attempt), 0));
    const first = draws((i) => i, 1);
    // The standard error of a correlation of independent numbers is 1 / √20000 = 0.007.
    expect(
      Math.abs(
        correlation(
          first,
          draws((i) => i, 2),
        ),
      ),
    ).toBeLessThan(0.03);
    expect(
      Math.abs(
        correlation(
          first,
          draws((i) => i + 1, 1),
        ),
      ),
    ).toBeLessThan(0.03);
    expect(
      Math.abs(
        correlation(
          first,
          draws((i) => i + 2 ** 16, 1),
        ),
      ),
    ).toBeLessThan(0.03);
  });
});

describe("gaussian", () => {
  it("has mean 0, variance 1 and the normal's tails", () => {
    const values = Array.from({ length: 50_000 }, (_, i) => gaussian(11, i));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(variance - 1)).toBeLessThan(0.03);
    const beyondTwo = values.filter((value) => Math.abs(value) > 2).length / values.length;
    expect(Math.abs(beyondTwo - 0.0455)).toBeLessThan(0.005);
  });
});

describe("shuffled", () => {
  it("is a permutation, the same for the same seed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), seeds, (n, seed) => {
        const order = shuffled(n, seed);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
        expect(shuffled(n, seed)).toEqual(order);
      }),
    );
  });

  it("gives each permutation of four equally often", () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 24_000; seed++) {
      const order = shuffled(4, seed).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    // 23 degrees of freedom: the bound is exceeded once in ten thousand.
    expect(chiSquare(counts.values())).toBeLessThan(57);
  });
});
