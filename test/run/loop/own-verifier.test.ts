/** Runs that a module of the user's own judges. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { auditRun } from "../../../src/analysis/audit.js";
import { loadConfig } from "../../../src/run/config/config.js";
import type { RunConfig } from "../../../src/run/config/fields.js";
import type { VerifiedSample } from "../../../src/run/directory/records.js";
import { readSealedLog } from "../../../src/run/directory/sealed-log.js";
import { resumeRun, startRun } from "../../../src/run/loop/runner.js";
import { evaluateCheckpoint } from "../../../src/run/oneshot/evaluate-checkpoint.js";
import { freshDir, recorder } from "../small-run.js";

const root = mkdtempSync(join(tmpdir(), "adastar-own-"));
afterAll(() => rmSync(root, { recursive: true }));
const verifier = join(root, "verifier.mjs");

/**
 * Compares the statement at the end; stumbles over answers that are too large, which the simulated learner gives at
 * times.
 */
const SOURCE = `export function verify(output, { answer }) {
  const stated = /The answer is (.*)\\.$/.exec(output)?.[1] ?? null;
  if (Number(stated) > Number(answer)) throw new RangeError("too much");
  return stated;
}
export const canonical = (answer) => String(Number(answer));
`;
beforeEach(() => writeFileSync(verifier, SOURCE));

const sums = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) =>
    JSON.stringify({ question: `${from + i} + 1?`, answer: `${from + i + 1}.0` }),
  ).join("\n");
writeFileSync(join(root, "train.jsonl"), sums(0, 30));
writeFileSync(join(root, "test.jsonl"), sums(5, 10));

function config(values: Record<string, unknown> = {}): RunConfig {
  const flags = {
    data: join(root, "train.jsonl"),
    eval: join(root, "test.jsonl"),
    verifier,
    engine: "scripted",
    runDir: freshDir(),
    iterations: 2,
    batchSize: 2,
    steps: 4,
    learningRate: 5e-3,
    ...values,
  };
  return loadConfig({ flags }).config;
}

async function run(settings: RunConfig) {
  const { events, listen } = recorder();
  const summary = await startRun(settings, listen);
  return { summary, notices: events.flatMap((event) => (event.kind === "notice" ? [event.text] : [])) };
}

test("it verifies; an output that it fails on counts as wrong, is recorded, reported and listed", async () => {
  const { summary, notices } = await run(config());
  const answers = readSealedLog<VerifiedSample>(join(summary.runDir, "iterations", "0000", "evaluation.jsonl"));
  expect(answers.map(({ gold }) => gold)).toEqual(Array.from({ length: 10 }, (_, i) => String(6 + i)));
  expect(answers.some(({ correct }) => correct)).toBe(true);

  const { findings, counts } = auditRun(summary.runDir);
  const failures = findings.filter(({ kind }) => kind === "failure");
  expect(failures.length).toBeGreaterThan(0);
  expect(counts.reduce((sum, row) => sum + row.failures, 0)).toBe(failures.length);
  for (const { sample } of failures) {
    expect(Number(/ (\d+)\.$/.exec(sample.text)?.[1])).toBeGreaterThan(Number(sample.gold));
    expect(sample).toMatchObject({ strict: "wrong", extracted: null, correct: false, failure: "RangeError: too much" });
  }
  expect(notices).toContainEqual(
    expect.stringMatching(
      /^iteration \d.*: the verifier failed on \d+ of \d+ outputs, which count as wrong; first on .*: RangeError: too much$/,
    ),
  );
});

test("it judges in place of a task's own verifier", async () => {
  writeFileSync(
    verifier,
    "export const verify = (output, { question, answer }) => question.startsWith('Balance') && output.endsWith(' ' + answer + '.');",
  );
  const { summary } = await run(config({ task: "arithmetic", data: null, eval: null, trainSize: 40, testSize: 20 }));
  expect(summary.iterations).toBe(2);
  expect(summary.baseAccuracy).toBeGreaterThan(0);
});

test("a run resumes only with the same verifier, wherever its file is", async () => {
  const settings = config();
  const controller = new AbortController();
  const stop = () => controller.abort();
  const stopped = await startRun(settings, ({ kind }) => kind === "iteration" && stop(), { signal: controller.signal });
  expect(stopped.status).toBe("interrupted");
  writeFileSync(verifier, `${SOURCE}// another\n`);
  await expect(resumeRun(stopped.runDir, () => {})).rejects.toThrow(
    /expected the observations and prompts, and the verifier,/,
  );

  const moved = join(root, "moved.mjs");
  writeFileSync(moved, SOURCE);
  const elsewhere = { settings: { verifier: moved } };
  expect(await resumeRun(stopped.runDir, () => {}, elsewhere)).toMatchObject({ status: "done", iterations: 2 });
});

test("an evaluation by itself is judged by it as well", async () => {
  expect(await evaluateCheckpoint(config())).toMatchObject({ observations: 10, finished: 1 });
});
