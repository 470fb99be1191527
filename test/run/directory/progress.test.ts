import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ProgressWriter, readProgress } from "../../../src/run/directory/progress.js";
import type { RunEvent } from "../../../src/run/events.js";
import { resumeRun, startRun } from "../../../src/run/loop/runner.js";
import { altered, engineOf, freshDir, smallConfig, smallTask } from "../small-run.js";

function folder(): string {
  const dir = freshDir();
  mkdirSync(dir);
  return dir;
}

/** Milliseconds that pass between two events of a burst; what is seen of writes is as exact as this. */
const TICK = 7;

const step = (n: number): RunEvent => ({
  kind: "training",
  iteration: 1,
  step: n,
  steps: 9_999,
  loss: 1 / n,
  learningRate: 1e-3,
  gradientNorm: 2,
  tokens: n,
  seconds: n,
});

describe("the file of a run's progress", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date", "performance", "setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  test("is written at most twice a second, and never stays behind for longer than that", () => {
    const dir = folder();
    const writer = new ProgressWriter(dir);
    const path = join(dir, "progress.json");
    const writes: number[] = [];
    let inode = -1;
    for (let at = 0, n = 1; at < 10_000; at += TICK) {
      // Bursts of events with silences between them.
      if (at % 3000 < 2000) writer.listen(step(n++));
      vi.advanceTimersByTime(TICK);
      const { ino } = statSync(path);
      if (ino !== inode) writes.push(at);
      inode = ino;
      if (at % 3000 > 2600) expect(readProgress(dir)?.training?.step).toBe(n - 1);
    }
    for (const from of writes) {
      expect(writes.filter((at) => at >= from && at < from + 1000 - 2 * TICK).length).toBeLessThanOrEqual(2);
    }
    expect(writes.length).toBeGreaterThan(12);
    expect(readFileSync(path).length).toBeLessThan(8_192);
  });

  test("what cannot be written ends nothing, and is written again once it can", () => {
    const dir = folder();
    const writer = new ProgressWriter(dir);
    rmSync(dir, { recursive: true });
    writer.listen(step(1));
    mkdirSync(dir);
    // A folder in the draft's place fails with another error than a missing parent.
    mkdirSync(join(dir, "progress.json.tmp", "x"), { recursive: true });
    vi.advanceTimersByTime(600);
    writer.listen(step(2));
    expect(existsSync(join(dir, "progress.json"))).toBe(false);
    rmSync(join(dir, "progress.json.tmp"), { recursive: true });
    vi.advanceTimersByTime(600);
    writer.listen(step(3));
    expect(readProgress(dir)?.training?.step).toBe(3);
    writer.close();
  });
});

test("a file that is torn at any byte, or somebody else's, is no progress and no error", () => {
  const dir = folder();
  expect(readProgress(dir)).toBeNull();
  new ProgressWriter(dir).listen(step(1));
  const path = join(dir, "progress.json");
  const whole = readFileSync(path);
  for (let cut = 0; cut < whole.length; cut += 7) {
    writeFileSync(path, whole.subarray(0, cut));
    expect(readProgress(dir), `cut at ${cut}`).toBeNull();
  }
  writeFileSync(path, whole.toString().replace('"format":1', '"format":2'));
  expect(readProgress(dir)).toBeNull();
  rmSync(path);
  mkdirSync(path);
  expect(readProgress(dir)).toBeNull();
});

describe("a run", () => {
  const options = { task: smallTask };

  test("says what it is doing, with its last outputs and their verdicts", async () => {
    const config = smallConfig({ iterations: 1 });
    const dir = config.runDir ?? "";
    const phases = new Set<string>();
    const seen: { readonly found: unknown; readonly expected: object }[] = [];
    let waves = 0;
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      const listener = (event: RunEvent) => {
        // Every event comes after the least time between two writes, so every one is to be seen.
        vi.advanceTimersByTime(1000);
        if (event.kind === "samples") waves++;
        if (event.kind !== "visiting" && event.kind !== "training" && event.kind !== "evaluating") return;
        const { kind, iteration, ...figures } = event;
        phases.add(kind);
        seen.push({
          found: readProgress(dir),
          expected: { state: "running", phase: kind, iteration, [kind]: figures },
        });
      };
      await startRun(config, listener, options);
    } finally {
      vi.useRealTimers();
    }
    for (const { found, expected } of seen) expect(found).toMatchObject(expected);
    expect(phases).toEqual(new Set(["evaluating", "visiting", "training"]));
    expect(waves).toBeGreaterThan(3);
    const last = readProgress(dir);
    expect(last).toMatchObject({
      state: "finished",
      error: null,
      pid: process.pid,
      task: "arithmetic",
      method: "adastar",
      iterations: 1,
      observations: 60,
      testObservations: 20,
      iteration: 1,
      phase: "evaluating",
      visiting: { target: 20 },
      training: { step: 5, steps: 5 },
      evaluating: { done: 20, total: 20, verified: 20 },
    });
    expect(last?.training?.loss).toBeGreaterThan(0);
    expect(last?.outputs).toHaveLength(4);
    for (const { split, text, gold, strict, id } of last?.outputs ?? []) {
      expect([split, id.startsWith("test-"), text.length > 0]).toEqual(["test", true, true]);
      expect(strict === "correct").toBe(text.includes(gold));
    }
  });

  test("that fails says why, and that it goes on when it does", async () => {
    const engine = await engineOf();
    let steps = 0;
    const failing = altered(engine, {
      trainStep: async (...request) => {
        if (++steps === 3) throw new Error("the card fell off the bus");
        return engine.trainStep(...request);
      },
    });
    const config = smallConfig({ iterations: 1 });
    const dir = config.runDir ?? "";
    await expect(startRun(config, () => {}, { ...options, engine: failing })).rejects.toThrow();
    expect(readProgress(dir)).toMatchObject({ state: "failed", phase: "training" });
    expect(readProgress(dir)?.error).toMatch(/the card fell off the bus/);
    expect(readdirSync(dir)).not.toContain("progress.json.tmp");

    await resumeRun(dir, () => {}, options);
    expect(readProgress(dir)).toMatchObject({ state: "finished", error: null, resumed: true });
  });

  test("that is stopped says so", async () => {
    const stop = new AbortController();
    const config = smallConfig();
    const listener = (event: RunEvent) => {
      if (event.kind === "training") stop.abort();
    };
    await startRun(config, listener, { ...options, signal: stop.signal });
    expect(readProgress(config.runDir ?? "")).toMatchObject({ state: "interrupted", error: null, iteration: 1 });
  });
});
