import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commit, visit } from "../../src/algorithm/iteration.js";
import { methodNamed, type QueueKeyField } from "../../src/algorithm/methods.js";
import { ObservationQueue, type QueueOptions } from "../../src/algorithm/observation-queue.js";
import { seedFor, uniform } from "../../src/algorithm/random.js";
import { UserError } from "../../src/errors.js";

interface Entry {
  readonly observation: number;
  readonly lastSampled: number;
  readonly correct: number;
  readonly drawn: number;
}

const adastar = methodNamed("adastar");

const KEYS: readonly (readonly QueueKeyField[])[] = [
  ["lastSampled", "winRate"],
  ["lastSampled"],
  ["winRate", "lastSampled"],
  ["winRate"],
];

/** Few different values, so that ties are common. */
const statistics = fc
  .record({ lastSampled: fc.integer({ min: 0, max: 3 }), drawn: fc.integer({ min: 0, max: 12 }), any: fc.nat() })
  .map(({ lastSampled, drawn, any }) => ({ lastSampled, drawn, correct: any % (drawn + 1) }));
const entries = fc
  .array(statistics, { maxLength: 60 })
  .map((all) => all.map((entry, observation): Entry => ({ observation, ...entry })));
const keys = fc.constantFrom(...KEYS);
const tieSeeds = fc.option(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));

/** The rank that decides among equals: the place in a queue in which all are equal. */
function ranksOf(size: number, tieSeed: number | null): number[] {
  const ranks: number[] = [];
  const untouched = ObservationQueue.create(size, ["lastSampled"], { tieSeed });
  let rank = 0;
  for (const observation of untouched.peekInOrder()) ranks[observation] = rank++;
  return ranks;
}

/** The order by definition: fields as exact fractions, then the rank. */
function sortedByKey(all: readonly Entry[], key: readonly QueueKeyField[], ranks?: readonly number[]): number[] {
  const fields = {
    lastSampled: (a: Entry, b: Entry) => a.lastSampled - b.lastSampled,
    winRate: (a: Entry, b: Entry) =>
      Number(BigInt(a.correct) * BigInt(b.drawn || 1) - BigInt(b.correct) * BigInt(a.drawn || 1)),
  };
  const compare = (a: Entry, b: Entry) =>
    key.map((field) => fields[field](a, b)).find((difference) => difference !== 0) ??
    (ranks === undefined ? a.observation - b.observation : ranks[a.observation] - ranks[b.observation]);
  return [...all].sort(compare).map(({ observation }) => observation);
}

function queueOf(all: readonly Entry[], key: readonly QueueKeyField[], options: QueueOptions = {}): ObservationQueue {
  const queue = ObservationQueue.create(all.length, key, options);
  for (const { observation, lastSampled, correct, drawn } of all)
    queue.update(observation, lastSampled, correct, drawn);
  return queue;
}

function popAll(queue: ObservationQueue): number[] {
  const order: number[] = [];
  for (let first = queue.pop(); first !== undefined; first = queue.pop()) order.push(first);
  return order;
}

