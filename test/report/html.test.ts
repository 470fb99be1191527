import { existsSync, readFileSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { reportPage } from "../../src/report/html/page.js";
import { type ReportedRun, reportedRun } from "../../src/report/html/reported-run.js";
import { writeRunReport } from "../../src/report/run-directory-report.js";
import { startRun } from "../../src/run/loop/runner.js";
import { adastar } from "../cli/in-process.js";
import { freshDir, smallConfig, smallTask } from "../run/small-run.js";

const NOW = new Date("2026-01-02T03:04:05Z");
const HOSTILE = '<img src=x onerror=alert(1)> & "run"';

async function run(values: Parameters<typeof smallConfig>[0]): Promise<string> {
  const { runDir } = await startRun(smallConfig(values), [], { task: smallTask });
  return runDir;
}

let dirs: string[] = [];
let runs: ReportedRun[] = [];
beforeAll(async () => {
  dirs = [
    await run({ seed: 1 }),
    await run({ seed: 2 }),
    await run({ seed: 1, method: "star-acc" }),
    await run({ seed: 2, method: "star-acc" }),
  ];
  const hostile = join(dirname(dirs[3]), HOSTILE);
  renameSync(dirs[3], hostile);
  dirs[3] = hostile;
  runs = dirs.map(reportedRun);
});

describe("a report on several runs", () => {
  let page = "";
  beforeAll(() => {
    page = reportPage(runs, NOW);
  });

  test("is one file that fetches nothing and runs nothing", () => {
    expect(page).toContain("default-src 'none'");
    expect(/<script|<link|<img|<iframe|url\(|@import|<[^>]*\s(src|href|on\w+)=/i.exec(page)?.[0]).toBeUndefined();
    expect(page.length).toBeLessThan(200_000 * runs.length);
  });

  test("shows what a run is called as text", () => {
    expect(page.includes("<img")).toBe(false);
    expect(page).toContain("&lt;img src=x onerror=alert(1)&gt; &amp; &quot;run&quot;");
  });

  test("has a table for every chart", () => {
    const figures = page.split("<figure>").slice(1);
    // Three learning curves, and for each run seven charts, or six where there is no queue.
    expect(figures).toHaveLength(3 + 7 + 7 + 6 + 6);
    for (const figure of figures) {
      expect(figure).toMatch(/<svg[^>]* role="img" aria-label="[^"]+">/);
      expect(figure).toMatch(/<details><summary>[^<]+<\/summary><div[^>]*><table>[\s\S]*<td/);
      expect(figure).not.toContain("NaN");
    }
  });

  test("averages seeds with an interval, and compares methods at equal compute", () => {
    const [curve] = page.split("<figure>").slice(1);
    const rows = [...curve.matchAll(/<td>adastar<\/td><td class="right">([^<]*)<\/td><td class="right">([^<]*)/g)];
    expect(rows).toHaveLength(4);
    const means = [0, 1, 2, 3].map((i) => (runs[0].models[i].accuracy + runs[1].models[i].accuracy) / 2);
    expect(rows.map(([, , accuracy]) => accuracy)).toEqual(means.map((share) => `${(100 * share).toFixed(1)} %`));
    expect(page).toContain("Comparison at equal compute");
    expect(page).toContain("paired by seed");
  });
});

test("runs on different data are not compared", () => {
  const page = reportPage([runs[0], { ...runs[2], data: "other" }], NOW);
  expect(page).toContain("their accuracies do not compare");
});

test("the frequencies of a run's figure are those of its D₊, and the queue's cells add up to all observations", () => {
  const [{ frequency, queues, overview }] = runs;
  const trained = Array.from(frequency).reduce((total, times) => total + times, 0);
  // Three iterations of five steps or more with four examples each.
  expect(trained % 4).toBe(0);
  expect(trained).toBeGreaterThanOrEqual(60);
  for (const { cells } of queues) {
    expect(cells.reduce((total, { observations }) => total + observations, 0)).toBe(overview.observations);
  }
});

describe("at the command line", () => {
  test("writes one file, or prints tables", async () => {
    const out = `${freshDir()}.html`;
    const written = await adastar(["report", ...dirs.slice(0, 2), "-o", out]);
    expect(written).toMatchObject({ code: 0, stdout: "" });
    expect(readFileSync(out, "utf8")).toMatch(/^<!doctype html>/);
    expect(existsSync(`${out}.tmp`)).toBe(false);

    const csv = (await adastar(["report", dirs[0], dirs[3], "--format", "csv"])).stdout.trim().split("\n");
    expect(csv).toHaveLength(1 + 2 * 4);
    expect(csv[0]).toMatch(/^run,method,task,seed,step,test_accuracy,/);
    expect(csv[5]).toContain('"<img src=x onerror=alert(1)> & ""run"""');
    const json = JSON.parse((await adastar(["report", dirs[0], "--format", "json"])).stdout) as { runs: unknown[] };
    expect(json.runs).toMatchObject([{ method: "adastar", records: [{ iteration: 1 }, { iteration: 2 }, {}] }]);
    expect((await adastar(["report", dirs[0], "--format", "md"])).stdout).toMatch(/^## Runs\n\n\| run /);
    expect((await adastar(["report", dirs[0], "--format", "tex"])).stdout).toContain("\\toprule");
  });

  test("a folder without a run is refused", async () => {
    const { code, stderr } = await adastar(["report", dirname(dirs[0])]);
    expect(code).toBe(2);
    expect(stderr).toContain("expected");
  });

  test("a run ends with its report, and does not fail when there can be none", async () => {
    const dir = freshDir();
    const flags = [
      "--engine",
      "scripted",
      "--train-size",
      "40",
      "--test-size",
      "10",
      "--steps",
      "2",
      "--iterations",
      "1",
    ];
    const done = await adastar(["run", ...flags, "--run-dir", dir]);
    expect(done.code).toBe(0);
    expect(done.stderr).toMatch(/^report +\S/m);
    expect(done.stderr).toContain(join(dir, "report.html"));
    expect(readFileSync(join(dir, "report.html"), "utf8")).toContain("Learning curves");
    expect(() => writeRunReport(`${dir}-none`)).toThrow();
  });
});
