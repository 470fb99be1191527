/**
 * The engine's contract, and what it takes for granted of a server, against a real one. Skipped unless
 * `npm run test:tinker` names one. On a CPU a new shape takes SkyRL up to a minute.
 */

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { OptimizerParams, TrainingExample } from "../../../src/engine/engine.js";
import { keyFromEnvironment } from "../../../src/engine/tinker/connection.js";
import { readPromptModel } from "../../../src/engine/tinker/prompt-model.js";
import { openTinkerEngine, type TinkerEngine } from "../../../src/engine/tinker/tinker-engine.js";
import { describeEngine } from "../conformance.js";
import { LOSSY_EXCEPTIONS } from "./exceptions.js";

const { ADASTAR_TINKER_URL: url, ADASTAR_TINKER_MODEL: model = "", ADASTAR_TINKER_RANK: rank = "8" } = process.env;

vi.setConfig({ testTimeout: 3_600_000, hookTimeout: 3_600_000 });

const OPTIMIZER: OptimizerParams = {
  kind: "adam",
  learningRate: 2e-3,
  beta1: 0.9,
  // SkyRL keeps Adam's settings in the model's type; in bfloat16, 0.999 is 1.
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0,
};

const open = (): Promise<TinkerEngine> =>
  openTinkerEngine({
    model,
    server: { url: url ?? "", allowHttp: false, key: keyFromEnvironment() },
    serverModel: null,
    adapter: { rank: Number(rank), seed: 1 },
    maxInFlight: 16,
  });

async function examples(): Promise<TrainingExample[]> {
  const { tokenizer } = await readPromptModel(model, Number(rank));
  return [
    ["Q: 2 + 3?\nA:", " 2 plus 3 is 5. The answer is 5."],
    ["Q: 7 - 4?\nA:", " The answer is 3."],
    ["Q: Tom has 4 pens and buys 5 more. How many has he?\nA:", " 4 + 5 = 9. The answer is 9."],
  ].map(([prompt, completion], i) => {
    const before = [...tokenizer.startTokens, ...tokenizer.encode(prompt)];
    const tokens = [...before, ...tokenizer.encode(completion), tokenizer.endTokens[0]];
    return { name: `example ${i}`, tokens, completionStart: before.length };
  });
}

describe.skipIf(url === undefined)("a real server", () => {
  describeEngine(
    "the Tinker engine on a real server",
    async () => {
      const { tokenizer } = await readPromptModel(model, Number(rank));
      const encode = (text: string) => [...tokenizer.startTokens, ...tokenizer.encode(text)];
      return {
        open,
        prompts: ["Once", "The capital of France is", "2 + 2 =", "A cat and a dog went to"].map(encode),
        prefix: encode("Some text.\n"),
        examples: await examples(),
        optimizer: OPTIMIZER,
        memorizeSteps: 40,
        maxTokens: 12,
        tolerance: { loss: 1e-2, samples: 0.2 },
      };
    },
    { skip: LOSSY_EXCEPTIONS },
  );

  describe("what the engine takes for granted", () => {
    let engine: TinkerEngine;
    beforeAll(async () => {
      engine = await open();
    });
    afterAll(() => engine.close());

    it("a step lowers the loss, and the server says how long the gradient is", async () => {
      const batch = await examples();
      const first = await engine.trainStep(batch, OPTIMIZER);
      const second = await engine.trainStep(batch, OPTIMIZER);
      expect(second.loss).toBeLessThan(first.loss);
      expect(first.gradientNorm).toBeGreaterThan(0);
    });

    it("an update without gradients and with betas of 0 forgets the moments, and leaves the weights alone", async () => {
      const batch = await examples();
      const prompt = batch[0].tokens;
      const trained = async () => {
        for (let step = 0; step < 2; step++) await engine.trainStep(batch, OPTIMIZER);
        return engine.canary(prompt);
      };
      await engine.reset();
      const fresh = await trained();
      await engine.reset();
      const base = await engine.canary(prompt);
      for (let step = 0; step < 3; step++) await engine.trainStep(batch, { ...OPTIMIZER, learningRate: 0 });
      await engine.resetOptimizer();
      expect(await engine.canary(prompt)).toEqual(base);
      const reset = await trained();
      for (const [i, value] of reset.entries()) expect(Math.abs(value - fresh[i])).toBeLessThan(0.05);
    });

    it("weights that were saved are there in another session", async () => {
      const batch = await examples();
      await engine.trainStep(batch, OPTIMIZER);
      const saved = await engine.save({ folder: "/nowhere", name: "kept" }, { optimizer: true });
      const canary = await engine.canary(batch[0].tokens);
      const other = await open();
      try {
        await other.restore(saved);
        const found = await other.canary(batch[0].tokens);
        for (const [i, value] of found.entries()) {
          expect(Math.abs(value - canary[i])).toBeLessThanOrEqual(engine.capabilities.canaryTolerance);
        }
      } finally {
        await other.close();
      }
    });
  });
});
