/** Short forms of `npm run test:kill`, `test:damage` and `test:fuzz`, which see. */

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

function harness(name: string, args: readonly string[]): string {
  const script = fileURLToPath(new URL(`../../${name}/harness.mjs`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
  expect(status, `${stdout}\n${stderr}`).toBe(0);
  return stdout;
}

test("a run that is killed again and again ends as if nothing had happened", { timeout: 300_000 }, () => {
  expect(harness("kill", ["--kills", "10"])).toMatch(/^1\d kills .*differences: 0,/m);
});

test("a damaged file of a run is mended, or refused by name", { timeout: 300_000 }, () => {
  expect(harness("damage", ["--cases", "24", "--seed", "7"])).toMatch(/^24 cases .*wrong: 0,/m);
});

test.each(["safetensors", "tokenizer", "jsonl", "yaml", "config"])(
  "a damaged or hostile file is read or refused: %s",
  (target) => {
    expect(harness("fuzz", ["--cases", "600", "--seed", "7", "--target", target])).toMatch(
      /^\w+: 600 cases, .*failures: 0;/m,
    );
  },
);
