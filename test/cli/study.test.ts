import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { adastar } from "./in-process.js";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "adastar-study-")));
afterEach(() => {
  process.exitCode = 0;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = join(folder, "small.yaml");
const out = join(folder, "small");
const STUDY = `
question: Does the order help the simulated learner?
pilots: [an earlier run]
runs: { engine: scripted, testSize: 40, steps: 4, learningRate: 0.03 }
settings: { n60: { trainSize: 60 }, n90: { trainSize: 90 } }
methods: [adastar, adastar-random-order, star-acc]
seeds: [11, 12, 13]
budget: 6.0e+10
comparisons:
  - { method: adastar, against: most accurate baseline }
  - { method: adastar, against: adastar-random-order }
secondary: [accuracy of the last model]
stopping: All 18 runs are made.
report: Both comparisons, whichever way they fall.
`;

function git(...args: string[]): string {
  const identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"];
  return execFileSync("git", [...identity, ...args], { cwd: folder, encoding: "utf8" }).trim();
}

const study = (command: string, ...args: string[]) => adastar(["study", command, file, ...args]);
const page = () => readFileSync(join(out, "report.md"), "utf8");

describe("study", () => {
  beforeAll(() => {
    git("init", "-q");
    writeFileSync(file, STUDY);
  });

  test("begins no run before the file is committed, and nothing of one that was changed since", async () => {
    const uncommitted = await study("run", "--jobs", "1");
    expect(uncommitted.code).toBe(2);
    expect(uncommitted.stderr).toContain("expected to be committed before its first run");
    git("add", "small.yaml");
    git("commit", "-qm", "A study");
    writeFileSync(file, `${STUDY}\n# changed\n`);
    expect((await study("run", "--jobs", "1")).code).toBe(2);
    expect(existsSync(out)).toBe(false);
    writeFileSync(file, STUDY);
  });

  test("makes pilot runs with other seeds only, and lets them count for nothing", async () => {
    const same = await study("run", "--pilot", "11", "--jobs", "1");
    expect(same.code).toBe(2);
    expect(same.stderr).toContain("expected other seeds than the study's, got 11");
    const none = await study("power");
    expect(none.code).toBe(2);
    expect(none.stderr).toContain("expected pilot runs, got none");
    expect((await study("run", "--pilot", "1", "--jobs", "1")).code).toBe(0);
    const one = JSON.parse((await study("power", "--json")).stdout);
    expect(one).toHaveLength(4);
    expect(one[0]).toMatchObject({ setting: "n60", pilots: 1, deviation: null, detectable: null });
    expect((await study("run", "--pilot", "1,2,3", "--jobs", "1")).code).toBe(0);
    const three = JSON.parse((await study("power", "--json", "--difference", "0.05")).stdout);
    for (const { pilots, deviation, detectable, seeds } of three) {
      expect(pilots).toBe(3);
      // With three seeds and four comparisons, several deviations of the differences.
      expect(detectable).toBeGreaterThan(3 * deviation);
      expect(seeds).toBeGreaterThan(1);
    }
    const { stdout } = await study("report", "--json");
    const { pilots, primary, commit } = JSON.parse(stdout);
    expect(pilots).toHaveLength(18);
    expect(commit).toBeNull();
    expect(primary.every(({ own }: { own: unknown }) => own === null)).toBe(true);
    expect(page()).toContain("**No run has begun.**");
  });

  test("makes every run, says how far it is, and reports the commit and both comparisons", async () => {
    const before = JSON.parse((await study("status", "--json")).stdout);
    expect(before.settings).toMatchObject([
      { name: "n60", finished: 0, missing: 9 },
      { name: "n90", finished: 0, missing: 9 },
    ]);
    expect(before.secondsLeft).toBeNull();
    const run = await study("run", "--jobs", "1");
    expect(run.code).toBe(0);
    expect(run.stderr).toContain(`fixed by commit ${git("rev-parse", "HEAD")}`);
    const after = JSON.parse((await study("status", "--json")).stdout);
    expect(after.settings).toMatchObject([{ finished: 9, missing: 0 }, { finished: 9 }]);
    expect(after.secondsLeft).toBe(0);
    const { stdout } = await study("report", "--json");
    const { primary, commit, refused } = JSON.parse(stdout);
    expect(commit.hash).toBe(git("rev-parse", "HEAD"));
    expect(refused).toEqual([]);
    expect(primary.map((one: { setting: string; rival: string }) => [one.setting, one.rival])).toEqual([
      ["n60", "star-acc"],
      ["n60", "adastar-random-order"],
      ["n90", "star-acc"],
      ["n90", "adastar-random-order"],
    ]);
    for (const { own, other, comparison } of primary) {
      expect(own.pairs).toBe(3);
      expect(own.averageAccuracyGained.mean).toBeCloseTo(own.averageAccuracy.mean - other.averageAccuracy.mean, 12);
      expect(comparison.budgetRange[1]).toBeCloseTo(1.2, 9);
    }
    expect(page()).toContain(`fixed by commit \`${commit.hash}\``);
    expect(page()).toMatch(/## Departures from the plan\n\n(None\.|- The session of|- Runs of two settings)/);
    expect(page()).toMatch(/- an earlier run\n- n60: adastar-\S*seed1-/);
    expect(page()).not.toContain("Not complete");
    expect(readdirSync(join(out, "n60"))).toContain("points.csv");
  });

  test("leaves out runs that are not planned, have other settings, or began before the commit", async () => {
    const runs = join(out, "n60", "runs");
    const [planned, other] = readdirSync(runs).filter((name) => name.startsWith("star-acc-seed"));
    cpSync(join(runs, planned), join(runs, "star-acc-seed99-aaaaaaaa"), { recursive: true });
    // Another run under a planned one's name.
    rmSync(join(runs, other), { recursive: true });
    cpSync(join(runs, planned), join(runs, other), { recursive: true });
    const { stdout } = await study("report", "--json");
    const { refused, primary } = JSON.parse(stdout);
    expect(refused.map(({ run }: { run: string }) => run).sort()).toEqual([other, "star-acc-seed99-aaaaaaaa"].sort());
    const reasonOf = (name: string) => refused.find(({ run }: { run: string }) => run === name).reason;
    expect(reasonOf("star-acc-seed99-aaaaaaaa")).toContain("not planned");
    expect(reasonOf(other)).toMatch(/its settings are not those of the study/);
    expect(primary[0].own.pairs).toBe(2);
    expect(page()).toContain(`${other} is left out: its settings`);
  });

  test("leaves out runs that began before the commit, and says when the commit has another study", async () => {
    const ledger = join(out, "study.json");
    const recorded = readFileSync(ledger, "utf8");
    const { commit } = JSON.parse(recorded).sessions[0];
    writeFileSync(ledger, recorded.replace(commit.time, "2999-01-01T00:00:00Z"));
    const late = JSON.parse((await study("report", "--json")).stdout);
    expect(
      late.refused.filter(({ reason }: { reason: string }) => reason.includes("before the study was committed")),
    ).toHaveLength(17);
    expect(late.primary[0].own).toBeNull();
    writeFileSync(ledger, recorded.replace(commit.hash, "0".repeat(40)));
    await study("report");
    expect(page()).toContain(`commit \`${"0".repeat(40)}\` does not have the study`);
    writeFileSync(ledger, "{}");
    const damaged = await study("report");
    expect(damaged.code).toBe(2);
    expect(damaged.stderr).toContain("expected the record of the study's sessions");
    writeFileSync(ledger, recorded);
  });

  test("continues a changed study only when told to, and names what was changed", async () => {
    writeFileSync(file, STUDY.replace("seeds: [11, 12, 13]", "seeds: [12, 13, 14]"));
    git("commit", "-qam", "Other seeds");
    const { settings, secondsLeft } = JSON.parse((await study("status", "--json")).stdout);
    expect(settings).toMatchObject([{ missing: 3 }, { finished: 6, missing: 3 }]);
    expect(secondsLeft).toBeGreaterThan(0);
    const refused = await study("run", "--jobs", "1");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("expected the study as it was at commit");
    const amended = await study("run", "--jobs", "1", "--amend");
    expect(amended.code).toBe(0);
    await study("report");
    expect(page()).toContain(`by commit \`${git("rev-parse", "HEAD")}\``);
    expect(page()).toMatch(/changed after runs had begun, .*: seeds\./);
  });
});
