/** An update is elementwise: its bits depend neither on threads nor on how weights are cut into pieces. */

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { uniform } from "../../../src/algorithm/random.js";
import { readCheckpoint } from "../../../src/engine/checkpoint/checkpoint.js";
import { weightsDigest } from "../../../src/engine/checkpoint/weights.js";
import type { OptimizerParams } from "../../../src/engine/engine.js";
import { Device } from "../../../src/engine/onnx/device.js";
import { ModelWeights } from "../../../src/engine/onnx/model-weights.js";
import { Optimizer } from "../../../src/engine/onnx/optimizer.js";

const TINY = join(import.meta.dirname, "../../fixtures/tiny-llama");
const PARAMS = { learningRate: 1e-2, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1 };

/** The digest after three updates by random gradients. */
async function digestAfter(threads: number, params: OptimizerParams, piece?: number): Promise<string> {
  const { config, weights } = await readCheckpoint(TINY);
  const model = ModelWeights.upload(new Device({ threads }), config, weights);
  const optimizer = new Optimizer(model, piece);
  const gradients = model.zeros();
  for (let step = 0; step < 3; step++) {
    for (const array of gradients.values()) array.upload(array.host.map((_, i) => uniform(step, i) - 0.5));
    await optimizer.update(gradients, params, 0.3);
  }
  await optimizer.close();
  return weightsDigest(await model.read());
}

describe.each(["adam", "adamw"] as const)("%s", (kind) => {
  it("gives the same bits with 1 and 2 threads, in whole weights and in pieces of 7 numbers", async () => {
    const params = { kind, ...PARAMS };
    const expected = await digestAfter(1, params);
    expect(await digestAfter(2, params)).toBe(expected);
    expect(await digestAfter(2, params, 7)).toBe(expected);
    expect(await digestAfter(1, { ...params, weightDecay: 0 })).not.toBe(expected);
  });
});
