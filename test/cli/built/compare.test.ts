/** Comparisons as users start them: runs in processes of their own, stopped and gone on with. */

import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { adastar } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "adastar-compare-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SMALL = [
  "--engine",
  "scripted",
  "--train-size",
  "200",
  "--test-size",
  "50",
  "--steps",
  "5",
  "--iterations",
  "40",
];
const compare = (out: string, ...args: string[]) => [
  "compare",
  ...SMALL,
  "--seeds",
  "1",
  "--json",
  "--out",
  out,
  ...args,
];

/** The run directories of a comparison. */
function runsIn(out: string): string[] {
  const runs = join(out, "runs");
  return existsSync(runs) ? readdirSync(runs).map((name) => join(runs, name)) : [];
}

test("runs beside each other, stopped in between, end as if they had not been", async () => {
  const whole = await adastar(compare(join(folder, "whole"), "--jobs", "2"));
  expect([whole.code, whole.stderr.includes("2 runs: 0 are finished, 0 continue, 2 start")]).toEqual([0, true]);

  const out = join(folder, "stopped");
  const stopped = await adastar(compare(out, "--jobs", "2"), {
    onStderr: (text, child) => {
      if (!text.includes("star-acc-seed1")) return;
      const begun = () => runsIn(out).some((run) => existsSync(join(run, "iterations", "0002", "samples.jsonl")));
      const waiting = setInterval(() => {
        if (!begun()) return;
        clearInterval(waiting);
        child.kill("SIGINT");
      }, 20);
    },
  });
  expect(stopped.stderr).toContain("SIGINT: the runs in progress save and end");
  expect(stopped.code).toBe(130);
  for (const run of runsIn(out)) expect(readdirSync(run)).not.toContain("lock");

  const goneOn = await adastar(compare(out, "--jobs", "2"));
  expect(goneOn.code).toBe(0);
  expect(goneOn.stderr).not.toContain("2 are finished");
  const figures = (stdout: string) => ({ ...JSON.parse(stdout), out: null });
  expect(figures(goneOn.stdout)).toEqual(figures(whole.stdout));
});

test("runs save and end when the comparison is killed, and continue when it is started again", async () => {
  const out = join(folder, "killed");
  const begun = () =>
    runsIn(out).filter((run) => existsSync(join(run, "iterations", "0002", "samples.jsonl"))).length === 2;
  const killed = await adastar(compare(out, "--jobs", "2"), {
    onStderr: (text, child) => {
      if (!text.includes("star-acc-seed1")) return;
      const waiting = setInterval(() => {
        if (!begun()) return;
        clearInterval(waiting);
        child.kill("SIGKILL");
      }, 20);
    },
  });
  expect(killed.signal).toBe("SIGKILL");
  // A run that saves and ends gives its lock back; were it still going, it would hold it to its last iteration.
  await expect
    .poll(() => runsIn(out).filter((run) => readdirSync(run).includes("lock")), { timeout: 20_000 })
    .toEqual([]);
  for (const run of runsIn(out)) expect(existsSync(join(run, "iterations", "0040"))).toBe(false);
  const goneOn = await adastar(compare(out, "--jobs", "2"));
  expect(goneOn.code).toBe(0);
  expect(goneOn.stderr).toContain("2 runs: 0 are finished, 2 continue, 0 start");
}, 60_000);

test("runs that cannot begin are told of with their reason", async () => {
  const args = [
    "compare",
    "--methods",
    "adastar,star",
    "--seeds",
    "1",
    "--jobs",
    "2",
    "--json",
    "--out",
    join(folder, "none"),
  ];
  const { code, stdout, stderr } = await adastar([...args, "--model", join(folder, "nowhere")]);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(/adastar-seed1-\w+: failed: .*nowhere/);
  expect(stderr).toMatch(/star-seed1-\w+: failed: .*nowhere/);
  expect(stderr).toContain("expected at least one finished run, got none of 2");
});
