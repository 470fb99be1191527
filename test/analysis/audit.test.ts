import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { attemptOf, auditRun } from "../../src/analysis/audit.js";
import type { DrawnSample, VerifiedSample } from "../../src/run/directory/records.js";
import { readSealedLog } from "../../src/run/directory/sealed-log.js";
import { startRun } from "../../src/run/loop/runner.js";
import type { Task } from "../../src/tasks/task.js";
import { engineOf, smallConfig, smallTask } from "../run/small-run.js";

/** Reads every third right answer as lenient only, and finds every fourth of them with a wrong step. */
const task: Task = {
  ...smallTask,
  verifier: {
    ...smallTask.verifier,
    verify(output, observation) {
      const verdict = smallTask.verifier.verify(output, observation);
      return verdict.strict === "correct" && Number(observation.answer) % 3 === 0
        ? { ...verdict, strict: "none" }
        : verdict;
    },
  },
  checkRationale: (_, { answer }) => ({ steps: 2, firstWrong: Number(answer) % 4 === 0 ? 1 : null }),
};

let dir = "";
const logOf = (iteration: number, name: string) =>
  readSealedLog<VerifiedSample>(join(dir, "iterations", String(iteration).padStart(4, "0"), `${name}.jsonl`));

/** Every file with its size, time of change and content. */
function snapshot(): unknown {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path, statSync(path).mtimeMs, readFileSync(path, "latin1")]);
}

beforeAll(async () => {
  const config = smallConfig({ iterations: 2 });
  ({ runDir: dir } = await startRun(config, () => {}, { task, engine: await engineOf() }));
});

describe("an audit", () => {
  test("counts every sample of every iteration, and writes nothing", () => {
    const before = snapshot();
    const { accept, counts } = auditRun(dir);
    expect(snapshot()).toEqual(before);
    expect(accept).toBe("strict");
    expect(counts.map(({ iteration, split }) => `${iteration} ${split}`)).toEqual([
      "0 test",
      "1 train",
      "1 test",
      "2 train",
      "2 test",
    ]);
    for (const row of counts) {
      const samples = logOf(row.iteration, row.split === "train" ? "samples" : "evaluation");
      expect(row.samples).toBe(samples.length);
      expect(row.strict).toBe(samples.filter(({ correct }) => correct).length);
      expect(row.lenient - row.strict).toBe(row.disagreements);
      expect(row.failures).toBe(0);
    }
    expect(counts.reduce((sum, { disagreements }) => sum + disagreements, 0)).toBeGreaterThan(0);
  });

  test("finds what the readings differ on, with the gold answer and the try", () => {
    const findings = auditRun(dir).findings.filter(({ kind }) => kind === "disagreement");
    expect(findings.length).toBeGreaterThan(0);
    for (const { split, sample } of findings) {
      const observation = task[split][sample.observation];
      expect([sample.id, sample.gold]).toEqual([observation?.id, observation?.answer]);
      expect(Number(sample.gold) % 3).toBe(0);
      expect([sample.strict, sample.lenient, sample.extracted]).toEqual(["none", "correct", sample.gold]);
      expect(attemptOf(sample)).toBe(split === "train" ? (sample as DrawnSample).attempt : null);
    }
  });

  test("finds right answers after wrong steps", () => {
    const { counts, findings } = auditRun(dir);
    const wrong = findings.filter(({ kind }) => kind === "wrong step");
    expect(wrong.length).toBeGreaterThan(0);
    for (const { sample } of wrong) {
      expect([sample.correct, sample.wrongStep]).toEqual([true, 1]);
      expect(Number(sample.gold) % 4).toBe(0);
    }
    expect(counts.reduce((sum, { wrongSteps }) => sum + (wrongSteps ?? 0), 0)).toBe(wrong.length);
  });

  test("can be of one iteration or one split", () => {
    expect(auditRun(dir, { iteration: 2 }).counts.map(({ iteration }) => iteration)).toEqual([2, 2]);
    expect(auditRun(dir, { split: "test" }).counts.map(({ iteration }) => iteration)).toEqual([0, 1, 2]);
    expect(auditRun(dir, { iteration: 0, split: "train" })).toMatchObject({ counts: [], findings: [] });
  });

  test("of what is not there is an error", () => {
    expect(() => auditRun(dir, { iteration: 9 })).toThrow(/expected one of the iterations .*\(0, 1, 2\), got 9/);
    expect(() => auditRun("/nowhere")).toThrow(/expected a run directory/);
  });
});

test("samples cut by the token limit are unfinished, whatever they state, and disagree on nothing", async () => {
  const config = smallConfig({ iterations: 1, maxTokens: 12 });
  const summary = await startRun(config, () => {}, { task, engine: await engineOf() });
  const { counts, findings } = auditRun(summary.runDir);
  for (const row of counts) {
    expect(row.unfinished).toBe(row.samples);
    expect([row.strict, row.lenient, row.disagreements, row.none]).toEqual([0, 0, 0, 0]);
  }
  expect(findings).toEqual([]);
});

test("without checked steps there are none to count", async () => {
  const { checkRationale: _, ...unchecked } = task;
  const summary = await startRun(smallConfig({ iterations: 1 }), () => {}, {
    task: unchecked,
    engine: await engineOf(),
  });
  expect(auditRun(summary.runDir).counts.every(({ wrongSteps }) => wrongSteps === null)).toBe(true);
});
