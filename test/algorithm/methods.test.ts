import { describe, expect, it } from "vitest";
import { combineMethod } from "../../src/algorithm/combine.js";
import { METHODS, type Method, type MethodOverrides, methodNamed } from "../../src/algorithm/methods.js";
import { UserError } from "../../src/errors.js";

/** Every method, in the order visits, K, retry, hints, kept of one observation, batch, start, temperature. */
const TABLE: Readonly<Record<string, string>> = {
  "adastar-random-order": "random 2 failures hinted all schedule accumulate fixed",
  star: "all 2 failures hinted all schedule reset fixed",
  "star-acc": "all 2 failures hinted all schedule accumulate fixed",
  "star-full": "all 2 failures hinted all all reset fixed",
  "star-acc-full": "all 2 failures hinted all all accumulate fixed",
  "star-acc-full-k": "all 5 always plain all all accumulate fixed",
  "rest-em": "all 11 always plain 3 all reset fixed",
  "b-star": "all 5 always plain all all accumulate balance",
  sft: "all 1 failures plain all all accumulate fixed",
  adastar: "lastSampled,winRate 2 failures hinted all schedule accumulate fixed",
  "adastar-no-curriculum": "lastSampled,winRate 2 failures hinted all schedule accumulate fixed",
  "adastar-no-winrate": "lastSampled 2 failures hinted all schedule accumulate fixed",
  "adastar-priority-flipped": "winRate,lastSampled 2 failures hinted all schedule accumulate fixed",
};

function row(method: Method): string {
  return [
    method.visits === "queue" ? method.queueKey : method.visits,
    method.tries,
    method.retry,
    method.rationalize ? "hinted" : "plain",
    method.keepPerObservation ?? "all",
    method.batch,
    method.start,
    method.temperature,
  ].join(" ");
}

describe("METHODS", () => {
  it("are those of the table", () => {
    expect(Object.fromEntries(Object.values(METHODS).map((method) => [method.name, row(method)]))).toEqual(TABLE);
  });

  it("sample what they train on, but for sft, which is tested in three ways", () => {
    const usual = Object.values(METHODS).filter(({ name }) => name !== "sft");
    expect(new Set(usual.map(({ completions }) => completions))).toEqual(new Set(["sampled"]));
    expect(methodNamed("sft")).toMatchObject({
      completions: "gold",
      evaluations: ["zero-shot", "few-shot", "self-consistency"],
    });
  });

  it("hold back updates in AdaSTaR and in its ablations of the order", () => {
    const gated = Object.values(METHODS).filter(({ curriculum }) => curriculum === "gate");
    expect(gated.map(({ name }) => name)).toEqual(["adastar", "adastar-no-winrate", "adastar-priority-flipped"]);
  });

  it.each(Object.values(METHODS))("$name makes sense as a combination, too", (method) => {
    const other: MethodOverrides = { start: method.start === "reset" ? "accumulate" : "reset" };
    expect(combineMethod(method, other)).toMatchObject(other);
  });
});

describe("methodNamed", () => {
  it("finds a method", () => {
    expect(methodNamed("rest-em").tries).toBe(11);
  });

  it.each(["adaster", "", "toString", "__proto__"])("refuses %j with the names there are", (name) => {
    expect(() => methodNamed(name)).toThrow(UserError);
    expect(() => methodNamed(name)).toThrow(/expected a method: adastar, .*b-star, sft, got/);
  });
});

