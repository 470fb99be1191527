import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adastar } from "./in-process.js";

const folder = mkdtempSync(join(tmpdir(), "adastar-compare-"));
afterAll(() => {
  process.exitCode = 0;
  rmSync(folder, { recursive: true, force: true });
});

const out = join(folder, "small");
const SMALL = [
  "--engine",
  "scripted",
  "--train-size",
  "60",
  "--test-size",
  "20",
  "--steps",
  "4",
  "--learning-rate",
  "3e-3",
];
const compare = (...args: string[]) => adastar(["compare", ...SMALL, "--jobs", "1", "--out", out, ...args]);
const METHODS = ["--methods", "adastar,star-acc,sft", "--seeds", "2", "--max-flops", "6e10", "--json"];

describe("compare", () => {
  let first: Awaited<ReturnType<typeof compare>>;
  beforeAll(async () => {
    first = await compare(...METHODS);
  });

  test("runs every method with every seed and reports", () => {
    expect(first.code).toBe(0);
    const result = JSON.parse(first.stdout);
    expect(result.budget).toBe(6e10);
    const names = result.methods.map(({ method }: { method: string }) => method);
    expect(names).toEqual(["adastar", "star-acc", "sft", "sft (self-consistency)"]);
    for (const { accuracy, seeds } of result.methods) {
      expect(accuracy.low <= accuracy.mean && accuracy.mean <= accuracy.high).toBe(true);
      expect(seeds.map(({ seed }: { seed: number }) => seed)).toEqual([1, 2]);
      for (const { flops } of seeds) expect(flops).toBeLessThanOrEqual(6e10);
    }
    expect(readdirSync(out).sort()).toEqual([
      "comparison.json",
      "configs",
      "curves.csv",
      "curves.svg",
      "points.csv",
      "report.md",
      "runs",
      "tables.tex",
    ]);
    // Runs go a fifth beyond the budget, so that it can be moved both ways.
    expect(result.budgetRange).toEqual([expect.closeTo(0.8, 9), expect.closeTo(1.2, 9)]);
  });

  test("reports progress and time left", () => {
    expect(first.stderr).toMatch(/: done in [^(]+ \(1 of 6, about [^)]+ left\)/);
    expect(first.stderr).toMatch(/: done in [^(]+ \(6 of 6\)/);
  });

  test("reuses runs that are finished, and starts those that are new", async () => {
    const journals = readdirSync(join(out, "runs")).map((name) => join(out, "runs", name, "journal.jsonl"));
    const before = journals.map((path) => statSync(path).mtimeMs);
    const again = await compare(...METHODS);
    expect(again.stderr).toContain("6 runs: 6 are finished, 0 continue, 0 start");
    expect(again.stdout).toBe(first.stdout);
    expect(journals.map((path) => statSync(path).mtimeMs)).toEqual(before);
    const more = await compare(...METHODS.with(3, "3"));
    expect(more.stderr).toContain("9 runs: 6 are finished, 0 continue, 3 start");
  });

  test("a larger budget continues the runs of a smaller one, with the same result as from the start", async () => {
    const args = ["--methods", "adastar", "--seeds", "2", "--json", "--target", "0.9"];
    const apart = join(folder, "apart");
    const larger = await compare(...args, "--max-flops", "9e10");
    expect(larger.stderr).toContain("2 runs: 0 are finished, 2 continue, 0 start");
    const whole = await compare(...args, "--max-flops", "9e10", "--out", apart);
    const figures = (stdout: string) => ({ ...JSON.parse(stdout), out: null });
    expect(figures(larger.stdout)).toEqual(figures(whole.stdout));
    // And a smaller one finds that they went far enough, and counts less of them.
    const smaller = await compare(...args, "--max-flops", "3e10");
    expect(smaller.stderr).toContain("2 runs: 2 are finished");
    for (const { flops } of JSON.parse(smaller.stdout).methods[0].seeds) expect(flops).toBeLessThanOrEqual(3e10);
    const one = await compare(...args, "--iterations", "1");
    expect(one.stderr).toContain("2 runs: 2 are finished");
    for (const { iteration } of JSON.parse(one.stdout).methods[0].seeds) expect(iteration).toBeLessThanOrEqual(1);
  });

  test("another setting is another run", async () => {
    const { stderr } = await compare(...METHODS, "--tries", "3", "--methods", "adastar");
    expect(stderr).toContain("2 runs: 0 are finished, 0 continue, 2 start");
  });

  test("a run that fails does not lose the others", async () => {
    const [damaged] = readdirSync(join(out, "runs")).filter((name) => name.startsWith("star-acc-seed1"));
    const journal = join(out, "runs", damaged, "journal.jsonl");
    const lines = readFileSync(journal, "utf8").split("\n");
    // Without its end the run is not finished, and its base model's answers are not those the journal vouches for.
    writeFileSync(journal, `${lines.slice(0, 3).join("\n")}\n`);
    const samples = join(out, "runs", damaged, "iterations", "0001", "samples.jsonl");
    const text = readFileSync(samples, "utf8");
    writeFileSync(samples, text.replace('"correct":true', '"correct":false'));
    const { code, stdout, stderr } = await compare(...METHODS);
    expect(code).toBe(2);
    expect(stderr).toMatch(/star-acc-seed1-\w+: failed: /);
    const { methods, failed } = JSON.parse(stdout);
    expect(failed).toMatchObject([{ method: "star-acc", seed: 1 }]);
    expect(methods.find(({ method }: { method: string }) => method === "star-acc").seeds).toHaveLength(1);
    expect(readFileSync(join(out, "report.md"), "utf8")).toContain("## Runs that failed");
    process.exitCode = 0;
  });

  test("a journal that cannot be read does not lose the others", async () => {
    const journal = join(
      out,
      "runs",
      readdirSync(join(out, "runs")).find((name) => name.startsWith("sft-seed2")) ?? "",
      "journal.jsonl",
    );
    const whole = readFileSync(journal, "utf8");
    writeFileSync(journal, whole.split("\n").toSpliced(2, 1).join("\n"));
    const { code, stdout, stderr } = await compare(
      "--methods",
      "adastar,sft",
      "--seeds",
      "2",
      "--max-flops",
      "6e10",
      "--json",
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/sft-seed2-\w+: failed: /);
    const { methods, failed } = JSON.parse(stdout);
    expect(failed).toMatchObject([{ method: "sft", seed: 2 }]);
    expect(methods[0].seeds).toHaveLength(2);
    writeFileSync(journal, whole);
    process.exitCode = 0;
  });

  test("runs that began with other data are told of and count for nothing", async () => {
    const data = (name: string, from: number) => {
      const rows = Array.from({ length: 30 }, (_, i) => ({ question: `${from + i} + 1?`, answer: `${from + i + 1}` }));
      writeFileSync(join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
      return join(folder, name);
    };
    const [train, test] = [data("train.jsonl", 0), data("test.jsonl", 100)];
    const own = (methods: string) =>
      adastar([
        ...["compare", "--engine", "scripted", "--data", train, "--eval", test, "--verifier", "number", "--steps", "2"],
        ...[
          "--seeds",
          "1",
          "--iterations",
          "1",
          "--jobs",
          "1",
          "--methods",
          methods,
          "--out",
          join(folder, "own"),
          "--json",
        ],
      ]);
    expect((await own("adastar")).code).toBe(0);
    data("test.jsonl", 200);
    const { code, stdout, stderr } = await own("adastar,star-acc");
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /adastar-seed1-\w+: failed: it began with other observations or prompts than star-acc-seed1/,
    );
    expect(JSON.parse(stdout).methods.map(({ method }: { method: string }) => method)).toEqual(["star-acc"]);
    process.exitCode = 0;
  });

  test("says which settings of a file it decides itself, and takes a seed by itself", async () => {
    const file = join(folder, "run.yaml");
    writeFileSync(file, "method: star\nseed: 77\ntries: 3\n");
    const { code, stdout, stderr } = await adastar([
      ...[
        "compare",
        ...SMALL,
        "--config",
        file,
        "--methods",
        "adastar",
        "--seeds",
        "7,",
        "--iterations",
        "1",
        "--jobs",
        "1",
      ],
      ...["--out", join(folder, "file"), "--json"],
    ]);
    expect(code).toBe(0);
    expect(stderr).toContain("method is ignored: --methods decides it");
    expect(stderr).toContain("seed is ignored: --seeds decides it");
    expect(JSON.parse(stdout).methods[0].seeds).toMatchObject([{ seed: 7 }]);
  });

  test.each([
    [
      ["--methods", "star,sft", "--curriculum-power", "3"],
      /expected flags that one of star, sft has a use for, got --curriculum-power/,
    ],
    [["--methods", "adaster"], /expected a method: adastar/],
    [["--seeds", "none"], /--seeds: expected how many seeds/],
    [["--methods", "rest-em", "--tries", "2"], /never has more correct samples than tries/],
    [["--method", "star"], /unknown option '--method'/],
  ])("refuses %j before anything is run", async (args, message) => {
    const elsewhere = join(folder, "refused");
    const { code, stderr } = await adastar(["compare", ...SMALL, "--out", elsewhere, ...args]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(existsSync(elsewhere)).toBe(false);
  });
});
