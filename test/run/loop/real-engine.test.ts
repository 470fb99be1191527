/**
 * The loop around the embedded engine: a tiny random Llama, and a verifier that takes some of what it babbles for
 * right.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { SafetensorsFile } from "../../../src/engine/checkpoint/safetensors.js";
import { openOnnxEngine } from "../../../src/engine/onnx/onnx-engine.js";
import type { RunConfig } from "../../../src/run/config/fields.js";
import type { RunEvent } from "../../../src/run/events.js";
import { resumeRun, startRun } from "../../../src/run/loop/runner.js";
import { openCheckpoint } from "../../../src/run/open-engine.js";
import type { Observation, Task } from "../../../src/tasks/task.js";
import { essence, smallConfig } from "../small-run.js";

const model = fileURLToPath(new URL("../../fixtures/tiny-llama", import.meta.url));
const quiet = () => {};

const sums = (from: number, count: number): Observation[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `sum-${from + i}`,
    question: `${from + i}+1?`,
    answer: String(from + i + 1),
  }));

/** Right is what has an even number of characters: a random model manages that now and then. */
const task: Task = {
  name: "babble",
  description: "short sums for a model with a short context",
  train: sums(0, 16),
  test: sums(20, 4),
  format: {
    prompt: ({ question }) => question,
    hintedPrompt: ({ question, answer }) => `${question}${answer} `,
    completion: (rationale, answer) => `${rationale}=${answer}`,
    separator: ", ",
    stop: ["e"],
  },
  exemplars: [{ question: "5+1?", rationale: "so", answer: "6" }],
  verifier: {
    canonical: (answer) => answer,
    verify: (output) => {
      const found = output.length % 2 === 0 ? "correct" : "wrong";
      return { strict: found, lenient: found, extracted: String(output.length) };
    },
  },
  maxTokens: 24,
  rationalize: true,
};

const settings: Partial<RunConfig> = {
  engine: "onnx",
  model,
  iterations: 2,
  batchSize: 2,
  steps: 3,
  samplingBatch: 4,
  learningRate: 1e-3,
  threads: 1,
};

class Killed extends Error {}

test("a killed and resumed run equals an uninterrupted one, byte for byte", async () => {
  const whole = smallConfig(settings);
  let diskSteps = 0;
  const summary = await startRun(whole, quiet, { task, onDiskStep: () => void diskSteps++ });
  expect(summary.iterations).toBe(2);
  const expected = essence(summary.runDir);

  for (const share of [0.15, 0.4, 0.6, 0.85]) {
    const config = smallConfig({ ...settings, checkpointSteps: 1 });
    let step = 0;
    const onDiskStep = () => {
      if (step++ === Math.floor(share * diskSteps)) throw new Killed();
    };
    await expect(startRun(config, quiet, { task, onDiskStep })).rejects.toThrow(Killed);
    await resumeRun(config.runDir ?? "", quiet, { task });
    expect(essence(config.runDir ?? ""), `killed after ${share}`).toEqual(expected);
  }
}, 60_000);

test("models saved in 16 bits change nothing that a run computes, also one that was killed", async () => {
  const trained = (runDir: string) =>
    readFileSync(join(runDir, "journal.jsonl"), "utf8").match(/"weights":"[0-9a-f]{64}"|"loss":[0-9.e-]+/g);
  const rounded = { ...settings, checkpointDtype: "bfloat16" } as const;
  const exact = await startRun(smallConfig(settings), quiet, { task });
  let diskSteps = 0;
  const whole = await startRun(smallConfig(rounded), quiet, { task, onDiskStep: () => void diskSteps++ });
  expect(trained(whole.runDir)).toEqual(trained(exact.runDir));
  expect(trained(whole.runDir)?.length).toBeGreaterThan(2);

  const config = smallConfig({ ...rounded, checkpointSteps: 1 });
  let step = 0;
  const onDiskStep = () => {
    if (step++ === Math.floor(0.8 * diskSteps)) throw new Killed();
  };
  await expect(startRun(config, quiet, { task, onDiskStep })).rejects.toThrow(Killed);
  await resumeRun(config.runDir ?? "", quiet, { task });
  expect(essence(config.runDir ?? "")).toEqual(essence(whole.runDir));
  const saved = await SafetensorsFile.open(join(whole.checkpoint, "model.safetensors"));
  expect(new Set([...saved.tensors.values()].map(({ dtype }) => dtype))).toEqual(new Set(["BF16"]));
  await saved.close();
}, 60_000);

test.each(["reset", "accumulate"] as const)(
  "a run that trains an adapter with dropout (%s), killed and resumed, equals an uninterrupted one",
  async (start) => {
    const adapted = { ...settings, loraRank: 4, loraDropout: 0.2, start };
    let diskSteps = 0;
    const whole = await startRun(smallConfig(adapted), quiet, { task, onDiskStep: () => void diskSteps++ });
    const config = smallConfig({ ...adapted, checkpointSteps: 1 });
    let step = 0;
    const onDiskStep = () => {
      if (step++ === Math.floor(0.7 * diskSteps)) throw new Killed();
    };
    await expect(startRun(config, quiet, { task, onDiskStep })).rejects.toThrow(Killed);
    await resumeRun(config.runDir ?? "", quiet, { task });
    expect(essence(config.runDir ?? "")).toEqual(essence(whole.runDir));
    const engine = await openCheckpoint({ model: whole.checkpoint, threads: 1 });
    const base = await openCheckpoint({ model, threads: 1 });
    expect(await engine.checksum()).not.toBe(await base.checksum());
    await engine.close();
    await base.close();
  },
  60_000,
);

test("the last checkpoint is a model folder of its own, with the weights that were evaluated", async () => {
  const events: RunEvent[] = [];
  const { checkpoint, runDir } = await startRun(
    smallConfig({ ...settings, iterations: 1 }),
    (event) => void events.push(event),
    { task },
  );
  expect(events.some((event) => event.kind === "training" && Number.isFinite(event.loss))).toBe(true);
  const engine = await openOnnxEngine({ model: checkpoint, threads: 1 });
  try {
    const journal = readFileSync(join(runDir, "journal.jsonl"), "utf8");
    expect(journal).toContain(`"weights":"${await engine.checksum()}"`);
  } finally {
    await engine.close();
  }
}, 60_000);
