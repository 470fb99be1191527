import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { loadConfig, openTask, openVerifier } from "../../src/index.js";
import { taskOptions } from "../../src/run/config/config.js";

const scratch = mkdtempSync(join(tmpdir(), "adastar-examples-"));
const printed: string[] = [];

beforeEach(() => {
  printed.length = 0;
  vi.spyOn(console, "log").mockImplementation((line: string) => printed.push(line));
  // Runs go under the folder the program is started in.
  vi.spyOn(process, "cwd").mockReturnValue(scratch);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(scratch, { recursive: true, force: true });
});

test("own-sampler: the skill grows and every iteration finds what it wants", async () => {
  await import("../../examples/own-sampler.js");
  expect(printed).toHaveLength(8);
  const skills = printed.map((line) => Number(/skill ([\d.]+)$/.exec(line)?.[1]));
  expect(skills).toEqual(skills.toSorted((a, b) => a - b));
  expect(skills.at(-1)).toBeGreaterThan(0.4);
});

test("own-task: a whole run on a task of one's own", async () => {
  await import("../../examples/own-task.js");
  expect(printed[0]).toMatch(/^base model: /);
  expect(printed.slice(1, 5).map((line) => line.split(":")[0])).toEqual([
    "iteration 1",
    "iteration 2",
    "iteration 3",
    "iteration 4",
  ]);
  expect(printed[5]).toMatch(/^The model is in .*checkpoints.0004$/);
});

test("own-verifier: strict wants every step right, lenient only the answer", async () => {
  const path = fileURLToPath(new URL("../../examples/own-verifier.mjs", import.meta.url));
  const verifier = openVerifier({ verifier: path });
  try {
    const gold = { answer: verifier.canonical(" 1,000 ") };
    expect(gold.answer).toBe("1000");
    const judged = (output: string) => {
      const { strict, lenient, extracted } = verifier.verify(output, gold);
      return [strict, lenient, extracted];
    };
    expect(judged(" 10 * 90 = 900. 900 + 100 = 1,000. The answer is 1,000.")).toEqual(["correct", "correct", "1000"]);
    expect(judged(" 10 * 90 = 800. 900 + 100 = 1,000. The answer is 1000.")).toEqual(["wrong", "correct", "1000"]);
    expect(judged(" 10 * 90 = 900. The answer is 900.")).toEqual(["wrong", "wrong", "900"]);
    expect(judged(" I cannot tell.")).toEqual(["none", "none", null]);
    expect(() => verifier.canonical("many")).toThrow(/expected a whole number/);
  } finally {
    await verifier.module?.close();
  }
});

test("own-data: the configuration is valid and its data can be read", async () => {
  const file = fileURLToPath(new URL("../../examples/own-data/run.yaml", import.meta.url));
  const { config } = loadConfig({ file });
  const task = await openTask(taskOptions(config));
  expect([task.name, task.train.length, task.test.length]).toEqual(["jsonl", 12, 4]);
});
