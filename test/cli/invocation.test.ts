import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { commandName, shellWord } from "../../src/cli/invocation.js";

const folder = mkdtempSync(join(tmpdir(), "adastar-invocation-"));
afterAll(() => rmSync(folder, { recursive: true }));

function folderWithCommand(...path: string[]): string {
  const bin = join(folder, ...path);
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "adastar"), "");
  return bin;
}

describe("the command that a hint names", () => {
  test("is adastar where the shell finds it", () => {
    const PATH = ["/usr/bin", folderWithCommand("bin")].join(delimiter);
    expect(commandName({ PATH }, "linux")).toBe("adastar");
  });

  test("is npx adastar in a clone or project: only npm puts its folder on the PATH", () => {
    const PATH = [folderWithCommand("node_modules", ".bin"), "/usr/bin"].join(delimiter);
    expect(commandName({ PATH }, "linux")).toBe("npx adastar");
    expect(commandName({}, "linux")).toBe("npx adastar");
  });
});

test.each([
  ["runs/a-1", "linux", "runs/a-1"],
  ["my runs/it's", "linux", "'my runs/it'\\''s'"],
  ["C:\\runs\\a", "win32", "C:\\runs\\a"],
  ["C:\\my runs", "win32", '"C:\\my runs"'],
] as const)("quotes %s for the shell of %s", (word, platform, quoted) => {
  expect(shellWord(word, platform)).toBe(quoted);
});
