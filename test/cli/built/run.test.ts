import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import type { RunSummary } from "../../../src/run/events.js";
import { adastar } from "./command.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "adastar-cli-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const ESC = String.fromCharCode(27);
/** Settings of a run that is over in a moment. */
const SMALL = ["--engine", "scripted", "--iterations", "2", "--steps", "4", "--batch-size", "4", "--eval-limit", "50"];

function summaryOf(stdout: string): RunSummary {
  expect(stdout).toMatch(/^\{.*\}\n$/);
  return JSON.parse(stdout) as RunSummary;
}

describe("run", () => {
  test("--json prints the summary and nothing else to stdout; people read stderr, free of escape codes", async () => {
    const runDir = join(scratch, "json");
    const { code, stdout, stderr } = await adastar(["run", ...SMALL, "--run-dir", runDir, "--json"]);
    expect(code).toBe(0);
    const summary = summaryOf(stdout);
    expect(Object.keys(summary)).toEqual([
      "status",
      "runDir",
      "checkpoint",
      "bestCheckpoint",
      "iterations",
      "baseAccuracy",
      "bestAccuracy",
      "bestIteration",
      "everVisited",
      "observations",
      "flops",
      "seconds",
    ]);
    expect(summary).toMatchObject({
      status: "done",
      runDir,
      checkpoint: join(runDir, "checkpoints", "0002"),
      iterations: 2,
    });
    expect(summary.flops.total).toBe(summary.flops.sampling + summary.flops.training);
    expect(stderr).toMatch(/^adastar on arithmetic: /);
    expect(stderr).toMatch(/^iteration 2\/2: m /m);
    expect(stderr).toMatch(/^iteration +m +ever visited +α +popped +\|D₊\| +train loss +test accuracy +FLOPs/m);
    expect(stderr).toContain("\nbest model ");
    expect(stderr).toContain(`  ${summary.bestCheckpoint}\n`);
    expect(stderr).not.toContain(ESC);
  });

  test("without --json, stdout stays empty", async () => {
    const { code, stdout } = await adastar(["run", ...SMALL, "--run-dir", join(scratch, "quiet")]);
    expect([code, stdout]).toEqual([0, ""]);
  });

  test("own data and a configuration file; flags override it", async () => {
    const rows = (from: number, to: number) =>
      Array.from(
        { length: to - from },
        (_, i) => `${JSON.stringify({ q: `Twice ${from + i}?`, a: 2 * (from + i) })}\n`,
      ).join("");
    writeFileSync(join(scratch, "train.jsonl"), rows(1, 80));
    writeFileSync(join(scratch, "test.jsonl"), rows(80, 100));
    const settings = "data: train.jsonl\neval: test.jsonl\nquestionField: q\nanswerField: a\nverifier: number\n";
    writeFileSync(join(scratch, "run.yaml"), `${settings}iterations: 3\nsteps: 2\nbatchSize: 4\nengine: scripted\n`);
    const args = ["--config", join(scratch, "run.yaml"), "--iterations", "1", "--run-dir", "own"];
    const { code, stdout, stderr } = await adastar(["run", ...args, "--json"], { cwd: scratch });
    expect([code, stderr.split("\n")[0]]).toEqual([0, "adastar on jsonl: 79 observations, 20 for testing"]);
    expect(summaryOf(stdout)).toMatchObject({ iterations: 1, runDir: join(scratch, "own") });
    expect(readFileSync(join(scratch, "own", "config.yaml"), "utf8")).toMatch(/^batchSize: 4$/m);
  });

  test("an unknown key of the configuration file is refused with its likely meaning", async () => {
    writeFileSync(join(scratch, "wrong.yaml"), "batchsize: 4\n");
    const { code, stderr } = await adastar(["run", "--config", join(scratch, "wrong.yaml")]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/expected a known setting, got "batchsize" .*wrong\.yaml.*Did you mean batchSize\?/);
  });

  test("npm start passes its arguments through", () => {
    const args = ["start", "--", ...SMALL, "--seed", "2", "--run-dir", join(scratch, "npm"), "--json"];
    const { status, stdout } = spawnSync("npm", args, { cwd: ROOT, encoding: "utf8" });
    expect(status).toBe(0);
    expect(summaryOf(`${stdout.trimEnd().split("\n").at(-1)}\n`).runDir).toBe(join(scratch, "npm"));
    expect(readFileSync(join(scratch, "npm", "config.yaml"), "utf8")).toMatch(/^seed: 2$/m);
  });
});

