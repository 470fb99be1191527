import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { methodNamed } from "../../src/algorithm/methods.js";
import { type Explanation, explainObservation } from "../../src/analysis/explain.js";
import { trainingFrequencies } from "../../src/analysis/training-frequency.js";
import { emptyQueue } from "../../src/run/config/config.js";
import { RunReader, readRun } from "../../src/run/directory/reader.js";
import type { DrawnSample } from "../../src/run/directory/records.js";
import { readSealedLog } from "../../src/run/directory/sealed-log.js";
import { startRun } from "../../src/run/loop/runner.js";
import { adastar } from "../cli/in-process.js";
import { smallConfig, smallTask } from "../run/small-run.js";

const { runDir } = await startRun(smallConfig(), () => {}, { task: smallTask });
const samplesOf = (t: number) =>
  readSealedLog<DrawnSample>(join(runDir, "iterations", String(t).padStart(4, "0"), "samples.jsonl"));

describe("explainObservation", () => {
  const all: Explanation[] = smallTask.train.map((_, index) => explainObservation(runDir, String(index)));

  test("agrees with a replay of the queue from what the run drew", () => {
    const queue = emptyQueue(smallConfig(), methodNamed("adastar"), 60);
    for (const { iteration, visited, popped } of readRun(runDir).records) {
      const order = [...queue.peekInOrder()];
      const draws = samplesOf(iteration);
      for (const [place, index] of order.entries()) {
        const told = all[index].iterations[iteration - 1];
        const own = draws.filter(({ observation }) => observation === index);
        expect(told).toMatchObject({ iteration, place: place + 1, visited, popped });
        expect(told.key).toEqual({ lastSampled: queue.lastSampled(index), ...queue.counts(index) });
        expect(told.tries).toEqual(own);
        const outcome =
          place < popped ? "updated" : place < visited ? "held back" : own.length > 0 ? "speculated" : "not reached";
        expect(told.outcome).toBe(outcome);
      }
      for (const index of order.slice(0, popped)) {
        const own = draws.filter(({ observation }) => observation === index);
        queue.update(index, iteration, own.filter(({ correct }) => correct).length, own.length);
      }
    }
    const outcomes = new Set(all.flatMap(({ iterations }) => iterations.map(({ outcome }) => outcome)));
    expect([...outcomes].sort()).toEqual(["held back", "not reached", "speculated", "updated"]);
  });

  test("counts trainings: βᵗ examples an iteration in all", () => {
    for (const { iteration, target } of readRun(runDir).records) {
      expect(all.reduce((sum, { iterations }) => sum + iterations[iteration - 1].trained, 0)).toBe(target);
    }
    const [frequencies] = trainingFrequencies(RunReader.open(runDir), 3).slice(-1);
    expect(all.map(({ trained }) => trained)).toEqual([...frequencies]);
  });

  test("knows ids as well as indices, and nothing else", () => {
    expect(explainObservation(runDir, "train-3")).toEqual(all[3]);
    expect(() => explainObservation(runDir, "train-99")).toThrow(/expected the id .*index below 60, got "train-99"/);
    expect(() => explainObservation(runDir, "60")).toThrow(/got "60"/);
  });

  test("methods that visit everything have a random place and no key", async () => {
    const other = await startRun(smallConfig({ method: "star-acc", iterations: 1 }), () => {}, { task: smallTask });
    const [{ key, place, outcome }] = explainObservation(other.runDir, "0").iterations;
    const first = readSealedLog<DrawnSample>(join(other.runDir, "iterations", "0001", "samples.jsonl"))
      .filter(({ attempt }) => attempt === 1)
      .findIndex(({ observation }) => observation === 0);
    expect({ key, place, outcome }).toEqual({ key: null, place: first + 1, outcome: "updated" });
  });
});

test("at the command line, as text and as JSON", async () => {
  const { code, stdout } = await adastar(["explain", runDir, "train-0"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^train-0 \(index 0 of 60\), method adastar\ngold answer: /);
  const [{ place }] = explainObservation(runDir, "0").iterations;
  expect(stdout).toContain(
    `iteration 1: place ${place}, never updated before; the queue is ordered by lastSampled, winRate, a random rank`,
  );
  expect(stdout).toMatch(/ {2}try 1: (correct|wrong), answer \d+.*\n {4}│ From memory\./);
  const json = await adastar(["explain", runDir, "0", "--json"]);
  expect(JSON.parse(json.stdout)).toEqual(JSON.parse(JSON.stringify(explainObservation(runDir, "0"))));
});

test("where ties go by the index, it says so", async () => {
  const byIndex = await startRun(smallConfig({ queueTies: "index", iterations: 1 }), () => {}, { task: smallTask });
  const { stdout } = await adastar(["explain", byIndex.runDir, "train-0"]);
  expect(stdout).toContain(
    "iteration 1: place 1, never updated before; the queue is ordered by lastSampled, winRate, index",
  );
});

test("where nothing is sampled, an observation is found by its id and told of as trained on", async () => {
  const gold = await startRun(smallConfig({ method: "sft", iterations: 1 }), () => {}, { task: smallTask });
  expect(explainObservation(gold.runDir, "train-5")).toMatchObject({ index: 5, id: "train-5", trained: 1 });
  const { stdout } = await adastar(["explain", gold.runDir, "train-5"]);
  expect(stdout).toContain("trained on once; nothing is sampled");
});

test("where ids are numbers, a number is no index", async () => {
  const numbered = { ...smallTask, train: smallTask.train.map((one, i) => ({ ...one, id: String(i + 1) })) };
  const { runDir: dir } = await startRun(smallConfig({ iterations: 1, steps: 1 }), () => {}, { task: numbered });
  const samples = readSealedLog<DrawnSample>(join(dir, "iterations", "0001", "samples.jsonl"));
  const [drawn] = samples;
  expect(explainObservation(dir, drawn.id).index).toBe(drawn.observation);
  const undrawn = numbered.train.find(({ id }) => !samples.some((sample) => sample.id === id));
  expect(() => explainObservation(dir, undrawn?.id ?? "")).toThrow(
    /expected the id of an observation that .* has drawn samples of, got/,
  );
  for (const index of ["1e1", "0x5", "-1", ""])
    expect(() => explainObservation(runDir, index)).toThrow(/expected the id/);
});
