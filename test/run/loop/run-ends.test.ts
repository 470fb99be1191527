import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Engine } from "../../../src/engine/engine.js";
import { UserError } from "../../../src/errors.js";
import { readJournal } from "../../../src/run/directory/journal.js";
import { readRun } from "../../../src/run/directory/reader.js";
import { resumeRun, startRun } from "../../../src/run/loop/runner.js";
import { altered, engineOf, recorder, records, smallConfig, smallTask } from "../small-run.js";

const quiet = () => {};

describe("what stops a run", () => {
  test("no iterations: the base model is evaluated and named", async () => {
    const summary = await startRun(smallConfig({ iterations: 0, model: "/models/base" }), quiet, { task: smallTask });
    expect(summary).toMatchObject({
      status: "done",
      iterations: 0,
      bestIteration: 0,
      checkpoint: "/models/base",
      flops: { total: 0 },
    });
    expect(summary.bestAccuracy).toBe(summary.baseAccuracy);
  });

  test("the target accuracy or the budget", async () => {
    const reached = await startRun(smallConfig({ targetAccuracy: 0.01 }), quiet, { task: smallTask });
    expect(reached.iterations).toBe(0);
    const spent = await startRun(smallConfig({ maxFlops: 1 }), quiet, { task: smallTask });
    expect(spent.iterations).toBe(1);
    expect(readJournal(join(spent.runDir, "journal.jsonl")).at(-1)).toMatchObject({
      kind: "finished",
      reason: "maxFlops",
    });
  });

  test("nothing correct: the model stays, α is 0; after two such iterations the run ends and says what to try", async () => {
    const engine = await engineOf({ ability: -50, hintBonus: 0 });
    const { events, listen } = recorder();
    const config = smallConfig({ iterations: 5 });
    const attempt = startRun(config, listen, { task: smallTask, engine });
    await expect(attempt).rejects.toThrow(UserError);
    await expect(attempt).rejects.toThrow(
      /got none in the last 2 iterations \(60 and 60 observations visited\).*--accept/s,
    );
    expect(records(events)).toMatchObject([
      { alpha: 0, kept: 0, steps: 0, loss: null, popped: 0, visited: 60, wrongSteps: null },
      { alpha: 0, kept: 0, steps: 0, loss: null, popped: 0, visited: 60, wrongSteps: null },
    ]);
    expect(
      events.filter(({ kind }) => kind === "notice").map((event) => (event.kind === "notice" ? event.text : "")),
    ).toContain("iteration 1: no sample is correct, so nothing is trained and the model stays as it is");
    expect(readRun(config.runDir ?? "").status.kind).toBe("failed");
    await engine.reset();
    const again = resumeRun(config.runDir ?? "", quiet, { task: smallTask, engine });
    await expect(again).rejects.toThrow(/got none in the last 2 iterations/);
  });

  test("every verdict fails on the base model: the run ends before anything is sampled", async () => {
    const engine = await engineOf();
    const garbled = altered(engine, {
      async *sample(...call) {
        for await (const sample of engine.sample(...call)) yield { ...sample, text: "?" };
      },
    });
    const failed = {
      strict: "wrong",
      lenient: "wrong",
      extracted: null,
      failure: "RangeError: no such column",
    } as const;
    const { verifier } = smallTask;
    const verify: typeof verifier.verify = (output, observation) =>
      output === "?" ? failed : verifier.verify(output, observation);
    const task = { ...smallTask, verifier: { ...verifier, verify } };
    const attempt = startRun(smallConfig(), quiet, { task, engine: garbled });
    await expect(attempt).rejects.toThrow(UserError);
    await expect(attempt).rejects.toThrow(/a failure on each of the first 16 answers.*no such column/s);
  });

  test("the summary names the best model, also where the last one is worse", async () => {
    const engine = await engineOf();
    const { events, listen } = recorder();
    const spoiled = altered(engine, {
      async *sample(requests, params, options) {
        const spoil = records(events).length >= 2 && params.temperature === 0;
        for await (const sample of engine.sample(requests, params, options))
          yield spoil ? { ...sample, text: "?" } : sample;
      },
    });
    const config = smallConfig({ iterations: 4, keepCheckpoints: "best" });
    const summary = await startRun(config, listen, { task: smallTask, engine: spoiled });
    expect(summary.bestIteration).toBeGreaterThan(0);
    expect(summary.bestCheckpoint).toBe(join(summary.runDir, "checkpoints", `000${summary.bestIteration}`));
    expect(existsSync(summary.bestCheckpoint ?? "")).toBe(true);
    expect(summary.checkpoint).not.toBe(summary.bestCheckpoint);
    const warnings = events.filter((event) => event.kind === "notice" && /below the base model's/.test(event.text));
    expect(warnings).toHaveLength(1);
  });

  test("a loss that is not finite: the earlier model is kept and named", async () => {
    const engine = await engineOf();
    let steps = 0;
    const watched = altered(engine, {
      trainStep: async (examples, params) => {
        const result = await engine.trainStep(examples, params);
        return ++steps === 8 ? { ...result, loss: Number.NaN } : result;
      },
    });
    const config = smallConfig();
    await expect(startRun(config, quiet, { task: smallTask, engine: watched })).rejects.toThrow(
      /training stopped in iteration 2, step 3: expected a finite loss, got NaN.*lower --learning-rate/,
    );
    const dir = config.runDir ?? "";
    expect(readdirSync(join(dir, "checkpoints"))).toEqual(["0001"]);
    expect(readRun(dir).summary).toMatchObject({
      status: "failed",
      iterations: 1,
      checkpoint: join(dir, "checkpoints", "0001"),
    });
  });
});

describe("refusals before anything is spent", () => {
  const refused = async (values: Parameters<typeof smallConfig>[0], message: RegExp, engine?: Engine) => {
    const config = smallConfig(values);
    const watched = altered(engine ?? (await engineOf()), {
      sample: () => {
        throw new Error("sampled");
      },
    });
    const attempt = startRun(config, quiet, { task: smallTask, engine: watched });
    await expect(attempt).rejects.toThrow(UserError);
    await expect(attempt).rejects.toThrow(message);
    expect(existsSync(config.runDir ?? "")).toBe(false);
  };

  test("a prompt that leaves no room, by observation", async () => {
    const model = { contextLength: 300 };
    await refused(
      { maxTokens: 200 },
      /train\[\d+\] \(train-\d+\): expected at most 300 tokens .*200 to generate.*--max-tokens or --few-shot/,
      await engineOf({ model }),
    );
    await refused(
      { maxTokens: 270, fewShot: 0 },
      /Lower --max-tokens, take the observation out/,
      await engineOf({ model }),
    );
  });

  test("more worked examples than there are; a method that does not exist", async () => {
    await refused({ fewShot: 3 }, /fewShot: expected at most the 2 worked examples/);
    await refused({ method: "magic" }, /expected a method: adastar,/);
  });
});

describe("checkpoints", () => {
  test.each([
    ["all", ["0001", "0002", "0003"]],
    ["last", ["0003"]],
  ] as const)("keep %s", async (keepCheckpoints, kept) => {
    const { runDir } = await startRun(smallConfig({ keepCheckpoints }), quiet, { task: smallTask });
    expect(readdirSync(join(runDir, "checkpoints")).sort()).toEqual(kept);
  });

  test("keep best: the best and the last", async () => {
    // A learner that gets worse after its first iteration.
    const engine = await engineOf();
    let calls = 0;
    const watched = altered(engine, {
      trainStep: (examples, params) =>
        engine.trainStep(examples, { ...params, learningRate: ++calls > 5 ? -0.05 : 0.05 }),
    });
    const { runDir, bestIteration } = await startRun(smallConfig({ keepCheckpoints: "best" }), quiet, {
      task: smallTask,
      engine: watched,
    });
    expect(bestIteration).toBe(1);
    expect(readdirSync(join(runDir, "checkpoints")).sort()).toEqual(["0001", "0003"]);
  });
});
