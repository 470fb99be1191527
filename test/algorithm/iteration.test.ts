import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { combineMethod } from "../../src/algorithm/combine.js";
import {
  commit,
  type DrawnTry,
  runIteration,
  type TryRequest,
  type VisitOptions,
  type VisitProgress,
  visit,
} from "../../src/algorithm/iteration.js";
import { METHODS, type Method, methodNamed } from "../../src/algorithm/methods.js";
import { ObservationQueue } from "../../src/algorithm/observation-queue.js";
import { seedFor, uniform } from "../../src/algorithm/random.js";
import { sequentialIteration } from "./sequential.js";

/** All methods, and combinations that none of them has. */
const TESTED: readonly Method[] = [
  ...Object.values(METHODS),
  combineMethod(methodNamed("adastar"), { tries: 5, retry: "always", rationalize: false }),
  combineMethod(methodNamed("adastar"), { tries: 6, retry: "always", rationalize: false, keepPerObservation: 2 }),
  combineMethod(methodNamed("adastar-priority-flipped"), { tries: 4 }),
  combineMethod(methodNamed("rest-em"), { batch: "schedule" }),
];

interface Learner {
  readonly seed: number;
  /** Share of tries that are correct; an observation is easier or harder than that by its index. */
  readonly skill: number;
}

function judge({ seed, skill }: Learner, iteration: number, request: TryRequest): DrawnTry {
  const { observation, attempt, hinted } = request;
  const ease = (observation % 5) / 10 - 0.2 + (hinted ? 0.2 : 0);
  return { ...request, correct: uniform(seedFor(seed, "sample", iteration, observation, attempt), 0) < skill + ease };
}

const name = ({ observation, attempt }: { observation: number; attempt: number }) => `${observation}/${attempt}`;

/** A visit whose draws are written down. */
function visiting(learner: Learner, options: Omit<VisitOptions<DrawnTry>, "draw" | "seed">) {
  const calls: TryRequest[][] = [];
  const draw = async (requests: readonly TryRequest[]) => {
    calls.push([...requests]);
    return requests.map((request) => judge(learner, options.iteration, request));
  };
  return { calls, options: { ...options, seed: learner.seed, draw } satisfies VisitOptions<DrawnTry> };
}

const cases = fc.record({
  size: fc.integer({ min: 0, max: 40 }),
  waveSize: fc.integer({ min: 1, max: 45 }),
  target: fc.integer({ min: 1, max: 50 }),
  power: fc.constantFrom(0, 0.5, 1, 2, 3),
  learner: fc.record({ seed: fc.nat(), skill: fc.double({ min: 0, max: 1.1, noNaN: true }) }),
  ties: fc.boolean(),
});

describe.each(TESTED)("$name", (method) => {
  it("does in batches what the sequential algorithm does one by one", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ size, waveSize, target: goal, power, learner, ties }) => {
        const target = method.batch === "schedule" ? goal : null;
        const ranked = { tieSeed: ties ? seedFor(learner.seed, "ties") : null, recordVisits: true };
        const queue = ObservationQueue.create(size, method.queueKey, ranked);
        const reference = ObservationQueue.create(size, method.queueKey, ranked);
        // Several iterations, so that queues with a history are covered.
        for (let iteration = 1; iteration <= 4; iteration++) {
          const { calls, options } = visiting(learner, { method, queue, iteration, target, waveSize });
          const trained: string[] = [];
          const { visit: found, updated } = await runIteration({
            ...options,
            power,
            train: async ({ kept }) => void trained.push(...kept.map(name)),
          });
          const expected = sequentialIteration(method, reference, iteration, learner.seed, target, power, (request) =>
            judge(learner, iteration, request),
          );
          const visited = Array.from(found.observations, (observation, i) => ({
            observation,
            correct: found.correct[i],
            drawn: found.drawn[i],
          }));
          expect(visited).toEqual(expected.visited);
          expect(found.kept.map(name)).toEqual(expected.kept);
          expect(trained).toEqual(expected.kept);
          expect(found.tries.map(name)).toEqual(expected.tries);
          expect([found.solved, updated]).toEqual([expected.solved, expected.updated]);
          expect(queue.serialize()).toEqual(reference.serialize());

          // Every try was asked for once, and is either used or counted as speculated.
          const asked = calls.flat().map(name);
          expect(new Set(asked).size).toBe(asked.length);
          expect([...found.tries, ...found.speculated].map(name).sort()).toEqual(asked.sort());
          expect(calls.every((requests) => requests.length > 0 && requests.length <= waveSize)).toBe(true);
        }
      }),
      { numRuns: 25 },
    );
  });
});

/** Outcomes by `observation/attempt`; what is not named is wrong. */
function scripted(correct: readonly string[]) {
  const calls: string[][] = [];
  const draw = async (requests: readonly TryRequest[]): Promise<DrawnTry[]> => {
    calls.push(requests.map(name));
    return requests.map((request) => ({ ...request, correct: correct.includes(name(request)) }));
  };
  return { calls, draw };
}

