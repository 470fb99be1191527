import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adastar } from "./in-process.js";

const FIXTURES = fileURLToPath(new URL("../fixtures/", import.meta.url));
const DATA = fileURLToPath(new URL("../../../shared/data/", import.meta.url));

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "adastar-check-"));
});
afterAll(() => rm(root, { recursive: true }));

async function folder(train: readonly object[], tested: readonly object[]): Promise<string> {
  const path = await mkdtemp(join(root, "set-"));
  const lines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).join("\n");
  await writeFile(join(path, "train.jsonl"), lines(train));
  await writeFile(join(path, "test.jsonl"), lines(tested));
  return path;
}

const row = (question: string, answer: string) => ({ question, answer });
const check = (...args: string[]) => adastar(["tasks", "check", ...args]);

describe("a task that is ready", () => {
  test("the default task, with lengths in the starter model's tokens", async () => {
    const { code, stdout, stderr } = await check("arithmetic", "--train-size", "30", "--test-size", "10");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^training +30 observations$/m);
    expect(stdout).toMatch(/^gold answers verified +40 of 40$/m);
    expect(stdout).toMatch(/^context of starter +\d+ tokens: all fit$/m);
    expect(stdout).toMatch(/^ *tokens +training +test$/m);
    expect(stdout.match(/^── .* ──$/gm)).toEqual([
      "── zero-shot prompt ──",
      "── with worked examples ──",
      "── with worked examples and the answer as a hint ──",
    ]);
  });

  test("one that the starter model cannot write, with lengths in words", async () => {
    const { code, stdout } = await check("gsm8k", "--data", join(FIXTURES, "data/gsm8k"));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^training +3 observations from .*main.train-00000-of-00001\.parquet$/m);
    expect(stdout).toMatch(/Zero-shot prompts by length, in words[\s\S]*Give --model for lengths in its tokens/);
    expect(stdout).toMatch(/Q: Ann has 3 shells and finds 3 more\. How many has she\?\nHint: The answer is 6\.\nA:/);
  });

  test("--json is one line of numbers", async () => {
    const data = await folder([row("1+1?", "2"), row("1+1?", "2"), row("2+2?", "4")], [row("1+1?", "2")]);
    const { code, stdout, stderr } = await check("jsonl", "--data", data, "--json");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toBe('{"task":"jsonl","rows":4,"goldVerified":4,"wrongAccepted":0,"duplicates":1}\n');
    const told = await check("jsonl", "--data", data);
    expect(told.stdout).toMatch(/^repeated questions +1 in training, 0 in test$/m);
    expect(told.stdout).toMatch(/^test questions in training +1$/m);
    expect(told.stdout).toMatch(
      /^note +answers are compared by the verifier number: all 3 gold answers looked at are/m,
    );
  });
});

describe("a task that is not ready ends with 2 and says why", () => {
  test("rows that are no observations: all of them, and the rest is checked", async () => {
    const data = await folder([row("a", "1"), row("b", ""), row("c", "x")], [row("d", "4"), { answer: "5" }]);
    const { code, stdout, stderr } = await check("jsonl", "--data", data, "--json");
    expect(code).toBe(2);
    expect(stdout).toBe('{"task":"jsonl","rows":5,"goldVerified":2,"wrongAccepted":0,"duplicates":0}\n');
    expect(stderr).toMatch(/train\.jsonl, row 2: expected a text in "answer"/);
    expect(stderr).toMatch(/train\.jsonl, row 3: expected a number/);
    expect(stderr).toMatch(/test\.jsonl, row 2: expected a column "question"/);
    expect(stderr).toMatch(
      /adastar: expected task jsonl to be ready for a run, got: 3 rows are not valid observations\n$/,
    );
    expect((await check("jsonl", "--data", data)).stdout).toMatch(/^refused +3 rows$/m);
  });

  test("nothing but such rows", async () => {
    const { code, stdout, stderr } = await check("jsonl", "--data", await folder([row("b", "")], []));
    expect(code).toBe(2);
    expect(stdout).toMatch(/^gold answers verified +0 of 1$/m);
    expect(stderr).toMatch(/there is no training observation; there is no test observation; 1 rows are not valid/);
  });

  test("a verifier that accepts too much and too little, by row", async () => {
    const data = await folder([row("a", "1"), row("b", "2")], [row("c", "3")]);
    const module = join(root, "verify.mjs");
    await writeFile(module, 'export const verify = (output) => output.includes("2");\n');
    const { code, stdout, stderr } = await check("jsonl", "--data", data, "--verifier", module, "--json");
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ rows: 3, goldVerified: 1, wrongAccepted: 4 });
    expect(stderr).toMatch(/train\.jsonl, row 1 \(1\): expected correct for the answer 1 \(gold 1\), got /);
    expect(stderr).toMatch(/test\.jsonl, row 1 \(1\): expected wrong for the answer 2 \(gold 3\), got strict correct/);
    expect(stderr).toMatch(/2 gold answers do not verify; 4 wrong answers are accepted/);
  });

  test("prompts that exceed the context", async () => {
    const model = join(FIXTURES, "tiny-llama");
    const data = await folder([row("a", "1"), row("b ".repeat(400), "2")], [row("c", "3")]);
    const { code, stdout, stderr } = await check("jsonl", "--data", data, "--model", model, "--max-tokens", "10");
    expect(stdout).toMatch(/^context of tiny-llama +\d+ tokens: 1 do not fit$/m);
    expect(stdout).toMatch(/^longest with generation +\d+ tokens \(.*train\.jsonl, row 2\)$/m);
    expect([code, stderr]).toEqual([2, expect.stringContaining("1 prompts exceed the model's context")]);
  });

  test.each<[string, string[], RegExp]>([
    ["without a task", [], /missing required argument 'task'/],
    ["an unknown task", ["gsm9k"], /expected one of arithmetic, .*got "gsm9k"/],
    ["an unknown flag", ["gsm8k", "--dta", "x"], /unknown option '--dta'/],
    ["no such data", ["gsm8k", "--data", "/nowhere"], /expected a file or folder, got "\/nowhere"/],
    ["a model that is none", ["arithmetic", "--model", "/nowhere"], /expected .*\/nowhere/],
  ])("%s", async (_, args, message) => {
    const { code, stdout, stderr } = await check(...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
  });
});

describe("the command's place", () => {
  test("the list and its --json stay as they are", async () => {
    expect((await adastar(["tasks"])).stdout).toMatch(/^gsm8k /m);
    expect(JSON.parse((await adastar(["tasks", "--json"])).stdout)[0].name).toBe("arithmetic");
    expect((await adastar(["tasks", "chekc"])).stderr).toMatch(/unknown command 'chekc'|too many arguments/);
  });

  test("help has examples", async () => {
    const { code, stdout } = await check("--help");
    expect([code, stdout]).toEqual([0, expect.stringMatching(/Examples:\n {2}\$ adastar tasks check gsm8k/)]);
  });
});

test.skipIf(!existsSync(join(DATA, "svamp")))(`a public set is ready (needs ${DATA}svamp)`, async () => {
  const { code, stdout } = await check("svamp", "--data", join(DATA, "svamp"), "--json");
  expect([code, stdout]).toEqual([
    0,
    '{"task":"svamp","rows":1000,"goldVerified":1000,"wrongAccepted":0,"duplicates":0}\n',
  ]);
});