describe("combineMethod", () => {
  const adastar = methodNamed("adastar");

  it("returns the method itself when nothing changes", () => {
    expect(combineMethod(adastar, {})).toBe(adastar);
    expect(combineMethod(adastar, { tries: 2, queueKey: ["lastSampled", "winRate"] })).toBe(adastar);
  });

  it("puts ReST-EM's cap on AdaSTaR's order and says so in the name", () => {
    const overrides = { tries: 11, retry: "always", rationalize: false, keepPerObservation: 3 } as const;
    const combined = combineMethod(adastar, overrides);
    expect(combined).toMatchObject({ visits: "queue", curriculum: "gate", ...overrides });
    expect(combined.name).toBe("adastar with tries=11, retry=always, rationalize=false, keepPerObservation=3");
  });

  it("puts B-STaR's temperature on AdaSTaR's order", () => {
    expect(combineMethod(adastar, { temperature: "balance" })).toMatchObject({
      visits: "queue",
      temperature: "balance",
    });
  });

  it("does not mention what is left as it was", () => {
    expect(combineMethod(adastar, { tries: 3, start: "accumulate" }).name).toBe("adastar with tries=3");
  });

  it.each([
    { base: "adastar", overrides: { batch: "all" }, reason: "no βᵗ to stop at" },
    { base: "adastar", overrides: { visits: "all" }, reason: "the queue decides nothing" },
    { base: "star", overrides: { curriculum: "gate" }, reason: "the queue decides nothing" },
    { base: "star", overrides: { queueKey: ["winRate"] }, reason: "Leave queueKey out" },
    { base: "adastar", overrides: { visits: "random" }, reason: "with visits=random the queue decides nothing" },
    { base: "adastar-random-order", overrides: { queueKey: ["winRate"] }, reason: "Leave queueKey out" },
    { base: "adastar-random-order", overrides: { batch: "all" }, reason: "no βᵗ to stop at" },
    { base: "adastar", overrides: { tries: 1 }, reason: "from the second try on" },
    { base: "adastar", overrides: { retry: "always" }, reason: "not for those already solved" },
    { base: "adastar", overrides: { keepPerObservation: 1 }, reason: "never has more than one correct sample" },
    { base: "rest-em", overrides: { tries: 2 }, reason: "never has more correct samples than tries" },
    { base: "b-star", overrides: { rationalize: true }, reason: "not for those already solved" },
    { base: "sft", overrides: { visits: "queue", batch: "schedule" }, reason: "no win rates to order by" },
    { base: "sft", overrides: { tries: 2 }, reason: "one gold answer an observation" },
    { base: "sft", overrides: { temperature: "balance" }, reason: "no temperature to choose" },
    { base: "star", overrides: { completions: "gold" }, reason: "one gold answer an observation" },
  ] satisfies { base: string; overrides: MethodOverrides; reason: string }[])(
    "refuses $overrides on $base with the reason",
    ({ base, overrides, reason }) => {
      expect(() => combineMethod(methodNamed(base), overrides)).toThrow(UserError);
      expect(() => combineMethod(methodNamed(base), overrides)).toThrow(reason);
    },
  );

  it.each([
    [{ tries: 0 }, "expected tries to be a whole number from 1 to 255, got 0"],
    [{ tries: 256 }, "expected tries"],
    [{ tries: 2.5 }, "expected tries"],
    [{ keepPerObservation: 0 }, "or null to keep all, got 0"],
    [{ retry: "never" }, 'expected retry to be failures or always, got "never"'],
    [{ rationalize: "yes" }, "expected rationalize to be true or false"],
    [{ queueKey: [] }, "expected queueKey"],
    [{ queueKey: ["winRate", "winRate"] }, "each at most once"],
    [{ queueKey: "winRate" }, "expected queueKey"],
    [{ evaluations: [] }, "expected evaluations to be a list of zero-shot and few-shot and self-consistency"],
    [{ completions: "none" }, "expected completions to be sampled or gold"],
    [{ power: 2 }, 'expected a part of a method: completions, visits, .*, got "power"'],
    [{ name: "mine" }, "expected a part of a method"],
  ])("refuses the value %j", (overrides, message) => {
    expect(() => combineMethod(adastar, overrides as MethodOverrides)).toThrow(UserError);
    expect(() => combineMethod(adastar, overrides as MethodOverrides)).toThrow(new RegExp(message));
  });
});
