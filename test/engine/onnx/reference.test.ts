/**
 * The engine against PyTorch and transformers: logits, loss, gradients, optimizer steps and greedy tokens dumped by
 * make_fixture.py.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Checkpoint, readCheckpoint } from "../../../src/engine/checkpoint/checkpoint.js";
import { SafetensorsFile } from "../../../src/engine/checkpoint/safetensors.js";
import type { OptimizerParams, TrainingExample } from "../../../src/engine/engine.js";
import { Device } from "../../../src/engine/onnx/device.js";
import { ModelWeights } from "../../../src/engine/onnx/model-weights.js";
import { openOnnxEngine } from "../../../src/engine/onnx/onnx-engine.js";
import { Trainer } from "../../../src/engine/onnx/trainer.js";
import { fullForward } from "./full-forward.js";

const FIXTURES = join(import.meta.dirname, "../../fixtures");

interface Expected {
  readonly batch: readonly { readonly tokens: readonly number[]; readonly completionStart: number }[];
  readonly loss: number;
  readonly gradientNorm: number;
  readonly adam?: readonly { readonly loss: number; readonly gradientNorm: number }[];
  readonly adamw?: readonly { readonly loss: number; readonly gradientNorm: number }[];
  readonly greedy: {
    readonly maxTokens: number;
    readonly continuations: readonly {
      readonly prompt: readonly number[];
      readonly tokens: readonly number[];
      readonly stop: string;
    }[];
  };
}

const expectedOf = (name: string) =>
  JSON.parse(readFileSync(join(FIXTURES, `${name}.expected.json`), "utf8")) as Expected;

const examplesOf = (expected: Expected): TrainingExample[] =>
  expected.batch.map((sequence, i) => ({ name: `sequence ${i}`, ...sequence }));

/** Largest |a − b| relative to the reference's largest value. */
function distance(actual: Float32Array | undefined, reference: Float32Array): number {
  expect(actual?.length).toBe(reference.length);
  let [difference, largest] = [0, 1e-6];
  for (let i = 0; i < reference.length; i++) {
    difference = Math.max(difference, Math.abs((actual?.[i] ?? Number.NaN) - reference[i]));
    largest = Math.max(largest, Math.abs(reference[i]));
  }
  return difference / largest;
}

const weightsOf = ({ config, weights }: Checkpoint) => ModelWeights.upload(new Device({ threads: 1 }), config, weights);

describe.each(["tiny-llama", "tiny-tied", "tiny-qwen2"])("%s beside transformers", (name) => {
  const expected = expectedOf(name);
  let checkpoint: Checkpoint;
  let reference: SafetensorsFile;

  beforeAll(async () => {
    checkpoint = await readCheckpoint(join(FIXTURES, name));
    reference = await SafetensorsFile.open(join(FIXTURES, `${name}.expected.safetensors`));
  });
  afterAll(() => reference.close());

  it("has the same logits at every position", async () => {
    for (const [i, { tokens }] of expected.batch.entries()) {
      const logits = await fullForward(weightsOf(checkpoint), tokens);
      expect(distance(logits, await reference.read(`logits.${i}`))).toBeLessThan(1e-5);
    }
  });

  it("has the same loss and the same gradient of every weight", async () => {
    const trainer = new Trainer(weightsOf(checkpoint));
    const { loss, gradients } = await trainer.lossAndGradients(examplesOf(expected));
    expect(loss).toBeCloseTo(expected.loss, 5);
    for (const weight of checkpoint.weights.keys()) {
      expect(
        distance(await gradients.get(weight)?.read(), await reference.read(`gradient.${weight}`)),
        weight,
      ).toBeLessThan(2e-5);
    }
    await trainer.close();
  });

  it("has the same gradient when the batch is split to fit memory", async () => {
    const trainer = new Trainer(weightsOf(checkpoint), 1);
    const { loss, gradients } = await trainer.lossAndGradients(examplesOf(expected));
    expect(loss).toBeCloseTo(expected.loss, 5);
    for (const weight of checkpoint.weights.keys()) {
      expect(
        distance(await gradients.get(weight)?.read(), await reference.read(`gradient.${weight}`)),
        weight,
      ).toBeLessThan(2e-5);
    }
    await trainer.close();
  });

  it("generates the same greedy tokens", async () => {
    const engine = await openOnnxEngine({ model: join(FIXTURES, name), threads: 1 });
    const { continuations, maxTokens } = expected.greedy;
    const requests = continuations.map(({ prompt }, i) => ({ name: `prompt ${i}`, prompt, seed: i }));
    let finished = 0;
    for await (const { index, tokens, stop } of engine.sample(requests, {
      prefix: [],
      temperature: 0,
      topP: 1,
      maxTokens,
      stop: [],
    })) {
      expect({ tokens, stop }).toEqual({ tokens: continuations[index]?.tokens, stop: continuations[index]?.stop });
      finished += 1;
    }
    expect(finished).toBe(continuations.length);
    await engine.close();
  });
});

describe("optimizer steps beside PyTorch", () => {
  const expected = expectedOf("tiny-llama");
  const common = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };
  const kinds: readonly OptimizerParams[] = [
    { kind: "adamw", ...common },
    { kind: "adam", ...common, maxGradientNorm: 1 },
  ];

  it.each(kinds)("three steps of $kind end at the same weights", async (params) => {
    const weights = weightsOf(await readCheckpoint(join(FIXTURES, "tiny-llama")));
    const reference = await SafetensorsFile.open(join(FIXTURES, "tiny-llama.expected.safetensors"));
    const trainer = new Trainer(weights);
    for (const [i, step] of (expected[params.kind] ?? []).entries()) {
      const result = await trainer.step(examplesOf(expected), params);
      expect(result.loss).toBeCloseTo(step.loss, 4);
      expect(result.gradientNorm).toBeCloseTo(step.gradientNorm, 4);
      for (const [name, array] of weights.arrays) {
        expect(
          distance(await array.read(), await reference.read(`${params.kind}.${i + 1}.${name}`)),
          name,
        ).toBeLessThan(1e-4);
      }
    }
    expect(trainer.moments.step).toBe(3);
    await trainer.close();
    await reference.close();
  });
});
