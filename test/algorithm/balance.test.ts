import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BALANCE_TEMPERATURES, balanceScore, bestTemperature, probeTemperatures } from "../../src/algorithm/balance.js";
import type { TryRequest } from "../../src/algorithm/iteration.js";

const responses = (right: readonly string[], wrong = 0) => [
  ...right.map((text) => ({ correct: true, text })),
  ...Array.from({ length: wrong }, () => ({ correct: false, text: "no" })),
];

describe("balanceScore", () => {
  it.each([
    // min(n′ / 6, 1) · n′ / n by hand
    ["three different ones right of five", responses(["a", "b", "c"], 2), (3 / 6) * (3 / 5)],
    ["equal responses count once", responses(["a", "a", "a", "b"], 0), (2 / 6) * (2 / 4)],
    ["more than six are enough", responses([..."abcdefgh"], 2), 1 * (8 / 10)],
    ["none right", responses([], 5), 0],
    ["nothing drawn", [], 0],
  ])("%s", (_, drawn, score) => expect(balanceScore(drawn)).toBeCloseTo(score, 12));

  it("is 1 only for enough different responses that are all right", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 10 }), (unique, wrong) => {
        const score = balanceScore(responses([..."abcdefghij"].slice(0, unique), wrong));
        expect(score === 1).toBe(unique >= 6 && wrong === 0);
      }),
    );
  });
});

describe("probeTemperatures", () => {
  const probe = async (waveSize: number, queries = 3) => {
    const asked: { temperature: number; requests: readonly TryRequest[] }[] = [];
    const scored = await probeTemperatures({
      observations: 10,
      queries,
      tries: 2,
      iteration: 4,
      seed: 1,
      waveSize,
      draw: async (temperature, requests) => {
        asked.push({ temperature, requests });
        // At 0.7 both responses differ and are right, elsewhere one of two is.
        return requests.map(({ attempt }) => ({
          correct: temperature === 0.7 || attempt === 1,
          text: String(attempt),
        }));
      },
    });
    return { asked, scored };
  };

  it("draws the same tries at every temperature and scores each", async () => {
    const { asked, scored } = await probe(100);
    expect(asked.map(({ temperature }) => temperature)).toEqual(BALANCE_TEMPERATURES);
    for (const { requests } of asked) expect(requests).toEqual(asked[0]?.requests);
    expect(asked[0]?.requests).toHaveLength(6);
    expect(scored.find(({ temperature }) => temperature === 0.7)?.score).toBeCloseTo((2 / 6) * 1, 12);
    expect(scored.find(({ temperature }) => temperature === 1)?.score).toBeCloseTo((1 / 6) * (1 / 2), 12);
    expect(bestTemperature(scored)).toBe(0.7);
  });

  it("scores the same whatever the wave", async () => {
    const { asked, scored } = await probe(1);
    expect(asked).toHaveLength(6 * BALANCE_TEMPERATURES.length);
    expect(scored).toEqual((await probe(100)).scored);
  });

  it("asks all observations where there are fewer than queries", async () => {
    expect((await probe(100, 50)).asked[0]?.requests).toHaveLength(20);
  });
});

it("of equal scores the lowest temperature is taken", () => {
  expect(bestTemperature([0.4, 0.5, 0.6].map((temperature) => ({ temperature, score: 0.1 })))).toBe(0.4);
});
