/**
 * What the pinned runtime's WebGPU provider gets wrong, each as a test: the device module is written around these
 * facts. A test that fails after an upgrade of the runtime means that a fact has changed and its workaround can be
 * reviewed.
 */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, it } from "vitest";
import { Graph } from "../../src/engine/onnx/graph/graph.js";
import { describeOnAdapter, plusOne } from "./adapter.js";

/** Runs a trap in a process of its own: how it ended and what it said. */
function run(trap: string) {
  const { model, y, z } = plusOne();
  const script = join(import.meta.dirname, "child.mjs");
  const { status, stdout } = spawnSync(process.execPath, [script, trap, Buffer.from(model).toString("base64"), y, z], {
    encoding: "utf8",
    timeout: 100_000,
  });
  const said = stdout.split("\n").filter((line) => line !== "");
  return { status, said: said.map((line): unknown => JSON.parse(line)) };
}

it("the runtime is the version whose traps are known", () => {
  const require = createRequire(import.meta.url);
  const { version } = JSON.parse(readFileSync(require.resolve("onnxruntime-node/package.json"), "utf8")) as {
    version: string;
  };
  expect(version).toMatch(/^1\.30\./);
});

describeOnAdapter("traps of the WebGPU runtime", () => {
  it("getData() of a device tensor ends the process", () => {
    const { status, said } = run("download");
    expect(said).toEqual(["gpu-buffer"]);
    expect(status).not.toBe(0);
  });

  it("data of a device tensor throws", () => {
    expect(run("data").said).toEqual(["threw"]);
  });

  it("a CPU session takes a device tensor and reads something else", () => {
    const { said } = run("cpu session");
    expect(said[0]).not.toBe(6);
  });

  it("an output's given place is used without a preferred location and ignored with one", () => {
    expect(run("fetch").said).toEqual([[6, 100]]);
  });

  it("a misspelt option is refused directly and ignored among the extra ones; no GPU can be chosen", () => {
    expect(run("options").said).toEqual([["refused", "accepted", "refused", "refused"]]);
  });

  it("a disposed device tensor is refused", () => {
    expect(run("disposed").said).toEqual(["threw"]);
  });

  it("two threads with sessions at once end the process", () => {
    expect(run("threads").said).toEqual([]);
  });

  it("the second output of the RMS norm is not 1/rms", async () => {
    const g = new Graph();
    const normed = g.rmsNorm(g.input("x", [4, 16]), g.input("w", [16]), 1e-5);
    const inverse = g.applications[0].saved[0];
    g.output(normed);
    g.output(inverse);
    const x = new Tensor(
      "float32",
      Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)),
      [4, 16],
    );
    const w = new Tensor("float32", new Float32Array(16).fill(1), [16]);
    const outputs = async (provider: string) => {
      const session = await InferenceSession.create(g.encode(), {
        executionProviders: [provider],
        logSeverityLevel: 4,
      });
      const results = await session.run({ x, w });
      return [results[normed.name].data[0], results[inverse.name].data[0]].map(Number);
    };
    const [cpu, webgpu] = [await outputs("cpu"), await outputs("webgpu")];
    expect(webgpu[0]).toBeCloseTo(cpu[0], 4);
    expect(Math.abs(webgpu[1] - cpu[1])).toBeGreaterThan(0.5);
  });
});
