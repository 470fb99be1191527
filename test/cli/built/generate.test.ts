import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { adastar, MAIN } from "./command.js";

const TINY_MODEL = fileURLToPath(new URL("../../fixtures/tiny-llama", import.meta.url));

describe("generate", () => {
  const generate = (...args: string[]) => adastar(["generate", "--model", TINY_MODEL, "--max-tokens", "8", ...args]);

  test("--json is one line with the new tokens, their text and why it ended", async () => {
    const { code, stdout, stderr } = await generate("--prompt", "Balance 3", "--greedy", "--json");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^\{.*\}\n$/);
    const result = JSON.parse(stdout);
    expect(Object.keys(result)).toEqual(["tokens", "text", "stop"]);
    expect(result.tokens.length).toBeLessThanOrEqual(8);
    expect(["end", "length"]).toContain(result.stop);
    expect((await generate("--prompt", "Balance 3", "--greedy")).stdout).toBe(`${result.text}\n`);
  });

  test("- reads the prompt from standard input, line breaks included", async () => {
    const args = ["generate", "--model", TINY_MODEL, "--max-tokens", "8", "--seed", "3", "--json"];
    const typed = await adastar([...args, "--prompt", "Balance\n3"]);
    const piped = await adastar([...args, "--prompt", "-"], { input: "Balance\n3" });
    expect(piped.stdout).toBe(typed.stdout);
  });

  test("the seed decides what is sampled, temperature 0 leaves nothing to decide", async () => {
    const sampled = await Promise.all(
      ["1", "1", "2"].map((seed) => generate("--prompt", "Balance", "--seed", seed, "--json")),
    );
    expect(sampled[0]?.stdout).toBe(sampled[1]?.stdout);
    expect(sampled[0]?.stdout).not.toBe(sampled[2]?.stdout);
    const greedy = await generate("--prompt", "Balance", "--greedy", "--json");
    expect((await generate("--prompt", "Balance", "--temperature", "0", "--seed", "5", "--json")).stdout).toBe(
      greedy.stdout,
    );
  });

  test("stops before a stop text", async () => {
    const whole = JSON.parse((await generate("--prompt", "Balance", "--greedy", "--json")).stdout);
    const stop = whole.text.slice(1, 2);
    const stopped = JSON.parse((await generate("--prompt", "Balance", "--greedy", "--stop", stop, "--json")).stdout);
    expect(stopped).toMatchObject({ text: whole.text.slice(0, whole.text.indexOf(stop)), stop: "stop" });
  });

  test("more than the context holds is refused", async () => {
    const { code, stderr } = await generate("--prompt", "Balance ".repeat(500));
    expect(code).toBe(2);
    expect(stderr).toMatch(/--prompt/);
  });
});

test("a reader that has had enough is no error", () => {
  // The reader is gone before the first byte is written.
  const script = `("${process.execPath}" "${MAIN}" methods --json; echo "code $?" >&2) | true`;
  const { stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
  expect(stderr).toBe("code 0\n");
});
