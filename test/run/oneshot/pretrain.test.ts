/** The starter model's making in miniature: the same code and recipe, a smaller model and fewer steps. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readCheckpoint } from "../../../src/engine/checkpoint/checkpoint.js";
import { weightsDigest } from "../../../src/engine/checkpoint/weights.js";
import { UserError } from "../../../src/errors.js";
import { type PretrainProgress, pretrain } from "../../../src/run/oneshot/pretrain.js";
import { type PretrainOptions, STARTER_RECIPE } from "../../../src/run/oneshot/starter-recipe.js";
import { bundledModel } from "../../../src/run/open-engine.js";
import { generatedFormat, pretrainingExamples } from "../../../src/tasks/generated/family.js";
import { FAMILIES } from "../../../src/tasks/registry.js";

const folder = mkdtempSync(join(tmpdir(), "adastar-pretrain-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SMALL: PretrainOptions = {
  ...STARTER_RECIPE,
  steps: 160,
  batchSize: 8,
  warmupSteps: 5,
  width: 32,
  layers: 2,
  heads: 2,
  mlpWidth: 48,
  threads: 1,
};

async function made(name: string, options: PretrainOptions) {
  const progress: PretrainProgress[] = [];
  await pretrain(join(folder, name), options, (step) => progress.push(step));
  const { weights } = await readCheckpoint(join(folder, name));
  return { losses: progress.map(({ loss }) => loss), digest: weightsDigest(weights) };
}

describe("pretrain", () => {
  test("learns, and makes the same model of the same seed", async () => {
    const { losses, digest } = await made("once", SMALL);
    const mean = (part: readonly number[]) => part.reduce((sum, loss) => sum + loss, 0) / part.length;
    expect(losses).toHaveLength(160);
    expect(mean(losses.slice(-5))).toBeLessThan(mean(losses.slice(0, 5)) - 1);
    expect((await made("again", SMALL)).digest).toBe(digest);
    expect((await made("two threads", { ...SMALL, threads: 2 })).digest).toBe(digest);
    expect((await made("other seed", { ...SMALL, seed: 2 })).digest).not.toBe(digest);
  });

  test("makes a model for the given task", async () => {
    await pretrain(join(folder, "clock"), { ...SMALL, task: "clock", steps: 1 });
    const { tokenizer } = await readCheckpoint(join(folder, "clock"));
    const text = "Q: 9:40 c +35 d -50?";
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    await expect(pretrain(join(folder, "none"), { ...SMALL, task: "svamp" })).rejects.toThrow(
      'expected a generated task: arithmetic, clock, got "svamp"',
    );
  });

  test("refuses a width that the heads cannot share, before anything is written", async () => {
    await expect(pretrain(join(folder, "odd"), { ...SMALL, width: 30, heads: 4 })).rejects.toThrow(UserError);
    await expect(readCheckpoint(join(folder, "odd"))).rejects.toThrow(UserError);
  });
});

describe.each(FAMILIES)("the bundled starter model of $name", (family) => {
  test("has the recipe's sizes, and its tokenizer writes whatever the task writes", async () => {
    const { config, tokenizer } = await readCheckpoint(bundledModel(family.starter));
    const { width, layers, heads, mlpWidth, contextLength } = STARTER_RECIPE;
    expect(config).toMatchObject({ width, layers, heads, mlpWidth, contextLength });
    expect(config.vocabularySize).toBe(family.vocabulary.length + 2);
    for (const example of pretrainingExamples(family, 3, 200)) {
      const text = generatedFormat.prompt(example) + generatedFormat.completion(example.rationale, example.answer);
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    }
  });
});
