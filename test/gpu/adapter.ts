/** Suites that need a WebGPU adapter, and models of one node for them. */

import { InferenceSession } from "onnxruntime-node";
import { describe } from "vitest";
import { Graph } from "../../src/engine/onnx/graph/graph.js";

/** Floats in the inputs and outputs of `plusOne`. */
const SIZE = 8;

/** y = a + 1 and z = 10 · a, for a of SIZE floats. */
export function plusOne() {
  const g = new Graph();
  const a = g.input("a", [SIZE]);
  const y = g.output(g.add(a, g.scalar(1)));
  const z = g.output(g.mul(a, g.scalar(10)));
  return { model: g.encode(), y: y.name, z: z.name };
}

/** Why this machine cannot use WebGPU; null where it can. */
const problem: string | null = await InferenceSession.create(plusOne().model, {
  executionProviders: ["webgpu"],
  logSeverityLevel: 4,
}).then(
  async (session) => {
    await session.release();
    return null;
  },
  (error: Error) => error.message.split("\n")[0],
);

/** A suite that is skipped, with the reason in its title, where there is no adapter. */
export function describeOnAdapter(title: string, suite: () => void): void {
  if (problem === null) describe(title, suite);
  else
    describe.skip(`${title} (skipped: no WebGPU adapter; test/gpu/software-driver.sh sets one up; ${problem})`, suite);
}
