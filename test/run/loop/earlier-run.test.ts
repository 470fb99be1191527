/**
 * A run that the program made before there were `queueTies`, `stepsRounding` and recorded visits: two iterations of the
 * simulated learner. The digests are those of the same run made by that program in one go, with four iterations.
 */

import { createHash } from "node:crypto";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { explainObservation } from "../../../src/analysis/explain.js";
import { readRun } from "../../../src/run/directory/reader.js";
import { resumeRun } from "../../../src/run/loop/runner.js";
import { freshDir } from "../small-run.js";

const QUEUES = [
  "5f1466e61f71f7eed0739fb5a8ffed9424071f9dc43c092b6d0473f28070c908",
  "5ded2cb28e3cf3a5119ee63d026e47323bfeeddc6f062f170de88cec5afda9a4",
  "256068839e5f2da6514972661e8a9bb87a93d8cda911df5c08deb19558543c46",
  "5ab48a896b0d64d0cb0e50a017826dee7dd339836e7a8d1bf64ce07c1908fe89",
];
const KEPT = [
  "f7a888e0eb116af207fcf477b908c26d473ce54e0712a86941856131042d4e3d",
  "f65e31e2851956e778cbe2afc84c16a70049431ddedd28f9dd2758b5b8b999e5",
  "0de178068e6719554b12e9b9dcce86b85da7bc2d155905723eb0e190c3cb0d93",
  "fe471f6e7fb12b2a527ded5decd227be17e92cb9ffbc1c185b1718edae6a7afc",
];

function earlierRun(): string {
  const dir = freshDir();
  cpSync(join(import.meta.dirname, "../../fixtures/earlier-run"), dir, { recursive: true });
  return dir;
}

const fileOf = (dir: string, t: number, name: string) => join(dir, "iterations", String(t).padStart(4, "0"), name);
const digests = (dir: string, name: string) =>
  [1, 2, 3, 4].map((t) =>
    createHash("sha256")
      .update(readFileSync(fileOf(dir, t, name)))
      .digest("hex"),
  );

test("it resumes with its own ties and its own schedule, to the byte", async () => {
  const dir = earlierRun();
  const summary = await resumeRun(dir, () => {}, { settings: { iterations: 4 } });
  expect(summary.status).toBe("done");
  const { config, records } = readRun(dir);
  expect([config.queueTies, config.stepsRounding]).toEqual(["index", "each"]);
  // Rounded down once, the third would be 5 steps and 20 samples.
  expect(records.map(({ steps, target }) => [steps, target])).toEqual([1, 2, 3, 4].map(() => [4, 16]));
  expect(digests(dir, "kept.jsonl")).toEqual(KEPT);
  expect(digests(dir, "queue.bin")).toEqual(QUEUES);
});

test("how many observations it ever visited is left out, because its first iterations did not record it", async () => {
  const dir = earlierRun();
  const summary = await resumeRun(dir, () => {}, { settings: { iterations: 3 } });
  expect(summary).not.toHaveProperty("everVisited");
  for (const record of readRun(dir).records) expect(record).not.toHaveProperty("everVisited");
});

test("its damaged queue is written again as it was", async () => {
  const dir = earlierRun();
  writeFileSync(fileOf(dir, 1, "queue.bin"), "damaged");
  await resumeRun(dir, () => {}, { settings: { iterations: 4 } });
  expect(digests(dir, "queue.bin")).toEqual(QUEUES);
});

test("its places are explained by the index", () => {
  const dir = earlierRun();
  expect(explainObservation(dir, "0").iterations[0].place).toBe(1);
  expect(explainObservation(dir, "7").iterations[0].place).toBe(8);
});
