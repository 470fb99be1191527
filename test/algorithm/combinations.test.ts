/**
 * Every combination of parts: what is allowed runs and each of its parts does something; what is refused is refused for
 * a reason.
 */

import { describe, expect, test } from "vitest";
import { combineMethod } from "../../src/algorithm/combine.js";
import { commit, visit } from "../../src/algorithm/iteration.js";
import { type Method, type MethodOverrides, methodNamed } from "../../src/algorithm/methods.js";
import { ObservationQueue } from "../../src/algorithm/observation-queue.js";
import { seedFor, uniform } from "../../src/algorithm/random.js";
import { UserError } from "../../src/errors.js";

const VALUES = {
  completions: ["sampled", "gold"],
  visits: ["queue", "random", "all"],
  curriculum: ["gate", "all"],
  tries: [1, 2, 3],
  retry: ["failures", "always"],
  rationalize: [true, false],
  keepPerObservation: [null, 1, 3],
  batch: ["schedule", "all"],
  temperature: ["fixed", "balance"],
} as const;

function* combinations(fields: readonly (keyof typeof VALUES)[]): Generator<Partial<Method>> {
  const [field, ...others] = fields;
  if (field === undefined) return yield {};
  for (const value of VALUES[field]) for (const rest of combinations(others)) yield { [field]: value, ...rest };
}

const all = [...combinations(Object.keys(VALUES) as (keyof typeof VALUES)[])] as MethodOverrides[];

function tried(parts: MethodOverrides): Method | UserError {
  try {
    // From a row whose parts go together with the most others; what equals them is not stated.
    const base = methodNamed(
      { queue: "adastar", random: "adastar-random-order", all: "star-acc-full" }[parts.visits ?? "all"],
    );
    const stated = Object.entries(parts).filter(([field, value]) => base[field as keyof Method] !== value);
    return combineMethod(base, Object.fromEntries(stated) as MethodOverrides);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

const allowed = all.flatMap((parts) => {
  const method = tried(parts);
  return method instanceof UserError ? [] : [method];
});

/** One iteration of 40 observations with keyed outcomes: what is kept, drawn and updated. */
async function outcomeOf(method: Method, seed: number): Promise<string> {
  const queue = ObservationQueue.create(40, method.queueKey);
  const asked: unknown[] = [];
  const visited = await visit({
    method,
    queue,
    iteration: 1,
    seed,
    target: method.batch === "schedule" ? 12 : null,
    waveSize: 7,
    draw: async (requests) => {
      asked.push(requests);
      return requests.map((request) => ({
        ...request,
        correct: uniform(seedFor(seed, "sample", 1, request.observation, request.attempt), 0) < 0.5,
      }));
    },
  });
  return JSON.stringify([visited.kept, asked, commit(queue, visited, method, 2)]);
}

/** Whether the two do something else in any of some iterations. */
async function differ(one: Method, other: Method): Promise<boolean> {
  for (let seed = 1; seed <= 5; seed++)
    if ((await outcomeOf(one, seed)) !== (await outcomeOf(other, seed))) return true;
  return false;
}

describe("combinations of parts", () => {
  test("some are allowed, most are not, and every refusal has a reason and a remedy", () => {
    expect(all).toHaveLength(2 * 3 * 2 * 3 * 2 * 2 * 3 * 2 * 2);
    expect(allowed.length).toBeGreaterThan(20);
    for (const parts of all) {
      const refused = tried(parts);
      if (refused instanceof UserError) {
        expect(refused.message).toMatch(/^expected parts that work together, got .*: .*\. (Set|Lower|Leave) /);
      }
    }
  });

  test("no part of an allowed one is without effect", async () => {
    for (const method of allowed) {
      if (method.completions === "gold") continue;
      if (method.keepPerObservation !== null)
        expect(await differ(method, { ...method, keepPerObservation: null })).toBe(true);
      if (method.rationalize) expect(await differ(method, { ...method, rationalize: false })).toBe(true);
      if (method.visits === "random") {
        // Where some of them suffice, the queue takes others, and a visit of all does not stop.
        const queue = { ...method, visits: "queue", queueKey: ["lastSampled", "winRate"] } as const;
        expect(await differ(method, queue)).toBe(true);
        expect(await differ(method, { ...method, visits: "all" })).toBe(true);
      }
      if (method.curriculum === "gate") expect(await differ(method, { ...method, curriculum: "all" })).toBe(true);
      if (method.tries > 1)
        expect(await differ(method, { ...method, retry: method.retry === "always" ? "failures" : "always" })).toBe(
          true,
        );
    }
  }, 60_000);

  test.each<[string, MethodOverrides]>([
    [
      "ReST-EM's cap on AdaSTaR's order",
      { visits: "queue", tries: 3, retry: "always", rationalize: false, keepPerObservation: 1 },
    ],
    ["B-STaR's temperature on AdaSTaR's order", { visits: "queue", temperature: "balance" }],
    ["hints while visiting everything", { visits: "all", rationalize: true, tries: 3 }],
    ["B-STaR's temperature on a random order that stops early", { visits: "random", temperature: "balance" }],
    ["the queue without its curriculum", { visits: "queue", curriculum: "all" }],
    [
      "gold answers by the schedule",
      { visits: "all", completions: "gold", tries: 1, rationalize: false, batch: "schedule" },
    ],
    ["one try", { visits: "queue", tries: 1, rationalize: false }],
  ])("%s is allowed", (_, parts) => {
    expect(tried(parts)).toMatchObject(parts);
  });

  test.each(["star-acc-full-k", "rest-em", "b-star"])("gold answers can take the place of what %s samples", (name) => {
    const parts = {
      completions: "gold",
      tries: 1,
      retry: "failures",
      keepPerObservation: null,
      temperature: "fixed",
    } as const;
    expect(combineMethod(methodNamed(name), parts)).toMatchObject(parts);
  });

  test("a part without effect is refused even where the method has it anyway", () => {
    const star = methodNamed("star");
    expect(() => combineMethod(star, { queueKey: star.queueKey })).toThrow(/visits=all and a queueKey/);
    expect(combineMethod(star, { tries: 2 })).toBe(star);
  });
});