describe("stop and resume", () => {
  /** Long enough to be stopped in the middle; as many steps in each iteration. */
  const LONG = [...SMALL, "--iterations", "12", "--steps", "12", "--steps-growth", "1", "--sampling-batch", "8"];

  test("SIGINT once saves what is finished, says how to continue, and exits with 130; resume ends as if never stopped", async () => {
    const runDir = join(scratch, "stopped");
    let asked = false;
    const stopped = await adastar(["run", ...LONG, "--run-dir", runDir, "--json"], {
      onStderr: (text, child) => {
        if (!asked && text.includes("iteration 2/")) asked = child.kill("SIGINT");
      },
    });
    expect([stopped.code, stopped.signal]).toEqual([130, null]);
    expect(stopped.stderr).toMatch(/SIGINT: saving what is finished.*adastar resume .*stopped/);
    const half = summaryOf(stopped.stdout);
    expect(half.status).toBe("interrupted");
    expect(half.iterations).toBeLessThan(12);

    const resumed = await adastar(["resume", runDir, "--json"]);
    expect(resumed.code).toBe(0);
    const { seconds: _, ...whole } = summaryOf(resumed.stdout);
    const reference = await adastar(["run", ...LONG, "--run-dir", join(scratch, "reference"), "--json"]);
    const { seconds: __, ...expected } = summaryOf(reference.stdout);
    const elsewhere = join(runDir, "checkpoints", "0012");
    expect(whole).toEqual({ ...expected, runDir, checkpoint: elsewhere });
    const again = await adastar(["resume", runDir, "--json"]);
    expect([again.code, summaryOf(again.stdout).status]).toEqual([0, "done"]);
  });

  test("SIGTERM does as SIGINT once, and exits with 143", async () => {
    const runDir = join(scratch, "terminated");
    let asked = false;
    const stopped = await adastar(["run", ...LONG, "--run-dir", runDir, "--json"], {
      onStderr: (text, child) => {
        if (!asked && text.includes("iteration 2/")) asked = child.kill("SIGTERM");
      },
    });
    expect([stopped.code, stopped.signal]).toEqual([143, null]);
    expect(stopped.stderr).toMatch(/SIGTERM: saving what is finished.*adastar resume .*terminated/);
    expect(summaryOf(stopped.stdout).status).toBe("interrupted");
    const { code, stdout } = await adastar(["resume", runDir, "--iterations", "3", "--json"]);
    expect([code, summaryOf(stdout).iterations]).toEqual([0, 3]);
  });

  test("resume offers only settings that may change", async () => {
    const { stdout } = await adastar(["resume", "--help"]);
    for (const flag of ["--iterations", "--max-flops", "--threads", "--keep-every", "--data"])
      expect(stdout).toContain(flag);
    for (const flag of ["--seed", "--learning-rate", "--run-dir"]) expect(stdout).not.toContain(flag);
    const { code, stderr } = await adastar(["resume", join(scratch, "json"), "--seed", "3"]);
    expect(code).toBe(2);
    expect(stderr).toContain("unknown option '--seed'");
  });

  test("SIGINT twice stops at once, and the run can still be resumed", async () => {
    const runDir = join(scratch, "killed");
    let asked = false;
    const killed = await adastar(["run", ...LONG, "--run-dir", runDir, "--json"], {
      onStderr: (text, child) => {
        if (!asked && text.includes("iteration 2/")) asked = child.kill("SIGINT");
        else if (text.includes("SIGINT:")) child.kill("SIGINT");
      },
    });
    expect([killed.code, killed.signal]).toEqual([130, null]);
    const { code, stdout } = await adastar(["resume", runDir, "--json"]);
    expect([code, summaryOf(stdout).iterations]).toEqual([0, 12]);
  });
});

test("eval measures what a run calls the base accuracy", async () => {
  const { code, stdout } = await adastar(["eval", "--engine", "scripted", "--limit", "50", "--json"]);
  expect(code).toBe(0);
  const result = JSON.parse(stdout);
  const run = await adastar(["run", ...SMALL, "--iterations", "0", "--run-dir", join(scratch, "zero"), "--json"]);
  expect(result.accuracy).toBe(summaryOf(run.stdout).baseAccuracy);
  expect(result).toMatchObject({ task: "arithmetic", model: "scripted", observations: 50 });
  const people = await adastar(["eval", "--engine", "scripted", "--limit", "50"]);
  expect(people.stdout).toContain(`(${result.correct} of 50)`);
  const { low, high } = result.accuracyInterval;
  expect(low).toBeLessThan(result.accuracy);
  expect(high).toBeGreaterThan(result.accuracy);
  expect(people.stdout).toMatch(/95 % interval +\d+\.\d % to \d+\.\d %/);
});
