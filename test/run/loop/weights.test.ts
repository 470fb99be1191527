/** Whether a run notices that its engine samples from other weights than it holds. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Engine } from "../../../src/engine/engine.js";
import { openOnnxEngine } from "../../../src/engine/onnx/onnx-engine.js";
import { UserError } from "../../../src/errors.js";
import { readJournal } from "../../../src/run/directory/journal.js";
import { keptIterations } from "../../../src/run/loop/retention.js";
import { resumeRun, startRun } from "../../../src/run/loop/runner.js";
import { altered, engineOf, recorder, records, smallConfig, smallTask } from "../small-run.js";

const quiet = () => {};

describe("stale weights", () => {
  test("after training: noticed before anything is sampled from them", async () => {
    const engine = await engineOf();
    let first: readonly number[] | undefined;
    const stale = altered(engine, {
      canary: async (prompt) => {
        first ??= await engine.canary(prompt);
        return first;
      },
    });
    const config = smallConfig({ iterations: 2 });
    await expect(startRun(config, quiet, { task: smallTask, engine: stale })).rejects.toThrow(
      /iteration 1: the weights changed in training, .*samples from the old weights/,
    );
    expect(readJournal(join(config.runDir ?? "", "journal.jsonl")).at(-1)).toMatchObject({ kind: "visited" });
  });

  test("after a restore: noticed, though the engine's digest is right", async () => {
    const controller = new AbortController();
    const { runDir } = await startRun(smallConfig(), ({ kind }) => kind === "iteration" && controller.abort(), {
      task: smallTask,
      signal: controller.signal,
    });
    const engine = await engineOf();
    const prompts: (readonly number[])[] = [];
    const stale = altered(engine, {
      canary: async (prompt) => {
        prompts.push(prompt);
        return (await engineOf()).canary(prompt);
      },
    });
    await expect(resumeRun(runDir, quiet, { task: smallTask, engine: stale })).rejects.toThrow(
      /checkpoints\/0001: expected the engine to answer the canary prompt with .*samples from other ones/,
    );
    expect(prompts.length).toBeGreaterThan(0);
  });

  test("that are no numbers: stopped before they are saved", async () => {
    const engine = await engineOf();
    let asked = 0;
    const broken = altered(engine, {
      canary: async (prompt) => (++asked > 2 ? [Number.NaN] : engine.canary(prompt)),
    });
    const config = smallConfig();
    const attempt = startRun(config, quiet, { task: smallTask, engine: broken });
    await expect(attempt).rejects.toThrow(UserError);
    await expect(attempt).rejects.toThrow(
      /expected finite log-probabilities from the trained model, got NaN.*--learning-rate/,
    );
    expect(readdirSync(join(config.runDir ?? "", "checkpoints"))).toEqual([]);
  });
});

test("the embedded engine's canary follows the weights that it samples from", async () => {
  const model = fileURLToPath(new URL("../../fixtures/tiny-llama", import.meta.url));
  const engine: Engine = await openOnnxEngine({ model, threads: 1 });
  try {
    const prompt = engine.tokenizer.encode("Balance 3");
    const base = await engine.canary(prompt);
    expect(base).toHaveLength(4);
    expect(base.every((value, i) => value < 0 && (i === 0 || value <= base[i - 1]))).toBe(true);
    expect(await engine.canary(prompt)).toEqual(base);
    const tokens = engine.tokenizer.encode("Balance 3+4=7");
    const params = {
      kind: "adam",
      learningRate: 1e-4,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0,
    } as const;
    await engine.trainStep([{ name: "one", tokens, completionStart: 2 }], params);
    expect(await engine.canary(prompt)).not.toEqual(base);
    await engine.reset();
    expect(await engine.canary(prompt)).toEqual(base);
  } finally {
    await engine.close();
  }
});

describe("models that are kept", () => {
  test("every n-th beside those of keepCheckpoints", async () => {
    const { events, listen } = recorder();
    const config = smallConfig({ iterations: 5, keepCheckpoints: "last", keepEvery: 2 });
    const { runDir } = await startRun(config, listen, { task: smallTask });
    expect(readdirSync(join(runDir, "checkpoints")).sort()).toEqual(["0002", "0004", "0005"]);
    const kept = (keepCheckpoints: "all" | "best" | "last", keepEvery: number | null) =>
      keptIterations(records(events), { keepCheckpoints, keepEvery }).sort();
    expect(kept("all", null)).toEqual([1, 2, 3, 4, 5]);
    expect(kept("last", null)).toEqual([5]);
    expect(keptIterations([], { keepCheckpoints: "best", keepEvery: 1 })).toEqual([]);
  });
});
