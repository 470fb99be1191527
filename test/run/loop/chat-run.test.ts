/**
 * Runs on a checkpoint with a chat template, and with worked examples from a file: a tiny random Llama whose babble a
 * verifier likes at times.
 */

import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { openOnnxEngine } from "../../../src/engine/onnx/onnx-engine.js";
import type { RunConfig } from "../../../src/run/config/fields.js";
import type { DrawnSample } from "../../../src/run/directory/records.js";
import { readSealedLog } from "../../../src/run/directory/sealed-log.js";
import { resumeRun, startRun } from "../../../src/run/loop/runner.js";
import type { Task } from "../../../src/tasks/task.js";
import { smallConfig } from "../small-run.js";

const root = mkdtempSync(join(tmpdir(), "adastar-chat-"));
afterAll(() => rmSync(root, { recursive: true }));
const plain = fileURLToPath(new URL("../../fixtures/tiny-llama", import.meta.url));
const model = join(root, "model");
cpSync(plain, model, { recursive: true });
const template = join(model, "chat_template.jinja");
const TEMPLATE =
  "{% for m in messages %}<pad>{{ m.content }}<end>{% endfor %}{% if add_generation_prompt %}<pad>{% endif %}";
writeFileSync(template, TEMPLATE);
const exemplars = join(root, "exemplars.jsonl");
writeFileSync(exemplars, '{"question":"7+2?","rationale":"c","answer":"9"}\n');

const task: Task = {
  name: "babble",
  description: "short sums for a model with a short context",
  train: Array.from({ length: 12 }, (_, i) => ({ id: `sum-${i}`, question: `${i}+1?`, answer: `${i + 1}` })),
  test: [{ id: "sum-20", question: "20+1?", answer: "21" }],
  format: {
    prompt: ({ question }) => question,
    hintedPrompt: ({ question, answer }) => `${question}${answer}`,
    completion: (rationale, answer) => ` ${rationale}=${answer}`,
    separator: ", ",
    stop: [],
  },
  exemplars: [],
  verifier: {
    canonical: (answer) => answer,
    verify: (output) => {
      const found = output.length % 2 === 0 ? "correct" : "wrong";
      return { strict: found, lenient: found, extracted: null };
    },
  },
  maxTokens: 24,
  rationalize: true,
};

const settings: Partial<RunConfig> = {
  engine: "onnx",
  model,
  iterations: 2,
  batchSize: 2,
  steps: 2,
  samplingBatch: 4,
  threads: 1,
  chat: true,
  exemplars,
};
const quiet = () => {};

test("a chat model is sampled, trained and evaluated in its own form, and keeps it", async () => {
  const { runDir, checkpoint } = await startRun(smallConfig(settings), quiet, { task });
  const samples = readSealedLog<DrawnSample>(join(runDir, "iterations", "0001", "samples.jsonl"));
  const engine = await openOnnxEngine({ model, threads: 1 });
  try {
    const { tokenizer } = engine;
    // One worked example: <pad>7+2?<end><pad>c=9<end>.
    const shared = tokenizer.encode("<pad>7+2?<end><pad>c=9<end>").length;
    const asked = tokenizer.encode("<pad>3+1?<end><pad>").length;
    for (const { prefixTokens, promptTokens, hinted, observation } of samples) {
      expect(prefixTokens).toBe(hinted ? shared + 1 : shared);
      if (!hinted && observation < 10) expect(promptTokens).toBe(asked);
    }
    expect(readFileSync(join(checkpoint, "chat_template.jinja"), "utf8")).toBe(TEMPLATE);
  } finally {
    await engine.close();
  }
}, 60_000);

test("a run resumes only with the same template and the same examples", async () => {
  const config = smallConfig(settings);
  const controller = new AbortController();
  await startRun(config, ({ kind }) => kind === "iteration" && controller.abort(), { task, signal: controller.signal });
  const resume = () => resumeRun(config.runDir ?? "", quiet, { task });
  for (const [path, other] of [
    [template, TEMPLATE.replace("content }}", "content }}!")],
    [exemplars, '{"question":"7+1?","rationale":"c","answer":"8"}\n'],
  ] as const) {
    const content = readFileSync(path);
    writeFileSync(path, other);
    await expect(resume()).rejects.toThrow(/expected the observations and prompts/);
    writeFileSync(path, content);
  }
  expect(await resume()).toMatchObject({ status: "done", iterations: 2 });
}, 60_000);

test("a checkpoint without a template cannot chat, and nothing is written", async () => {
  const config = smallConfig({ ...settings, model: plain });
  await expect(startRun(config, quiet, { task })).rejects.toThrow(
    /^chat: expected a checkpoint with a chat template .*tiny-llama/,
  );
  expect(existsSync(config.runDir ?? "")).toBe(false);
});

test("no more worked examples than the file has", async () => {
  const config = smallConfig({ ...settings, fewShot: 2 });
  await expect(startRun(config, quiet, { task })).rejects.toThrow(
    /fewShot: expected at most the 1 worked examples that .*exemplars\.jsonl has, got 2/,
  );
});
