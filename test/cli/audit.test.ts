import { expect, test } from "vitest";
import { startRun } from "../../src/run/loop/runner.js";
import { engineOf, freshDir, smallConfig, smallTask } from "../run/small-run.js";
import { adastar } from "./in-process.js";

/** Takes no answer below 40 for written as asked. */
const task: typeof smallTask = {
  ...smallTask,
  verifier: {
    ...smallTask.verifier,
    verify(output, observation) {
      const verdict = smallTask.verifier.verify(output, observation);
      return Number(verdict.extracted) < 40 ? { ...verdict, strict: "none" } : verdict;
    },
  },
  checkRationale: (_, { answer }) => ({ steps: 2, firstWrong: Number(answer) % 2 === 0 ? 0 : null }),
};

const config = smallConfig({ iterations: 1 });
const { runDir } = await startRun(config, () => {}, { task, engine: await engineOf() });

test("shows counts, and then samples with the end of what was written", async () => {
  const { code, stdout } = await adastar(["audit", runDir]);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^iteration +split +samples +strict +lenient +differ +none +unfinished +wrong steps +failed$/m,
  );
  expect(stdout).toMatch(/^ +0 +test +20 /m);
  expect(stdout).toMatch(/^ +1 +train +\d+ /m);
  expect(stdout).toMatch(/^Strict and lenient differ: \d+/m);
  expect(stdout).toMatch(
    /^ {2}iteration 1, train train-\d+, try [12]: gold \d+, found \d+: strict none, lenient (correct|wrong)\n {4}\\nFrom memory\.\\nThe answer is \d+\.$/m,
  );
  expect(stdout).toMatch(/^Right answer after a wrong step: \d+/m);
  expect(stdout).toMatch(/; step 1 is wrong$/m);
  expect(stdout).not.toContain("The verifier failed");
});

test("lists no more than --limit of each kind, and says so", async () => {
  const { stdout } = await adastar(["audit", runDir, "--limit", "1"]);
  expect(stdout).toMatch(/^Strict and lenient differ: \d+, the first 1 \(--limit\)$/m);
  expect(stdout.match(/^ {2}iteration/gm)).toHaveLength(2);
});

test("--json is one line with counts and samples", async () => {
  const { stdout } = await adastar(["audit", runDir, "--split", "train", "--iteration", "1", "--limit", "3", "--json"]);
  expect(stdout).toMatch(/^\{.*\}\n$/);
  const audit = JSON.parse(stdout);
  expect(audit.accept).toBe("strict");
  expect(audit.counts).toHaveLength(1);
  expect(audit.counts[0]).toMatchObject({ iteration: 1, split: "train" });
  expect(audit.findings.length).toBeLessThanOrEqual(6);
  expect(audit.found).toBeGreaterThanOrEqual(audit.findings.length);
  expect(audit.findings[0]).toMatchObject({ kind: "disagreement", split: "train", strict: "none", stop: "end" });
  expect(Object.keys(audit.findings[0])).toEqual(
    expect.arrayContaining(["id", "attempt", "gold", "extracted", "lenient", "end"]),
  );
});

test.each<[string, string[], RegExp]>([
  ["no run", [freshDir()], /expected a run directory with a config\.yaml/],
  ["no such iteration", [runDir, "--iteration", "5"], /expected one of the iterations that .* holds \(0, 1\), got 5/],
  ["no such split", [runDir, "--split", "dev"], /Allowed choices are train, test/],
])("%s is refused", async (_, args, message) => {
  const { code, stdout, stderr } = await adastar(["audit", ...args]);
  expect(stderr).toMatch(message);
  expect([code, stdout]).toEqual([2, ""]);
});

test("has every way in which the test set was answered", async () => {
  const asked = smallConfig({ iterations: 1, evaluations: ["self-consistency", "zero-shot"], consistencySamples: 3 });
  const { runDir: dir } = await startRun(asked, () => {}, { task, engine: await engineOf() });
  const { stdout } = await adastar(["audit", dir]);
  expect(stdout).toMatch(/^ +0 +test +20 /m);
  expect(stdout).toMatch(/^ +0 +test \(self-consistency\) +60 /m);
  const { counts } = JSON.parse((await adastar(["audit", dir, "--split", "test", "--json"])).stdout);
  expect(counts.map(({ evaluation }: { evaluation: string }) => evaluation)).toEqual([
    "zero-shot",
    "self-consistency",
    "zero-shot",
    "self-consistency",
  ]);
});