const adastar = methodNamed("adastar");

describe("visit", () => {
  const basics = { method: adastar, iteration: 1, seed: 1 } as const;

  it("stops at the shortest prefix that reaches the target, and lets go what lies beyond it", async () => {
    const queue = ObservationQueue.create(10, adastar.queueKey);
    const { calls, draw } = scripted(["0/1", "1/2", "2/1", "3/1", "4/1"]);
    const found = await visit({ ...basics, queue, target: 3, waveSize: 5, draw });
    expect([...found.observations]).toEqual([0, 1, 2]);
    expect([...found.correct]).toEqual([1, 1, 1]);
    expect([...found.drawn]).toEqual([1, 2, 1]);
    expect(found.kept.map(name)).toEqual(["0/1", "1/2", "2/1"]);
    // After try 1, observations 0, 2 and 3 already make three: 4 cannot be needed. After 1's second try, neither can 3.
    expect(calls).toEqual([["0/1", "1/1", "2/1", "3/1", "4/1"], ["1/2"]]);
    expect(found.speculated.map(name)).toEqual(["3/1", "4/1"]);
    expect([found.solved, found.alpha, found.exhausted]).toEqual([3, 1, false]);
  });

  it("does not try again what cannot be needed", async () => {
    const queue = ObservationQueue.create(6, adastar.queueKey);
    const { calls, draw } = scripted(["0/1", "1/1"]);
    const found = await visit({ ...basics, queue, target: 2, waveSize: 4, draw });
    expect(calls).toEqual([["0/1", "1/1", "2/1", "3/1"]]);
    expect(found.speculated.map(name)).toEqual(["2/1", "3/1"]);
  });

  it("visits everything and says so when too little is correct", async () => {
    const queue = ObservationQueue.create(4, adastar.queueKey);
    const { draw } = scripted(["3/2"]);
    const found = await visit({ ...basics, queue, target: 2, waveSize: 3, draw });
    expect([...found.observations]).toEqual([0, 1, 2, 3]);
    expect(found.kept.map(name)).toEqual(["3/2"]);
    expect([found.exhausted, found.alpha, found.speculated.length]).toEqual([true, 0.25, 0]);
  });

  it("is not exhausted when the last observation reaches the target", async () => {
    const queue = ObservationQueue.create(2, adastar.queueKey);
    const found = await visit({ ...basics, queue, target: 2, waveSize: 8, draw: scripted(["0/1", "1/2"]).draw });
    expect([found.observations.length, found.exhausted]).toEqual([2, false]);
  });

  it("of no observations finds nothing", async () => {
    const queue = ObservationQueue.create(0, adastar.queueKey);
    const { calls, draw } = scripted([]);
    const found = await visit({ ...basics, queue, target: 2, waveSize: 8, draw });
    expect([found.observations.length, found.alpha, found.exhausted, calls.length]).toEqual([0, 0, true, 0]);
  });

  it("cuts D₊ to the target when the last observation gives more than is needed", async () => {
    const method = combineMethod(adastar, { tries: 3, retry: "always", rationalize: false });
    const queue = ObservationQueue.create(3, method.queueKey);
    const { draw } = scripted(["0/1", "0/3", "1/1", "1/2", "1/3"]);
    const found = await visit({ ...basics, method, queue, target: 3, waveSize: 2, draw });
    expect(found.kept.map(name)).toEqual(["0/1", "0/3", "1/1"]);
    expect([...found.correct]).toEqual([2, 3]);
  });

  it("gives hints from the second try on, where the method rationalizes", async () => {
    const hints = async (method: Method) => {
      const requests: TryRequest[] = [];
      const draw = async (asked: readonly TryRequest[]) => {
        requests.push(...asked);
        return asked.map((request): DrawnTry => ({ ...request, correct: false }));
      };
      await visit({
        ...basics,
        method,
        queue: ObservationQueue.create(1, method.queueKey),
        target: 1,
        waveSize: 1,
        draw,
      });
      return requests.map(({ attempt, hinted }) => [attempt, hinted]);
    };
    expect(await hints(adastar)).toEqual([
      [1, false],
      [2, true],
    ]);
    expect(await hints({ ...adastar, rationalize: false })).toEqual([
      [1, false],
      [2, false],
    ]);
  });

  it("takes ties by index and comes back to what was held back", async () => {
    const queue = ObservationQueue.create(12, adastar.queueKey);
    // Half are solved: α = ½, so ⌊10 · ¼⌋ = 2 are updated.
    const correct = ["1/1", "3/1", "5/1", "7/1", "9/1"];
    const first = await visit({ ...basics, queue, target: 5, waveSize: 64, draw: scripted(correct).draw });
    expect([...first.observations]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(commit(queue, first, adastar, 2)).toBe(2);
    expect([...queue.peekInOrder()]).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 1]);
    expect([queue.lastSampled(0), queue.winRate(0), queue.winRate(1)]).toEqual([1, 0, 1]);
    expect([queue.lastSampled(2), queue.winRate(3)]).toEqual([0, 0]);
  });

  it("keeps random ones of the correct where all are visited, others in another iteration", async () => {
    const method = methodNamed("star");
    const queue = ObservationQueue.create(60, method.queueKey);
    const draw = async (requests: readonly TryRequest[]) =>
      requests.map((request): DrawnTry => ({ ...request, correct: true }));
    const kept = async (iteration: number) =>
      (await visit({ ...basics, method, iteration, queue, target: 20, waveSize: 16, draw })).kept;
    const [first, again, second] = [await kept(1), await kept(1), await kept(2)];
    expect(first.length).toBe(20);
    expect(new Set(first.map(name)).size).toBe(20);
    expect(again).toEqual(first);
    expect(second).not.toEqual(first);
  });

  it("hands back what the caller's draw found", async () => {
    const queue = ObservationQueue.create(2, adastar.queueKey);
    const draw = async (requests: readonly TryRequest[]) =>
      requests.map((request) => ({ ...request, correct: true, text: `said ${name(request)}` }));
    const found = await visit({ ...basics, queue, target: 2, waveSize: 2, draw });
    expect(found.kept[1]).toEqual({ observation: 1, attempt: 1, hinted: false, correct: true, text: "said 1/1" });
  });

  it("tells how far it is, never backwards, and ends at m", async () => {
    const queue = ObservationQueue.create(200, adastar.queueKey);
    const told: VisitProgress[] = [];
    const { options } = visiting(
      { seed: 4, skill: 0.5 },
      { method: adastar, queue, iteration: 1, target: 40, waveSize: 16 },
    );
    const found = await visit({ ...options, onProgress: (progress) => told.push(progress) });
    expect(told.at(-1)).toEqual({ visited: found.observations.length, correct: 40, target: 40 });
    const correct = told.map((progress) => progress.correct);
    expect(correct).toEqual([...correct].sort((a, b) => a - b));
  });

  it("speculates little, though its waves are large", async () => {
    const queue = ObservationQueue.create(5_000, adastar.queueKey);
    const { options, calls } = visiting(
      { seed: 9, skill: 0.5 },
      { method: adastar, queue, iteration: 1, target: 640, waveSize: 256 },
    );
    const found = await visit(options);
    expect(found.speculated.length).toBeLessThan(0.06 * found.tries.length);
    expect(calls.length).toBeLessThan(20);
  });

  it("refuses outcomes that do not match the requests, and waves of nothing", async () => {
    const queue = ObservationQueue.create(3, adastar.queueKey);
    await expect(visit({ ...basics, queue, target: 2, waveSize: 2, draw: async () => [] })).rejects.toThrow(
      "expected 2 outcomes of draw, got 0",
    );
    const swapped = async (requests: readonly TryRequest[]) =>
      requests.map((request) => ({ ...request, correct: true })).reverse();
    await expect(visit({ ...basics, queue, target: 2, waveSize: 2, draw: swapped })).rejects.toThrow(
      "expected try 1 of observation 0 of draw, got try 1 of observation 1",
    );
    await expect(visit({ ...basics, queue, target: 2, waveSize: 0, draw: async () => [] })).rejects.toThrow(
      "expected waves",
    );
  });
});

