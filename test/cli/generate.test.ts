import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { openTask } from "../../src/tasks/registry.js";
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

describe("a run directory as the model", () => {
  const scratch = mkdtempSync(join(tmpdir(), "adastar-generate-"));
  afterAll(() => rmSync(scratch, { recursive: true }));
  const runDir = join(scratch, "run");
  const small = ["--iterations", "1", "--steps", "1", "--train-size", "8", "--test-size", "4"];

  test("is its best model, and a question takes the form of its task; eval measures it on its task", async () => {
    const run = await adastar(["run", ...small, "--run-dir", runDir, "--json"]);
    const { bestCheckpoint, bestAccuracy } = JSON.parse(run.stdout);
    const { test: questions, format } = await openTask({ task: "arithmetic" });
    const [{ question }] = questions;
    expect(run.stderr).toContain("generate --model");
    expect(run.stderr).toContain("--question");
    const asked = await adastar(["generate", "--model", runDir, "--question", question, "--json"]);
    const stop = format.stop.flatMap((text) => ["--stop", text]);
    const prompt = ["--prompt", format.prompt({ question }), "--greedy", ...stop];
    const prompted = await adastar(["generate", "--model", bestCheckpoint, ...prompt, "--json"]);
    expect(asked.code).toBe(0);
    expect(JSON.parse(asked.stdout)).toEqual(JSON.parse(prompted.stdout));
    const named = await adastar([
      "generate",
      "--model",
      bestCheckpoint,
      "--task",
      "arithmetic",
      "--question",
      question,
    ]);
    expect(named.stdout).toBe(`${JSON.parse(asked.stdout).text}\n`);

    const measured = await adastar(["eval", "--model", runDir, "--json"]);
    expect(JSON.parse(measured.stdout)).toMatchObject({ task: "arithmetic", accuracy: bestAccuracy, observations: 4 });
  }, 60_000);

  test("what cannot be asked is said", async () => {
    const both = await adastar(["generate", "--model", TINY_MODEL, "--prompt", "a", "--question", "b"]);
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining("either --prompt TEXT or --question TEXT")]);
    const formless = await adastar(["generate", "--model", TINY_MODEL, "--question", "b"]);
    expect([formless.code, formless.stderr]).toEqual([2, expect.stringContaining("expected --task NAME beside it")]);
    const chat = ["generate", "--model", TINY_MODEL, "--task", "arithmetic", "--chat", "--question", "b"];
    expect(await adastar(chat)).toMatchObject({ code: 2, stderr: expect.stringContaining("which has none") });
  });
});
