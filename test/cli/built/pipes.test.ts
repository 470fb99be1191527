import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { adastar, MAIN } from "./command.js";

const TINY_MODEL = fileURLToPath(new URL("../../fixtures/tiny-llama", import.meta.url));

test("generate --prompt - reads the prompt from standard input, line breaks included", async () => {
  const args = ["generate", "--model", TINY_MODEL, "--max-tokens", "8", "--seed", "3", "--json"];
  const typed = await adastar([...args, "--prompt", "Balance\n3"]);
  const piped = await adastar([...args, "--prompt", "-"], { input: "Balance\n3" });
  expect(piped.stdout).toBe(typed.stdout);
});

test("a reader that has had enough is no error", () => {
  // The reader is gone before the first byte is written.
  const script = `("${process.execPath}" "${MAIN}" methods --json; echo "code $?" >&2) | true`;
  const { stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
  expect(stderr).toBe("code 0\n");
});
