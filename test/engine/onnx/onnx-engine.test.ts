/** The engine's contract on a small random Llama, and what only this engine promises. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCheckpoint } from "../../../src/engine/checkpoint/checkpoint.js";
import type { Sample, SampleRequest, SamplingParams } from "../../../src/engine/engine.js";
import { Device } from "../../../src/engine/onnx/device.js";
import { ModelWeights } from "../../../src/engine/onnx/model-weights.js";
import { type OnnxEngine, openOnnxEngine } from "../../../src/engine/onnx/onnx-engine.js";
import { greedyToken } from "../../../src/engine/onnx/sampler.js";
import { describeEngine } from "../conformance.js";
import { fullForward } from "./full-forward.js";

const TINY = join(import.meta.dirname, "../../fixtures/tiny-llama");
const END = 0;

const sequence = (length: number, seed: number) =>
  Array.from({ length }, (_, i) => 3 + ((seed * 31 + i * i * 7 + i) % 58));

describeEngine("the ONNX engine", async () => ({
  open: () => openOnnxEngine({ model: TINY, threads: 1 }),
  prompts: [sequence(1, 1), sequence(5, 2), sequence(9, 3), sequence(16, 4)],
  prefix: sequence(6, 5),
  examples: [
    { name: "first", tokens: [...sequence(14, 6), END], completionStart: 5 },
    { name: "second", tokens: [...sequence(6, 7), END], completionStart: 1 },
    { name: "third", tokens: [...sequence(20, 8), END], completionStart: 15 },
  ],
  optimizer: { kind: "adam", learningRate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
  memorizeSteps: 60,
  maxTokens: 24,
  tolerance: { loss: 1e-5, samples: 0.05 },
}));

describe("the ONNX engine", () => {
  let engine: OnnxEngine;
  let folder: string;
  const greedy: SamplingParams = { prefix: [], temperature: 0, topP: 1, maxTokens: 30, stop: [] };
  const requests = (count: number): SampleRequest[] =>
    Array.from({ length: count }, (_, i) => ({
      name: `request ${i}`,
      prompt: sequence(1 + (i % 17), i),
      seed: 1000 + i,
    }));

  beforeAll(async () => {
    engine = await openOnnxEngine({ model: TINY, threads: 1, slots: 64 });
    folder = await mkdtemp(join(tmpdir(), "adastar-onnx-"));
  });
  afterAll(async () => {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function collect(
    from: OnnxEngine,
    wanted: readonly SampleRequest[],
    params: SamplingParams,
  ): Promise<Sample[]> {
    const samples: Sample[] = [];
    for await (const sample of from.sample(wanted, params)) samples[sample.index] = sample;
    return samples;
  }

  it("writes with its cache what the full forward pass would write", async () => {
    const { config, weights } = await readCheckpoint(TINY);
    const model = ModelWeights.upload(new Device({ threads: 1 }), config, weights);
    for (const [i, { tokens, stop }] of (await collect(engine, requests(6), greedy)).entries()) {
      const written = [...tokens, ...(stop === "end" ? [END] : [])];
      const whole = [...(requests(6)[i]?.prompt ?? []), ...written];
      const logits = await fullForward(model, whole);
      const choices = written.map((_, place) => {
        const row = whole.length - written.length + place - 1;
        return greedyToken(logits.subarray(row * config.vocabularySize, (row + 1) * config.vocabularySize));
      });
      expect(choices).toEqual(written);
    }
  });

  it("gives the same tokens for 1, 7 and 64 slots: greedy exactly, sampled up to rounding", async () => {
    const narrow = await openOnnxEngine({ model: TINY, threads: 1, slots: 1 });
    const odd = await openOnnxEngine({ model: TINY, threads: 1, slots: 7 });
    const tokens = async (from: OnnxEngine, params: SamplingParams) =>
      (await collect(from, requests(40), params)).map((sample) => sample.tokens);
    const wide = await tokens(engine, greedy);
    expect(await tokens(narrow, greedy)).toEqual(wide);
    expect(await tokens(odd, greedy)).toEqual(wide);
    const sampled = { ...greedy, temperature: 1, topP: 0.9, prefix: sequence(11, 77) };
    const wideSampled = await tokens(engine, sampled);
    for (const other of [await tokens(narrow, sampled), await tokens(odd, sampled)]) {
      const differing = other.filter((own, i) => JSON.stringify(own) !== JSON.stringify(wideSampled[i])).length;
      expect(differing).toBeLessThanOrEqual(2); // of 40: a draw that falls within rounding of a boundary
    }
    await narrow.close();
    await odd.close();
  });

  it("grows its cache, refills slots and shrinks the batch without losing a sequence", async () => {
    const few = await openOnnxEngine({ model: TINY, threads: 1, slots: 5 });
    const short = requests(23).map((request) => ({ ...request, prompt: request.prompt.slice(0, 3) }));
    const samples = await collect(few, short, { ...greedy, temperature: 1.2, maxTokens: 60 });
    expect(samples.map(({ index }) => index)).toEqual(short.map((_, i) => i));
    const lengths = samples.map(({ generatedTokens }) => generatedTokens);
    expect(Math.max(...lengths)).toBe(60);
    expect(new Set(lengths).size).toBeGreaterThan(5);
    await few.close();
  });

  it("saves checkpoints in bfloat16 when asked to", async () => {
    const rounded = await openOnnxEngine({ model: TINY, threads: 1, checkpointType: "bfloat16" });
    await rounded.save({ folder: join(folder, "rounded"), name: "rounded" });
    const { dtype, weights } = await readCheckpoint(join(folder, "rounded"));
    expect(dtype).toBe("bfloat16");
    const { weights: exact } = await readCheckpoint(TINY);
    const [a, b] = [weights.get("model.norm.weight"), exact.get("model.norm.weight")];
    expect(a?.every((value, i) => Math.abs(value - (b?.[i] ?? 0)) <= Math.abs(value) / 256)).toBe(true);
    await rounded.close();
  });

  it("saves the base model's own type when nothing is asked for, and restores float32 bit for bit", async () => {
    const half = await openOnnxEngine({ model: join(TINY, "../tiny-tied"), threads: 1 });
    const example = { name: "x", tokens: [...sequence(8, 1), END], completionStart: 2 };
    const params = {
      kind: "adam",
      learningRate: 1e-3,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0,
    } as const;
    await half.trainStep([example], params);
    const trained = await half.checksum();
    const saved = await half.save({ folder: join(folder, "half"), name: "half" });
    expect((await readCheckpoint(join(folder, "half"))).dtype).toBe("bfloat16");
    await half.reset();
    expect(await half.checksum()).not.toBe(trained);
    await half.restore(saved);
    expect(await half.checksum()).toBe(trained);
    await half.close();
  });

  it("refuses token ids that the model does not have, naming the request", async () => {
    const foreign = { name: "train[3] (q-3)", prompt: [4, 61], seed: 1 };
    await expect(collect(engine, [foreign], greedy)).rejects.toThrow(
      /token ids below 61 in train\[3\] \(q-3\), got 61/,
    );
  });

  it("stops before an update when the loss is not finite, and keeps the weights", async () => {
    const broken = await openOnnxEngine({ model: TINY, threads: 1 });
    const example = { name: "x", tokens: [...sequence(8, 1), END], completionStart: 2 };
    const wild = { kind: "adam", learningRate: 1e30, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
    await broken.trainStep([example], wild);
    const before = await broken.checksum();
    await expect(broken.trainStep([example], wild)).rejects.toThrow(/finite training loss/);
    expect(await broken.checksum()).toBe(before);
    await broken.close();
  });
});
