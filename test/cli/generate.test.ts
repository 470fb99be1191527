import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { adastar } from "./in-process.js";

const TINY_MODEL = fileURLToPath(new URL("../fixtures/tiny-llama", import.meta.url));

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

  test("the seed decides what is sampled, temperature 0 leaves nothing to decide", async () => {
    const sampled: string[] = [];
    for (const seed of ["1", "1", "2"])
      sampled.push((await generate("--prompt", "Balance", "--seed", seed, "--json")).stdout);
    expect(sampled[0]).toBe(sampled[1]);
    expect(sampled[0]).not.toBe(sampled[2]);
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
