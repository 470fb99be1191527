/** What the loop makes of an engine's capabilities, of the signal, and of a D₊ that is empty. */

import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Capabilities, Engine } from "../../../src/engine/engine.js";
import { UserError } from "../../../src/errors.js";
import type { RunConfig } from "../../../src/run/config/fields.js";
import { readJournal } from "../../../src/run/directory/journal.js";
import type { RunEvent } from "../../../src/run/events.js";
import { resumeRun, startRun } from "../../../src/run/loop/runner.js";
import { altered, engineOf, essence, freshDir, recorder, smallConfig, smallTask } from "../small-run.js";

const quiet = () => {};
const settings: Partial<RunConfig> = { iterations: 2, steps: 6, batchSize: 3, trainLimit: 40, evalLimit: 12 };

function able(engine: Engine, changes: Partial<Capabilities>): Engine {
  return altered(engine, { capabilities: { ...engine.capabilities, ...changes } });
}

test.each([null, 4])(
  "steps are submitted ahead, never beyond a saved state (checkpointSteps %s)",
  async (checkpointSteps) => {
    const plain = await startRun(smallConfig(settings), quiet, { task: smallTask });
    const engine = await engineOf();
    let open = 0;
    let most = 0;
    const openWhenSaved: number[] = [];
    const watched = altered(able(engine, { stepsInFlight: 3 }), {
      trainStep: async (...call) => {
        most = Math.max(most, ++open);
        try {
          return await engine.trainStep(...call);
        } finally {
          open--;
        }
      },
      save: (...call) => {
        openWhenSaved.push(open);
        return engine.save(...call);
      },
    });
    const config = smallConfig({ ...settings, checkpointSteps });
    const ahead = await startRun(config, quiet, { task: smallTask, engine: watched });
    expect(most).toBe(3);
    expect(openWhenSaved.length).toBeGreaterThan(checkpointSteps === null ? 1 : 2);
    expect(Math.max(...openWhenSaved)).toBe(0);
    expect(essence(ahead.runDir)).toEqual(essence(plain.runDir));
  },
);

test("a run that is stopped with steps in flight saves those that were taken, and resumes to the same end", async () => {
  const plain = await startRun(smallConfig(settings), quiet, { task: smallTask });
  const stop = new AbortController();
  const before: RunEvent[] = [];
  const listen = (event: RunEvent) => {
    before.push(event);
    if (event.kind === "training" && event.iteration === 2 && event.step === 2) stop.abort();
  };
  const engine = able(await engineOf(), { stepsInFlight: 3 });
  const options = { task: smallTask, engine, signal: stop.signal };
  const stopped = await startRun(smallConfig(settings), listen, options);
  expect(stopped.status).toBe("interrupted");
  const after = recorder();
  await resumeRun(stopped.runDir, after.listen, { task: smallTask });
  expect(essence(stopped.runDir)).toEqual(essence(plain.runDir));
  const stepsOf = (events: readonly RunEvent[]) =>
    events.flatMap((event) => (event.kind === "training" && event.iteration === 2 ? [event.step] : []));
  const taken = [...stepsOf(before), ...stepsOf(after.events)];
  expect(taken).toEqual(Array.from({ length: taken.length }, (_, i) => i + 1));
});

test("stopping a run ends the wave at hand; nothing of it is recorded", async () => {
  const stop = new AbortController();
  const engine = await engineOf();
  let drawn = 0;
  const watched = altered(engine, {
    async *sample(requests, params, options) {
      for await (const sample of engine.sample(requests, params, options)) {
        if (params.temperature > 0 && ++drawn === 3) stop.abort();
        yield sample;
      }
    },
  });
  const config = smallConfig({ ...settings, samplingBatch: 40 });
  const stopped = await startRun(config, quiet, { task: smallTask, engine: watched, signal: stop.signal });
  expect(stopped.status).toBe("interrupted");
  expect(drawn).toBe(3);
  expect(readFileSync(join(stopped.runDir, "iterations", "0001", "samples.jsonl"), "utf8")).toBe("");
  await resumeRun(stopped.runDir, quiet, { task: smallTask });
  const plain = await startRun(smallConfig({ ...settings, samplingBatch: 40 }), quiet, { task: smallTask });
  expect(essence(stopped.runDir)).toEqual(essence(plain.runDir));
});

test("the canary's tolerance is the engine's", async () => {
  const { runDir } = await startRun(smallConfig(settings), quiet, { task: smallTask });
  const drifting = async (canaryTolerance: number) => {
    const engine = await engineOf();
    return altered(able(engine, { canaryTolerance }), {
      canary: async (prompt) => (await engine.canary(prompt)).map((value) => value - 0.01),
    });
  };
  const settingsNow = { iterations: 3 };
  await expect(
    resumeRun(runDir, quiet, { task: smallTask, engine: await drifting(1e-3), settings: settingsNow }),
  ).rejects.toThrow("samples from other ones");
  const resumed = await resumeRun(runDir, quiet, {
    task: smallTask,
    engine: await drifting(0.02),
    settings: settingsNow,
  });
  expect(resumed.iterations).toBe(3);
});

