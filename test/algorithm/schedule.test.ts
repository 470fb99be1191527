import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { methodNamed } from "../../src/algorithm/methods.js";
import { learningRateAt, type StepSchedule, stepsAt, targetAt } from "../../src/algorithm/schedule.js";
import { trainingBatches, trainingSteps } from "../../src/algorithm/training-order.js";
import { UserError } from "../../src/errors.js";

const PAPER = { initialSteps: 40, growth: 1.2, batchSize: 8 };

describe("stepsAt", () => {
  const first = (count: number, schedule: StepSchedule) =>
    Array.from({ length: count }, (_, i) => stepsAt(i + 1, schedule));

  it("grows by 1.2 from the first iteration's steps, rounded down once", () => {
    expect(first(10, PAPER)).toEqual([40, 48, 57, 69, 82, 99, 119, 143, 171, 206]);
    expect(first(6, { ...PAPER, initialSteps: 4 })).toEqual([4, 4, 5, 6, 8, 9]);
  });

  it("is the power's floor in exact numbers, whatever the growth's decimals", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1000, max: 2500 }),
        fc.integer({ min: 1, max: 25 }),
        (initialSteps, thousandths, iteration) => {
          const power = BigInt(iteration - 1);
          const exact = (BigInt(initialSteps) * BigInt(thousandths) ** power) / 1000n ** power;
          expect(stepsAt(iteration, { initialSteps, growth: thousandths / 1000, batchSize: 1 })).toBe(Number(exact));
        },
      ),
    );
    // 1.1² is 1.2100000000000002 in doubles, 100 · 1.1³ is 133.10000000000002, and 1000 · 1.1³ must be 1331.
    expect(stepsAt(4, { initialSteps: 1000, growth: 1.1, batchSize: 1 })).toBe(1331);
    expect(stepsAt(3, { initialSteps: 8, growth: 1 + 1e-7, batchSize: 1 })).toBe(8);
  });

  it("rounds down in each iteration for runs that began so", () => {
    expect(first(10, { ...PAPER, rounding: "each" })).toEqual([40, 48, 57, 68, 81, 97, 116, 139, 166, 199]);
    expect(stepsAt(30, { ...PAPER, initialSteps: 4, rounding: "each" })).toBe(4);
    expect(stepsAt(2, { ...PAPER, initialSteps: 5, rounding: "each" })).toBe(6);
  });

  it("does not lose a step to rounding", () => {
    // 100 · 1.15 is 114.99999999999999 in doubles.
    expect(stepsAt(2, { ...PAPER, initialSteps: 100, growth: 1.15 })).toBe(115);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 100, max: 300 }),
        (initialSteps, hundredths) => {
          const exact = Math.floor((initialSteps * hundredths) / 100);
          expect(stepsAt(2, { initialSteps, growth: hundredths / 100, batchSize: 1 })).toBe(exact);
        },
      ),
    );
  });

  it.each([
    { initialSteps: 0, says: "steps" },
    { initialSteps: 1.5, says: "steps" },
    { growth: 0.9, says: "growth" },
    { growth: Number.NaN, says: "growth" },
    { batchSize: 0, says: "batch size" },
  ])("refuses $initialSteps $growth $batchSize", ({ says, ...change }) => {
    expect(() => stepsAt(1, { ...PAPER, ...change })).toThrow(UserError);
    expect(() => stepsAt(1, { ...PAPER, ...change })).toThrow(says);
  });

  it("refuses a growth beyond all counting", () => {
    expect(() => stepsAt(100, { ...PAPER, growth: 10 })).toThrow(/iteration 100; lower growth/);
  });
});

describe("targetAt", () => {
  it("is σ · β, and null for methods that keep everything", () => {
    expect(targetAt(1, PAPER, methodNamed("adastar"))).toBe(320);
    expect(targetAt(2, PAPER, methodNamed("star"))).toBe(384);
    expect(targetAt(1, PAPER, methodNamed("rest-em"))).toBeNull();
  });
});

describe("learningRateAt", () => {
  const steps = 10;
  const rates = (decay: "constant" | "linear" | "cosine", warmupSteps: number, final?: number) =>
    Array.from({ length: steps }, (_, step) =>
      learningRateAt(step, steps, { peak: 8, warmupSteps, decay, ...(final === undefined ? {} : { final }) }),
    );

  it("warms up in equal parts, without a step of rate zero", () => {
    expect(rates("constant", 4)).toEqual([2, 4, 6, 8, 8, 8, 8, 8, 8, 8]);
    expect(rates("linear", 20)).toEqual(
      [0.4, 0.8, 1.2, 1.6, 2, 2.4, 2.8, 3.2, 3.6, 4].map((rate) => expect.closeTo(rate)),
    );
  });

  it("falls to zero in equal parts", () => {
    expect(rates("linear", 2)).toEqual([4, 8, 8, 7, 6, 5, 4, 3, 2, 1]);
  });

  it("falls along half a cosine", () => {
    const found = rates("cosine", 0);
    expect(found[0]).toBe(8);
    expect(found[5]).toBeCloseTo(4);
    expect(found[9]).toBeCloseTo(4 * (1 + Math.cos(0.9 * Math.PI)));
    expect(learningRateAt(steps, steps, { peak: 8, warmupSteps: 0, decay: "cosine", final: 0.1 })).toBeCloseTo(0.8);
  });

  it("falls to a share of the peak when asked", () => {
    expect(learningRateAt(steps, steps, { peak: 8, warmupSteps: 2, decay: "linear", final: 0.25 })).toBe(2);
    expect(rates("linear", 0, 1)).toEqual(Array(steps).fill(8));
  });
});

describe("trainingBatches", () => {
  it("takes σ steps of β and uses every entry equally often, but for one", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        fc.nat(),
        (size, batchSize, steps, seed) => {
          const order = { size, batchSize, steps, seed, iteration: 3 };
          const batches = [...trainingBatches(order)];
          expect(batches.length).toBe(steps);
          expect(trainingSteps(order)).toBe(steps);
          expect(batches.every((batch) => batch.length === batchSize)).toBe(true);
          const uses = new Uint32Array(size);
          for (const entry of batches.flat()) uses[entry]++;
          expect(Math.max(...uses) - Math.min(...uses)).toBeLessThanOrEqual(1);
          expect([...trainingBatches(order)]).toEqual(batches);
        },
      ),
    );
  });

  it("shuffles each pass, each iteration and each seed anew", () => {
    const passes = (seed: number, iteration: number) =>
      [...trainingBatches({ size: 20, batchSize: 20, steps: 3, seed, iteration })].map((batch) => batch.join());
    const all = [...passes(1, 1), ...passes(1, 2), ...passes(2, 1)];
    expect(new Set(all).size).toBe(9);
  });

  it("makes one pass without a number of steps, with a short last batch", () => {
    const order = { size: 10, batchSize: 4, steps: null, seed: 1, iteration: 1 };
    const batches = [...trainingBatches(order)];
    expect(batches.map((batch) => batch.length)).toEqual([4, 4, 2]);
    expect(trainingSteps(order)).toBe(3);
    expect(batches.flat().sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("yields nothing when nothing was correct", () => {
    const order = { size: 0, batchSize: 4, steps: 40, seed: 1, iteration: 1 };
    expect([...trainingBatches(order)]).toEqual([]);
    expect(trainingSteps(order)).toBe(0);
  });
});
