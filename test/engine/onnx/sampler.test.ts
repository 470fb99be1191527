import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { uniform } from "../../../src/algorithm/random.js";
import { greedyToken, NucleusSampler } from "../../../src/engine/onnx/sampler.js";

describe("greedyToken", () => {
  it("takes the largest, the lowest id among equals", () => {
    expect(greedyToken(Float32Array.of(-1, 3, 3, 2))).toBe(1);
    expect(greedyToken(Float32Array.of(-5))).toBe(0);
  });
});

/** Probabilities of the nucleus by the definition: sort, cut where the mass is reached, renormalize. */
function nucleus(logits: Float32Array, temperature: number, topP: number): Map<number, number> {
  const weights = [...logits].map((logit, token) => ({
    token,
    p: Math.exp((logit - Math.max(...logits)) / temperature),
  }));
  const sum = weights.reduce((total, { p }) => total + p, 0);
  const sorted = weights.map(({ token, p }) => ({ token, p: p / sum })).sort((a, b) => b.p - a.p || a.token - b.token);
  let mass = 0;
  const kept = sorted.filter(({ p }) => {
    const before = mass;
    mass += p;
    return before < topP;
  });
  const total = kept.reduce((all, { p }) => all + p, 0);
  return new Map(kept.map(({ token, p }) => [token, p / total]));
}

describe("NucleusSampler", () => {
  it("draws with the nucleus's probabilities", () => {
    const logits = Float32Array.of(2, 0.5, 1.5, -1, 1.4, -6);
    for (const [temperature, topP] of [
      [1, 0.9],
      [0.7, 0.6],
      [1.5, 1],
    ] as const) {
      const expected = nucleus(logits, temperature, topP);
      const sampler = new NucleusSampler(logits.length);
      const counts = new Map<number, number>();
      const draws = 20_000;
      for (let i = 0; i < draws; i++) {
        const token = sampler.draw(logits, temperature, topP, uniform(7, i));
        counts.set(token, (counts.get(token) ?? 0) + 1);
      }
      for (const token of counts.keys()) expect(expected.has(token)).toBe(true);
      // Five standard deviations of a binomial share.
      for (const [token, p] of expected) {
        expect(Math.abs((counts.get(token) ?? 0) / draws - p)).toBeLessThan(
          5 * Math.sqrt((p * (1 - p)) / draws) + 1e-9,
        );
      }
    }
  });

  it("never leaves the nucleus and is greedy when it holds one token", () => {
    fc.assert(
      fc.property(
        // Quarters, so that two logits are either equal or clearly apart.
        fc.array(
          fc.integer({ min: -80, max: 80 }).map((n) => n / 4),
          { minLength: 1, maxLength: 60 },
        ),
        fc.double({ min: 0.05, max: 2, noNaN: true }),
        // At 1 every token belongs, also those whose share is lost in rounding beside the others.
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        fc.double({ min: 0, max: 0.999999999, noNaN: true }),
        (values, temperature, topP, random) => {
          const logits = Float32Array.from(values);
          const sampler = new NucleusSampler(logits.length);
          // A hair of tolerance: the definition and the sampler may round the boundary differently.
          expect(
            nucleus(logits, temperature, Math.min(1, topP + 1e-9)).has(sampler.draw(logits, temperature, topP, random)),
          ).toBe(true);
          expect(sampler.draw(logits, temperature, 1e-9, random)).toBe(greedyToken(logits));
        },
      ),
    );
  });
});