test("a damaged model is not made again by an engine that does not repeat training exactly", async () => {
  const { runDir } = await startRun(smallConfig(settings), quiet, { task: smallTask });
  rmSync(join(runDir, "checkpoints", "0002", "learner.bin"));
  const engine = able(await engineOf(), { exactRestore: false });
  const attempt = resumeRun(runDir, quiet, { task: smallTask, engine });
  await expect(attempt).rejects.toThrow(UserError);
  await expect(attempt).rejects.toThrow(/learner\.bin.*this engine does not repeat training exactly/);
  expect((await resumeRun(runDir, quiet, { task: smallTask })).status).toBe("done");
});

test("checkpoints may be URIs: the journal holds them, and the engine that has them gets them back", async () => {
  const server = new Map<string, string>();
  const remote = async () => {
    const engine = await engineOf();
    return altered(able(engine, { checkpoints: "uri" }), {
      save: async ({ name }, options) => {
        const folder = freshDir();
        const { weights } = await engine.save({ folder, name }, options);
        server.set(`there://${name}`, folder);
        return { uri: `there://${name}`, weights };
      },
      restore: async (checkpoint) => {
        const folder = "uri" in checkpoint ? server.get(checkpoint.uri) : undefined;
        if (folder === undefined) throw new UserError("expected a checkpoint that the server has");
        await engine.restore({ folder, weights: checkpoint.weights });
      },
    });
  };
  const plain = await startRun(smallConfig(settings), quiet, { task: smallTask });
  const stop = new AbortController();
  const listen = (event: RunEvent) => {
    if (event.kind === "training" && event.iteration === 2 && event.step === 3) stop.abort();
  };
  const options = { task: smallTask, engine: await remote(), signal: stop.signal };
  const stopped = await startRun(smallConfig(settings), listen, options);
  expect(stopped.checkpoint).toBe("there://0001");
  expect([...server.keys()]).toContain("there://0002-step-000003");
  const lost = freshDir();
  cpSync(stopped.runDir, lost, { recursive: true });
  const done = await resumeRun(stopped.runDir, quiet, { task: smallTask, engine: await remote() });
  expect(done.checkpoint).toBe("there://0002");
  const checkpoints = (dir: string) =>
    readJournal(join(dir, "journal.jsonl")).flatMap((entry) => (entry.kind === "trained" ? [entry.checkpoint] : []));
  expect(checkpoints(done.runDir)).toMatchObject([
    { uri: "there://0001", files: [] },
    { uri: "there://0002", files: [] },
  ]);
  expect(checkpoints(done.runDir).map(({ weights }) => weights)).toEqual(
    checkpoints(plain.runDir).map(({ weights }) => weights),
  );
  server.clear();
  await expect(resumeRun(lost, quiet, { task: smallTask, engine: await remote() })).rejects.toThrow("the server has");
});

test("a resetting method goes back to the base model when D₊ is empty, also when that model is made again", async () => {
  const failing = async () => {
    const engine = await engineOf();
    let trained = 0;
    return altered(engine, {
      trainStep: (...call) => {
        trained++;
        return engine.trainStep(...call);
      },
      async *sample(requests, params, options) {
        for await (const sample of engine.sample(requests, params, options)) {
          yield trained > 0 && params.temperature > 0 ? { ...sample, text: "?" } : sample;
        }
      },
    });
  };
  const config = smallConfig({ ...settings, method: "star", keepCheckpoints: "all" });
  const { events, listen } = recorder();
  const { runDir } = await startRun(config, listen, { task: smallTask, engine: await failing() });
  const entries = readJournal(join(runDir, "journal.jsonl"));
  const base = entries.flatMap((entry) => (entry.kind === "opened" ? [entry.weights] : []));
  const weights = entries.flatMap((entry) => (entry.kind === "trained" ? [entry.checkpoint.weights] : []));
  expect(weights).toHaveLength(2);
  expect(weights[0]).not.toBe(base[0]);
  expect(weights[1]).toBe(base[0]);
  const text = "iteration 2: no sample is correct, so nothing is trained and the model goes back to the base model";
  expect(events).toContainEqual({ kind: "notice", text });

  rmSync(join(runDir, "checkpoints", "0001"), { recursive: true });
  rmSync(join(runDir, "checkpoints", "0002", "learner.bin"));
  const resumed = await resumeRun(runDir, quiet, { task: smallTask, engine: await engineOf() });
  expect(resumed.status).toBe("done");
});

test("a run is not shortened below what is done", async () => {
  const { runDir } = await startRun(smallConfig(settings), quiet, { task: smallTask });
  const before = essence(runDir);
  const attempt = resumeRun(runDir, quiet, { task: smallTask, settings: { iterations: 1 } });
  await expect(attempt).rejects.toThrow(UserError);
  await expect(attempt).rejects.toThrow(/--iterations of at least 2, which are done, got 1/);
  expect(essence(runDir)).toEqual(before);
  const same = await resumeRun(runDir, quiet, { task: smallTask, settings: { iterations: 2 } });
  expect(same).toMatchObject({ status: "done", iterations: 2 });
});
