import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { adastar } from "./in-process.js";

const scratch = mkdtempSync(join(tmpdir(), "adastar-pretrain-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test("pretrain makes a checkpoint that generate and run take", async () => {
  const dir = join(scratch, "mini");
  const sizes = [
    "--width",
    "16",
    "--layers",
    "1",
    "--heads",
    "2",
    "--mlp-width",
    "32",
    "--steps",
    "3",
    "--batch-size",
    "2",
  ];
  const made = await adastar(["pretrain", "--out", dir, ...sizes, "--json"]);
  expect(made.code).toBe(0);
  const result = JSON.parse(made.stdout);
  expect(Object.keys(result)).toEqual(["checkpoint", "loss", "tokens", "seconds"]);
  expect(result.checkpoint).toBe(dir);

  const occupied = await adastar(["pretrain", "--out", dir, ...sizes]);
  expect([occupied.code, occupied.stderr]).toEqual([2, expect.stringContaining("expected a new or empty folder")]);

  const again = await adastar(["pretrain", "--out", join(scratch, "again"), ...sizes, "--json"]);
  expect(JSON.parse(again.stdout).loss).toBe(result.loss);

  const spoken = await adastar([
    "generate",
    "--model",
    dir,
    "--prompt",
    "Q: Balance 63. Sun -9, Mon +3?\nA:",
    "--greedy",
    "--max-tokens",
    "4",
    "--json",
  ]);
  expect(spoken.code).toBe(0);
  const run = await adastar([
    ...[
      "run",
      "--model",
      dir,
      "--run-dir",
      join(scratch, "run"),
      "--iterations",
      "1",
      "--steps",
      "1",
      "--batch-size",
      "1",
    ],
    ...["--train-limit", "4", "--eval-limit", "4", "--max-tokens", "8", "--few-shot", "0", "--json"],
  ]);
  expect(run.code).toBe(0);
  expect(JSON.parse(run.stdout)).toMatchObject({ status: "done", iterations: 1 });
});
