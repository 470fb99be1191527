import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { resolveConfig } from "../../../src/run/config/config.js";
import type { RunConfig } from "../../../src/run/config/fields.js";
import { checkTask } from "../../../src/run/oneshot/check-task.js";
import { bundledModel } from "../../../src/run/open-engine.js";

const MODEL = fileURLToPath(new URL("../../fixtures/tiny-llama", import.meta.url));

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "adastar-check-task-"));
  const lines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).join("\n");
  const train = [
    { question: "one?", answer: "yes" },
    { question: "one and two?", answer: "no" },
  ];
  writeFileSync(join(root, "train.jsonl"), lines(train));
  writeFileSync(join(root, "test.jsonl"), lines([{ question: "three?", answer: "yes" }]));
  writeFileSync(join(root, "examples.jsonl"), lines([{ question: "two?", rationale: "It is two.", answer: "yes" }]));
});
afterAll(() => rmSync(root, { recursive: true }));

function check(settings: Partial<RunConfig>) {
  const values = { data: root, verifier: "yes-no", exemplars: join(root, "examples.jsonl"), maxTokens: 5, ...settings };
  return checkTask(resolveConfig([{ source: "test", folder: root, values }]).config);
}

const total = (lengths: ReadonlyMap<number, number>) => [...lengths.values()].reduce((sum, count) => sum + count, 0);

test("lengths are those that a run counts: worked examples, hints and the generation included", async () => {
  const { lengths, problems } = await check({ model: MODEL });
  expect([lengths.unit, total(lengths.train), total(lengths.test), problems]).toEqual(["tokens", 2, 1, []]);
  const zeroShot = Math.max(...lengths.train.keys());
  const hinted = lengths.context?.longest;
  expect(hinted).toMatchObject({ split: "train", index: 1 });
  const plain = await check({ model: MODEL, rationalize: false });
  const bare = await check({ model: MODEL, rationalize: false, fewShot: 0 });
  const needed = [bare, plain].map((one) => one.lengths.context?.longest.tokens ?? 0);
  // 5 tokens to generate and one to end.
  expect(needed[0]).toBe(zeroShot + 6);
  expect(needed[1]).toBeGreaterThan(needed[0] ?? 0);
  expect(hinted?.tokens).toBeGreaterThan(needed[1] ?? 0);
});

test("prompts are shown as the model gets them", async () => {
  const plain = await check({});
  expect(plain.prompts).toEqual({
    zeroShot: "Q: one?\nA:",
    fewShot: "Q: two?\nA: It is two. The answer is yes.\n\nQ: one?\nA:",
    hinted:
      "Q: two?\nHint: The answer is yes.\nA: It is two. The answer is yes.\n\nQ: one?\nHint: The answer is yes.\nA:",
  });
  const model = join(root, "chat-model");
  cpSync(MODEL, model, { recursive: true });
  writeFileSync(
    join(model, "chat_template.jinja"),
    "{% for m in messages %}[{{ m.role }}] {{ m.content }}<end>{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}",
  );
  const chat = await check({ model, chat: true });
  expect(chat.prompts?.zeroShot).toMatch(/^\[user\] .*one\?.*<end>\[assistant\]$/s);
  expect(chat.prompts?.fewShot).toMatch(/^\[user\] .*two\?.*<end>\[assistant\] It is two\..*<end>\[user\] .*one\?/s);
  expect(chat.prompts?.hinted).toMatch(/one\?.*Hint: The answer is yes/s);
});

test("chat asks for a model that has a chat form", async () => {
  await expect(check({ model: MODEL, chat: true })).rejects.toThrow(/expected a checkpoint with a chat template/);
});

test("text that the model cannot write is an error where the model was asked for, and counted in words where not", async () => {
  await expect(check({ model: bundledModel() })).rejects.toThrow(
    /expected text that the tokenizer of .* has tokens for/,
  );
  expect((await check({})).lengths).toEqual({
    unit: "words",
    train: new Map([
      [3, 1],
      [5, 1],
    ]),
    test: new Map([[3, 1]]),
    context: null,
  });
});
