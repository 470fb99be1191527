/** Logits [length, V] of every position of one sequence, by the forward half of the training graph. */

import { EMBEDDING } from "../../../src/engine/checkpoint/tensors.js";
import { floatData } from "../../../src/engine/onnx/device.js";
import type { ModelWeights } from "../../../src/engine/onnx/model-weights.js";
import { pack } from "../../../src/engine/onnx/packing.js";
import { EMBEDDING_TABLE, packedForward } from "../../../src/engine/onnx/training-graph.js";

export async function fullForward(weights: ModelWeights, tokens: readonly number[]): Promise<Float32Array> {
  const { config, device } = weights;
  const { g, logits } = packedForward(config);
  g.output(logits);
  const session = await device.compile(g.encode());
  // The last token of an example is only a target, so any token does.
  const { feeds } = pack(config, [{ name: "whole", tokens: [...tokens, 0], completionStart: 1 }], 1);
  const arrays = Object.fromEntries([...weights.arrays].map(([name, { value }]) => [name, value]));
  if (!config.tiedHead) delete arrays[EMBEDDING];
  const inputs = { ...feeds, ...arrays, [EMBEDDING_TABLE]: weights.array(EMBEDDING).value };
  const results = await session.run(inputs, { [logits.name]: null });
  await session.close();
  return floatData(results[logits.name]);
}
