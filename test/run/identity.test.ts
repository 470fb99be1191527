import { describe, expect, test } from "vitest";
import { resolveConfig } from "../../src/run/config/config.js";
import { type DataParts, dataDigest, differingPart, settingsDigest } from "../../src/run/identity.js";
import { smallTask } from "./small-run.js";

const resolved = (values: object) => resolveConfig([{ source: "test", folder: "/", values: { ...values } }]).config;

describe("the settings' digest", () => {
  const base = settingsDigest(resolved({}));

  test("is the one that folders of comparisons are already named by", () => {
    // Their runs have the values of before these settings existed.
    const earlier = { queueTies: "index", stepsRounding: "each" };
    expect(base).not.toBe("98ec4a3a");
    expect(settingsDigest(resolved(earlier))).toBe("98ec4a3a");
    expect(
      settingsDigest(resolved({ ...earlier, method: "star-acc", seed: 3, model: "/models/m", maxFlops: 1e15 })),
    ).toBe("d641a176");
  });

  test("follows what determines the result, and neither budget, means nor the run's own place", () => {
    expect(settingsDigest(resolved({ seed: 1 }))).toBe(base);
    const elsewhere = { runDir: "/r", threads: 3, keepCheckpoints: "all", iterations: 99, maxFlops: 1e18 };
    expect(settingsDigest(resolved(elsewhere))).toBe(base);
    for (const values of [
      { seed: 2 },
      { temperature: 0.7 },
      { queueKey: ["winRate"] },
      { method: "star-acc" },
      { samplingBatch: 8 },
      { model: "/m" },
    ]) {
      expect(settingsDigest(resolved(values)), JSON.stringify(values)).not.toBe(base);
    }
  });
});

describe("the data's digest", () => {
  const parts: DataParts = {
    task: smallTask,
    train: smallTask.train,
    test: smallTask.test,
    exemplars: smallTask.exemplars,
    maxTokens: 40,
    chat: null,
  };
  const base = dataDigest(parts);

  test("is the one that journals already hold", () => {
    expect(base).toBe("0f80cde47356de3e048365bf019b872712a53da3c42e30b2ff7a3b1e5d822f29");
  });

  test("follows every part by content", () => {
    expect(dataDigest({ ...parts, train: structuredClone([...parts.train]) })).toBe(base);
    const others: Partial<DataParts>[] = [
      { train: parts.train.slice(1) },
      { test: parts.test.slice(1) },
      { exemplars: [] },
      { maxTokens: 41 },
      { task: { ...smallTask, format: { ...smallTask.format, separator: "~" } } },
      { task: { ...smallTask, name: "other" } },
    ];
    for (const other of others) expect(dataDigest({ ...parts, ...other }), Object.keys(other)[0]).not.toBe(base);
  });
});

test("the part in which two runs' beginnings differ is named", () => {
  const one = { data: "d", weights: "w" };
  expect(differingPart(one, { ...one })).toBeNull();
  expect(differingPart(one, { data: "e", weights: "v" })).toBe("data");
  expect(differingPart(one, { data: "d", weights: "v" })).toBe("weights");
});