describe("commit", () => {
  it("updates the first ⌊m·αᵖ⌋ visited and nothing else", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ size, waveSize, target, power, learner }) => {
        const queue = ObservationQueue.create(size, adastar.queueKey);
        const { options } = visiting(learner, { method: adastar, queue, iteration: 7, target, waveSize });
        const found = await visit(options);
        const updated = commit(queue, found, adastar, power);
        const m = found.observations.length;
        expect(updated).toBeLessThanOrEqual(m);
        expect(Math.abs(updated - m * found.alpha ** power)).toBeLessThan(1 + 1e-9);
        const changed = Array.from({ length: size }, (_, i) => i).filter((i) => queue.lastSampled(i) === 7);
        expect(changed).toEqual([...found.observations.subarray(0, updated)].sort((a, b) => a - b));
      }),
    );
  });

  it("done twice is done once", async () => {
    const queue = ObservationQueue.create(30, adastar.queueKey);
    const { options } = visiting(
      { seed: 2, skill: 0.6 },
      { method: adastar, queue, iteration: 1, target: 10, waveSize: 8 },
    );
    const found = await visit(options);
    commit(queue, found, adastar, 2);
    const once = queue.serialize();
    commit(queue, found, adastar, 2);
    expect(queue.serialize()).toEqual(once);
  });
});
