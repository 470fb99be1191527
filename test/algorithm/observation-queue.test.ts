import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { QueueKeyField } from "../../src/algorithm/methods.js";
import { ObservationQueue } from "../../src/algorithm/observation-queue.js";
import { UserError } from "../../src/errors.js";

interface Entry {
  readonly observation: number;
  readonly lastSampled: number;
  readonly correct: number;
  readonly drawn: number;
}

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

/** The order by definition: fields as exact fractions, then the index. */
function sortedByKey(all: readonly Entry[], key: readonly QueueKeyField[]): number[] {
  const fields = {
    lastSampled: (a: Entry, b: Entry) => a.lastSampled - b.lastSampled,
    winRate: (a: Entry, b: Entry) =>
      Number(BigInt(a.correct) * BigInt(b.drawn || 1) - BigInt(b.correct) * BigInt(a.drawn || 1)),
  };
  const compare = (a: Entry, b: Entry) =>
    key.map((field) => fields[field](a, b)).find((difference) => difference !== 0) ?? a.observation - b.observation;
  return [...all].sort(compare).map(({ observation }) => observation);
}

function queueOf(all: readonly Entry[], key: readonly QueueKeyField[]): ObservationQueue {
  const queue = ObservationQueue.create(all.length, key);
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
      fc.property(entries, keys, (all, key) => {
        const queue = queueOf(all, key);
        const expected = sortedByKey(all, key);
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
      fc.property(entries, keys, actions, (all, key, steps) => {
        const queue = queueOf(all, key);
        const inside = new Map(all.map((entry) => [entry.observation, entry]));
        const outside: number[] = [];
        for (const { kind, at, entry } of steps) {
          if (kind === "pop") {
            const first = queue.pop();
            expect(first).toBe(sortedByKey([...inside.values()], key)[0]);
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
        expect([...queue.peekInOrder()]).toEqual(sortedByKey([...inside.values()], key));
      }),
    );
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
      fc.property(entries, keys, (all, key) => {
        const queue = queueOf(all, key);
        const bytes = queue.serialize();
        const restored = ObservationQueue.restore(bytes);
        expect(restored.key).toEqual(key);
        expect(restored.serialize()).toEqual(bytes);
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

  const whole = ObservationQueue.create(20, ["lastSampled", "winRate"]).serialize();

  it("is refused when any bit is flipped", () => {
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
    expect(() => ObservationQueue.restore(other)).toThrow("expected observation queue format 1, got 9");
  });
});