describe("the order", () => {
  it("is that of sorting by key, for pops and for the walk", () => {
    fc.assert(
      fc.property(entries, keys, tieSeeds, (all, key, tieSeed) => {
        const queue = queueOf(all, key, { tieSeed });
        const expected = sortedByKey(all, key, ranksOf(all.length, tieSeed));
        expect([...queue.peekInOrder()]).toEqual(expected);
        expect(queue.size).toBe(all.length);
        expect(popAll(queue)).toEqual(expected);
        expect(queue.size).toBe(0);
      }),
    );
  });

  it("is by index for observations that were never sampled", () => {
    const queue = ObservationQueue.create(12, ["lastSampled", "winRate"]);
    expect([...queue.peekInOrder()]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it("is by a rank drawn from the seed where that is asked for, another one for another seed", () => {
    const orders = [1, 2, 3].map((tieSeed) => [
      ...ObservationQueue.create(12, ["lastSampled"], { tieSeed }).peekInOrder(),
    ]);
    expect(new Set([...orders, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]].map(String)).size).toBe(4);
    for (const order of orders) expect(new Set(order).size).toBe(12);
  });

  it("keeps its rank when statistics change", () => {
    const queue = ObservationQueue.create(200, ["lastSampled", "winRate"], { tieSeed: 7 });
    const order = [...queue.peekInOrder()];
    // All equal again, updated from the last to the first.
    for (let i = 199; i >= 0; i--) queue.update(i, 4, 1, 2);
    expect([...queue.peekInOrder()]).toEqual(order);
  });

  it("does not follow the file: a front that stays in the queue comes from all of it", async () => {
    const size = 800;
    const visitedBy = async (tieSeed: number | null) => {
      const queue = ObservationQueue.create(size, adastar.queueKey, { tieSeed, recordVisits: true });
      for (let iteration = 1; iteration <= 6; iteration++) {
        // A weak model: one try in ten is right, so the gate moves few observations.
        const found = await visit({
          method: adastar,
          queue,
          iteration,
          seed: 1,
          target: 48,
          waveSize: 64,
          draw: async (requests) =>
            requests.map((request) => ({
              ...request,
              correct: uniform(seedFor(1, "sample", iteration, request.observation, request.attempt), 0) < 0.06,
            })),
        });
        expect(commit(queue, found, adastar, 2)).toBeLessThan(found.observations.length / 10);
        const last = Math.max(...found.observations);
        if (tieSeed === null) expect(last).toBeLessThan(size * 0.8);
        else expect(last).toBeGreaterThan(size * 0.98);
      }
      return queue;
    };
    const inFileOrder = await visitedBy(null);
    const shuffled = await visitedBy(seedFor(1, "ties"));
    for (const queue of [inFileOrder, shuffled]) expect(queue.everVisited).toBeLessThan(size * 0.8);
  });

  it("takes equal win rates for equal whatever they were counted on, and tells the closest ones apart", () => {
    const queue = ObservationQueue.create(5, ["winRate"]);
    queue.update(0, 1, 85, 255);
    queue.update(1, 2, 1, 3);
    queue.update(2, 9, 127, 255);
    queue.update(3, 1, 127, 254);
    queue.update(4, 7, 2, 6);
    expect([...queue.peekInOrder()]).toEqual([0, 1, 4, 2, 3]);
  });

  it("survives any sequence of pops, pushes and updates", () => {
    const actions = fc.array(
      fc.record({ kind: fc.constantFrom("pop", "push", "update"), at: fc.nat(), entry: statistics }),
      { maxLength: 120 },
    );
    fc.assert(
      fc.property(entries, keys, tieSeeds, actions, (all, key, tieSeed, steps) => {
        const queue = queueOf(all, key, { tieSeed });
        const ranks = ranksOf(all.length, tieSeed);
        const inside = new Map(all.map((entry) => [entry.observation, entry]));
        const outside: number[] = [];
        for (const { kind, at, entry } of steps) {
          if (kind === "pop") {
            const first = queue.pop();
            expect(first).toBe(sortedByKey([...inside.values()], key, ranks)[0]);
            if (first === undefined) continue;
            inside.delete(first);
            outside.push(first);
          } else if (kind === "push" && outside.length > 0) {
            const [observation] = outside.splice(at % outside.length, 1);
            queue.push(observation, entry.lastSampled, entry.correct, entry.drawn);
            inside.set(observation, { observation, ...entry });
          } else if (kind === "update" && inside.size > 0) {
            const observation = [...inside.keys()][at % inside.size];
            queue.update(observation, entry.lastSampled, entry.correct, entry.drawn);
            inside.set(observation, { observation, ...entry });
          }
          expect(queue.size).toBe(inside.size);
        }
        expect([...queue.peekInOrder()]).toEqual(sortedByKey([...inside.values()], key, ranks));
      }),
    );
  });
});

describe("a key", () => {
  it.each([[[]], [["winRate", "winRate"]]] as const)("%j is refused", (key) => {
    expect(() => ObservationQueue.create(3, key)).toThrow(UserError);
    expect(() => ObservationQueue.create(3, key)).toThrow("expected a queue's key of at least one field");
  });
});

describe("visits", () => {
  it("are counted once an observation, and only where that is asked for", () => {
    const queue = ObservationQueue.create(20, ["lastSampled"], { recordVisits: true });
    expect(queue.everVisited).toBe(0);
    queue.recordVisits([3, 19, 3]);
    queue.recordVisits(Uint32Array.of(0, 3));
    expect(queue.everVisited).toBe(3);
    expect(ObservationQueue.restore(queue.serialize()).everVisited).toBe(3);
    const silent = ObservationQueue.create(20, ["lastSampled"]);
    silent.recordVisits([1]);
    expect(silent.everVisited).toBeNull();
    expect(ObservationQueue.restore(silent.serialize()).everVisited).toBeNull();
  });
});

describe("the walk", () => {
  it("can be left at any place and begun again", () => {
    const queue = queueOf(
      Array.from({ length: 50 }, (_, observation) => ({
        observation,
        lastSampled: observation % 3,
        correct: 0,
        drawn: 1,
      })),
      ["lastSampled"],
    );
    const first: number[] = [];
    for (const observation of queue.peekInOrder()) {
      first.push(observation);
      if (first.length === 20) break;
    }
    expect([...queue.peekInOrder()].slice(0, 20)).toEqual(first);
  });

  it("refuses to go on in a queue that has changed", () => {
    const queue = ObservationQueue.create(5, ["lastSampled"]);
    const walk = queue.peekInOrder();
    walk.next();
    queue.update(3, 1, 0, 1);
    expect(() => walk.next()).toThrow("stay as it is");
  });
});

describe("statistics", () => {
  it("are those of the last update", () => {
    const queue = ObservationQueue.create(3, ["lastSampled", "winRate"]);
    queue.update(1, 7, 2, 5);
    expect([queue.lastSampled(1), queue.winRate(1), queue.counts(1)]).toEqual([7, 0.4, { correct: 2, drawn: 5 }]);
    expect([queue.lastSampled(2), queue.winRate(2), queue.counts(2)]).toEqual([0, 0, { correct: 0, drawn: 0 }]);
  });

  it.each([
    { observation: 3, lastSampled: 1, correct: 0, drawn: 1 },
    { observation: -1, lastSampled: 1, correct: 0, drawn: 1 },
    { observation: 0, lastSampled: -1, correct: 0, drawn: 1 },
    { observation: 0, lastSampled: 2 ** 32, correct: 0, drawn: 1 },
    { observation: 0, lastSampled: 1, correct: 2, drawn: 1 },
    { observation: 0, lastSampled: 1, correct: 0, drawn: 256 },
    { observation: 0, lastSampled: 1, correct: 0.5, drawn: 1 },
  ])("refuse $observation $lastSampled $correct $drawn", ({ observation, lastSampled, correct, drawn }) => {
    const queue = ObservationQueue.create(3, ["lastSampled"]);
    expect(() => queue.update(observation, lastSampled, correct, drawn)).toThrow("expected an observation below 3");
  });

  it("refuse to push what is inside and to update what is outside", () => {
    const queue = ObservationQueue.create(2, ["lastSampled"]);
    expect(() => queue.push(1, 1, 0, 1)).toThrow("which is in the queue");
    expect(queue.pop()).toBe(0);
    expect(() => queue.update(0, 1, 0, 1)).toThrow("which was popped");
    expect(() => queue.serialize()).toThrow("expected all 2 observations");
  });
});

describe("a queue as bytes", () => {
  it("comes back with the same key, statistics and future order, and gives the same bytes again", () => {
    fc.assert(
      fc.property(entries, keys, tieSeeds, fc.boolean(), (all, key, tieSeed, recordVisits) => {
        const queue = queueOf(all, key, { tieSeed, recordVisits });
        queue.recordVisits(all.flatMap(({ observation, drawn }) => (drawn > 3 ? [observation] : [])));
        const bytes = queue.serialize();
        const restored = ObservationQueue.restore(bytes);
        expect(restored.key).toEqual(key);
        expect(restored.serialize()).toEqual(bytes);
        expect(restored.everVisited).toBe(queue.everVisited);
        for (const { observation, lastSampled, correct, drawn } of all) {
          expect(restored.lastSampled(observation)).toBe(lastSampled);
          expect(restored.counts(observation)).toEqual({ correct, drawn });
        }
        expect(popAll(restored)).toEqual(popAll(queue));
      }),
    );
  });

  it("does not depend on how the queue came to be", () => {
    const slow = ObservationQueue.create(40, ["lastSampled", "winRate"]);
    for (let t = 1; t <= 5; t++) {
      for (let i = 0; i < 40; i++) slow.update((i * 7) % 40, t, i % 3, 3);
    }
    const fast = ObservationQueue.create(40, ["lastSampled", "winRate"]);
    for (let i = 0; i < 40; i++) fast.update((i * 7) % 40, 5, i % 3, 3);
    expect(slow.serialize()).toEqual(fast.serialize());
  });

  it("takes 6 bytes an observation and a short header", () => {
    expect(ObservationQueue.create(1_000, ["lastSampled"]).serialize().length).toBe(6_020);
  });

  it("can be read from the middle of a larger buffer", () => {
    const bytes = queueOf([{ observation: 0, lastSampled: 3, correct: 1, drawn: 2 }], ["lastSampled"]).serialize();
    const larger = new Uint8Array(bytes.length + 10);
    larger.set(bytes, 3);
    expect(ObservationQueue.restore(larger.subarray(3, 3 + bytes.length)).lastSampled(0)).toBe(3);
  });

  it("is in format 1 where it says no more than that did, so that earlier runs keep their files", () => {
    const version = (options: QueueOptions) => ObservationQueue.create(3, ["winRate"], options).serialize()[8];
    expect([{}, { tieSeed: 5 }, { recordVisits: true }].map(version)).toEqual([1, 2, 2]);
  });

  it("holds statistics by rank, and visits by index", () => {
    const queue = ObservationQueue.create(3, ["lastSampled"], { tieSeed: 5, recordVisits: true });
    queue.update(1, 0x0102, 2, 3);
    queue.recordVisits([1, 2]);
    expect(ranksOf(3, 5)[1]).toBe(0);
    expect([...queue.serialize().subarray(32)]).toEqual([2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 3, 0, 0, 0b110]);
  });

  const whole = ObservationQueue.create(20, ["lastSampled", "winRate"]).serialize();
  const ranked = ObservationQueue.create(20, ["winRate"], { tieSeed: 9, recordVisits: true }).serialize();

  it.each([
    ["format 1", whole],
    ["format 2", ranked],
  ])("is refused when any bit is flipped (%s)", (_, whole) => {
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const flipped = whole.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      expect(() => ObservationQueue.restore(flipped), `bit ${bit}`).toThrow(UserError);
    }
  });

  it("is refused when it is cut or longer than it should be", () => {
    for (let length = 0; length < whole.length; length++) {
      expect(() => ObservationQueue.restore(whole.subarray(0, length)), `${length} bytes`).toThrow(UserError);
    }
    expect(() => ObservationQueue.restore(Uint8Array.of(...whole, 0))).toThrow(
      "expected an observation queue with 140 bytes",
    );
  });

  it("says which other version wrote it", () => {
    const other = whole.slice();
    other[8] = 9;
    expect(() => ObservationQueue.restore(other)).toThrow("expected observation queue format 1 or 2, got 9");
  });
});
