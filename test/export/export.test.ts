import { readFileSync } from "node:fs";
import { parquetReadObjects } from "hyparquet";
import { beforeAll, expect, test } from "vitest";
import { RunReader } from "../../src/run/directory/reader.js";
import { adastar } from "../cli/in-process.js";
import { freshDir } from "../run/small-run.js";

const dir = freshDir();
beforeAll(async () => {
  const sizes = ["--train-size", "40", "--test-size", "10", "--steps", "3", "--batch-size", "4", "--iterations", "2"];
  expect((await adastar(["run", "--engine", "scripted", ...sizes, "--run-dir", dir])).code).toBe(0);
});

async function rows(...flags: readonly string[]): Promise<Record<string, unknown>[]> {
  const { code, stdout } = await adastar(["export", dir, ...flags]);
  expect(code).toBe(0);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("D₊ with questions, in its order", async () => {
  const run = RunReader.open(dir);
  const kept = [1, 2].flatMap((iteration) => [...run.kept(iteration)].map((sample) => ({ iteration, ...sample })));
  const exported = await rows("--kept");
  expect(exported.map(({ iteration, id, attempt }) => [iteration, id, attempt])).toEqual(
    kept.map(({ iteration, id, attempt }) => [iteration, id, attempt]),
  );
  for (const { question, text, answer } of exported) {
    expect(question).toMatch(/\?$/);
    expect(text).toContain(String(answer));
  }
});

test("conversations to train on: a user's question, the model's own right answer, each once", async () => {
  const conversations = await rows("--format", "sft");
  const kept = await rows("--kept");
  const pairs = new Set(kept.map(({ question, text }) => JSON.stringify([question, text])));
  expect(conversations).toHaveLength(pairs.size);
  for (const conversation of conversations) {
    expect(Object.keys(conversation)).toEqual(["messages"]);
    const [user, assistant] = conversation["messages"] as { role: string; content: string }[];
    expect([user.role, assistant.role]).toEqual(["user", "assistant"]);
    expect(pairs.has(JSON.stringify([user.content, assistant.content]))).toBe(true);
  }
});

test("Parquet and CSV have what JSON Lines have", async () => {
  const path = `${dir}-samples.parquet`;
  expect((await adastar(["export", dir, "--samples", "--format", "parquet", "--out", path])).code).toBe(0);
  const bytes = readFileSync(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const samples = await rows("--samples");
  expect(await parquetReadObjects({ file })).toEqual(samples);
  expect(samples.some(({ correct }) => correct === true)).toBe(true);

  const frequencies = await rows("--frequencies");
  expect(frequencies).toHaveLength(40);
  expect(frequencies.reduce((total, { times_trained }) => total + Number(times_trained), 0)).toBeGreaterThan(0);

  const csv = `${dir}-curve.csv`;
  expect((await adastar(["export", dir, "--curve", "--format", "csv", "--out", csv])).code).toBe(0);
  const curve = await rows("--curve");
  const [header, ...lines] = readFileSync(csv, "utf8").trim().split("\n");
  expect(header).toBe(Object.keys(curve[0]).join(","));
  expect(lines.map((line) => Number(line.split(",")[1]))).toEqual(curve.map((row) => row["test_accuracy"]));
});

test("what cannot be is refused", async () => {
  const refused = [
    [["--kept", "--curve"], "--kept and --curve"],
    [["--samples", "--format", "sft"], "expected --kept, got --samples"],
    [["--format", "parquet"], "expected --out"],
    [["--out", `${dir}/none/x.jsonl`], "expected a file that can be written"],
  ] as const;
  for (const [flags, message] of refused) {
    const { code, stderr } = await adastar(["export", dir, ...flags]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  }
});
