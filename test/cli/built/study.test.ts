/** A study as users run it, several runs at once, killed in between. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { adastar } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "adastar-study-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const STUDY = `
question: Does a killed study come to the same figures?
runs: { engine: scripted, testSize: 50, steps: 5 }
settings: { only: { trainSize: 200 } }
methods: [adastar, star-acc]
seeds: [11, 12]
budget: 3.0e+11
comparisons: [{ method: adastar, against: star-acc }]
stopping: All four runs are made.
report: The comparison.
`;

test("a killed study continues, several runs at once, and comes to the same figures", async () => {
  const file = join(folder, "study.yaml");
  writeFileSync(file, STUDY);
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=Test", "-c", "user.email=test@example.org", ...args], { cwd: folder });
  git("init", "-q");
  git("add", "study.yaml");
  git("commit", "-qm", "A study");

  const out = join(folder, "killed");
  const runs = join(out, "only", "runs");
  const begun = () =>
    existsSync(runs) &&
    readdirSync(runs).some((name) => existsSync(join(runs, name, "iterations", "0002", "samples.jsonl")));
  const killed = await adastar(["study", "run", file, "--jobs", "2", "--out", out], {
    onStderr: (text, child) => {
      if (!text.includes("starts")) return;
      const waiting = setInterval(() => {
        if (!begun()) return;
        clearInterval(waiting);
        child.kill("SIGKILL");
      }, 20);
    },
  });
  expect(killed.signal).toBe("SIGKILL");
  const unfinished = await adastar(["study", "status", file, "--json", "--out", out]);
  const { settings, secondsLeft } = JSON.parse(unfinished.stdout);
  expect(settings[0].finished).toBeLessThan(4);
  expect(secondsLeft).toBeGreaterThan(0);

  const again = await adastar(["study", "run", file, "--jobs", "2", "--out", out]);
  expect(again.code).toBe(0);
  const whole = join(folder, "whole");
  expect((await adastar(["study", "run", file, "--jobs", "2", "--out", whole])).code).toBe(0);
  for (const place of [out, whole]) expect((await adastar(["study", "report", file, "--out", place])).code).toBe(0);
  const points = (place: string) => readFileSync(join(place, "only", "points.csv"), "utf8");
  expect(points(out)).toBe(points(whole));
  // Both sessions are on record, and neither is a departure.
  expect(JSON.parse(readFileSync(join(out, "study.json"), "utf8")).sessions).toHaveLength(2);
  expect(readFileSync(join(out, "report.md"), "utf8")).toContain("## Departures from the plan\n\nNone.");
});
