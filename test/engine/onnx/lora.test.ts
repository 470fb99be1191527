/** LoRA: beside PEFT (make_lora_fixture.py), the engine's contract with an adapter, dropout, and folders. */

import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readAdapterConfig, readAdapterWeights } from "../../../src/engine/checkpoint/adapter-files.js";
import { type Checkpoint, readCheckpoint } from "../../../src/engine/checkpoint/checkpoint.js";
import type { Lora } from "../../../src/engine/checkpoint/lora.js";
import { SafetensorsFile } from "../../../src/engine/checkpoint/safetensors.js";
import type { OptimizerParams, TrainingExample } from "../../../src/engine/engine.js";
import { Adapter } from "../../../src/engine/onnx/adapter.js";
import { Device } from "../../../src/engine/onnx/device.js";
import { fillMask } from "../../../src/engine/onnx/dropout.js";
import { ModelWeights } from "../../../src/engine/onnx/model-weights.js";
import { type OnnxEngine, openOnnxEngine } from "../../../src/engine/onnx/onnx-engine.js";
import { Trainer } from "../../../src/engine/onnx/trainer.js";
import { describeEngine } from "../conformance.js";
import { fullForward } from "./full-forward.js";

const FIXTURES = join(import.meta.dirname, "../../fixtures");
const BASE = join(FIXTURES, "tiny-llama");
const PEFT = join(FIXTURES, "tiny-lora");
const END = 0;
const ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] as const;
const lora: Lora = { rank: 8, alpha: 16, dropout: 0, targets: ALL };

const sequence = (length: number, seed: number) =>
  Array.from({ length }, (_, i) => 3 + ((seed * 31 + i * i * 7 + i) % 58));
const examples: TrainingExample[] = [
  { name: "first", tokens: [...sequence(14, 6), END], completionStart: 5 },
  { name: "second", tokens: [...sequence(6, 7), END], completionStart: 1 },
  { name: "third", tokens: [...sequence(20, 8), END], completionStart: 15 },
];
const adam: OptimizerParams = {
  kind: "adam",
  learningRate: 1e-2,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
};

describeEngine("the ONNX engine with an adapter", async () => ({
  open: () => openOnnxEngine({ model: BASE, threads: 1, lora, seed: 3 }),
  prompts: [sequence(1, 1), sequence(5, 2), sequence(9, 3), sequence(16, 4)],
  prefix: sequence(6, 5),
  examples,
  optimizer: adam,
  memorizeSteps: 60,
  maxTokens: 24,
  tolerance: { loss: 1e-5, samples: 0.05 },
}));

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

describe("an adapter beside PEFT", () => {
  const device = new Device({ threads: 1 });
  let base: Checkpoint;
  let reference: SafetensorsFile;
  let own: Lora;
  let expected: {
    readonly batch: readonly { readonly tokens: readonly number[]; readonly completionStart: number }[];
    readonly steps: readonly { readonly loss: number; readonly gradientNorm: number }[];
    readonly parameters: number;
  };
  beforeAll(async () => {
    base = await readCheckpoint(BASE);
    own = (await readAdapterConfig(PEFT)).lora;
    reference = await SafetensorsFile.open(join(FIXTURES, "tiny-lora.expected.safetensors"));
    expected = JSON.parse(await readFile(join(FIXTURES, "tiny-lora.expected.json"), "utf8"));
  });
  afterAll(() => reference.close());

  const batch = () => expected.batch.map((row, i) => ({ name: `sequence ${i}`, ...row }));
  const names = () => [...reference.tensors.keys()].flatMap((name) => /^start\.(.*)/.exec(name)?.[1] ?? []);
  async function started(): Promise<ModelWeights> {
    const values = await Promise.all(
      names().map(async (name) => [name, await reference.read(`start.${name}`)] as const),
    );
    const adapter = new Adapter(device, base.config, own, new Map(values));
    return ModelWeights.upload(device, base.config, base.weights, adapter);
  }

  it("has the same loss and gradients, and none of frozen weights, also where the batch is split", async () => {
    for (const bytes of [undefined, 1]) {
      const trainer = new Trainer(await started(), bytes);
      const { loss, gradients } = await trainer.lossAndGradients(batch());
      expect(loss).toBeCloseTo(expected.steps[0].loss, 5);
      expect([...gradients.keys()].sort()).toEqual(names().sort());
      for (const [name, gradient] of gradients) {
        const found = distance(await gradient.read(), await reference.read(`gradient.${name}`));
        expect(found, name).toBeLessThan(2e-5);
      }
      await trainer.close();
    }
  });

  it("ends three steps of AdamW at the same adapter, and the base stays as it is", async () => {
    const weights = await started();
    const frozen = new Map([...base.weights].map(([name, values]) => [name, values.slice()]));
    const trainer = new Trainer(weights);
    for (const [i, step] of expected.steps.entries()) {
      const result = await trainer.step(batch(), { ...adam, kind: "adamw", weightDecay: 0.01 });
      expect(result.loss).toBeCloseTo(step.loss, 4);
      expect(result.gradientNorm).toBeCloseTo(step.gradientNorm, 4);
      for (const [name, array] of weights.trainable) {
        const found = distance(await array.read(), await reference.read(`adamw.${i + 1}.${name}`));
        expect(found, name).toBeLessThan(1e-4);
      }
    }
    expect(await weights.read()).toEqual(frozen);
    await trainer.close();
  });

  it("merges PEFT's folder as merge_and_unload does, with the same logits", async () => {
    const adapter = new Adapter(device, base.config, own, await readAdapterWeights(PEFT, base.config, own));
    const merged = await ModelWeights.upload(device, base.config, base.weights, adapter).merged();
    const changed = [...reference.tensors.keys()].flatMap((name) => /^merged\.(.*)/.exec(name)?.[1] ?? []);
    expect(changed.length).toBe(8);
    for (const name of changed) {
      expect(distance(await merged.array(name).read(), await reference.read(`merged.${name}`)), name).toBeLessThan(
        1e-6,
      );
    }
    for (const [i, { tokens }] of expected.batch.entries()) {
      expect(distance(await fullForward(merged, tokens), await reference.read(`logits.${i}`))).toBeLessThan(1e-5);
    }
  });

  it("counts the adapter's parameters as PEFT does", async () => {
    const engine = await openOnnxEngine({ model: BASE, threads: 1, lora: own });
    const whole = await openOnnxEngine({ model: BASE, threads: 1 });
    expect(engine.model.trainableParameters).toBe(expected.parameters);
    expect(engine.model.parameters).toBe(whole.model.parameters + expected.parameters);
    expect(engine.model.nonEmbeddingParameters).toBe(whole.model.nonEmbeddingParameters + expected.parameters);
    await engine.close();
    await whole.close();
  });

  it("writes what PEFT writes: the same names, shapes and types, and the same settings", async () => {
    const folder = await mkdtemp(join(tmpdir(), "adastar-lora-"));
    const engine = await openOnnxEngine({ model: BASE, threads: 1, lora: own });
    await engine.restore({ folder: PEFT, weights: "" });
    await engine.save({ folder, name: "x" });
    expect(await readFile(join(folder, "adapter_model.safetensors"))).toEqual(
      await readFile(join(PEFT, "adapter_model.safetensors")),
    );
    const [ours, theirs] = await Promise.all(
      [folder, PEFT].map(async (dir) => JSON.parse(await readFile(join(dir, "adapter_config.json"), "utf8"))),
    );
    const { base_model_name_or_path, target_modules, ...settings } = ours;
    expect(theirs).toMatchObject(settings);
    expect(target_modules.toSorted()).toEqual(theirs.target_modules.toSorted());
    expect(base_model_name_or_path).toBe(BASE);
    await engine.close();
    await rm(folder, { recursive: true });
  });
});

describe("an engine with an adapter", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "adastar-lora-"));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const dropping = { ...lora, dropout: 0.3 };
  const open = (more: Partial<Lora> = {}, seed = 1) =>
    openOnnxEngine({ model: BASE, threads: 1, lora: { ...lora, ...more }, seed });
  const canary = (engine: OnnxEngine) => engine.canary(sequence(5, 2));

  it("begins as its base, with first values that follow from the seed", async () => {
    const engines = await Promise.all([open({}, 1), open({}, 1), open({}, 2)]);
    const whole = await openOnnxEngine({ model: BASE, threads: 1 });
    expect(await canary(engines[0])).toEqual(await canary(whole));
    const [first, again, other] = await Promise.all(engines.map((engine) => engine.checksum()));
    expect(first).toBe(again);
    expect(first).not.toBe(other);
    expect(first).not.toBe(await whole.checksum());
    for (const engine of [...engines, whole]) await engine.close();
  });

  it("drops inputs by the step's key alone", async () => {
    const engine = await open(dropping);
    const trained = async (seeds: readonly number[]) => {
      await engine.reset();
      for (const seed of seeds) await engine.trainStep(examples, adam, { seed });
      return engine.checksum();
    };
    const first = await trained([5, 6]);
    expect(await trained([5, 6])).toBe(first);
    expect(await trained([5, 7])).not.toBe(first);
    await engine.close();
  });

  it("continues a saved training bit for bit, with dropout, in another engine", async () => {
    const engine = await open(dropping);
    await engine.trainStep(examples, adam, { seed: 1 });
    const saved = await engine.save({ folder: join(folder, "half"), name: "half" }, { optimizer: true });
    await engine.trainStep(examples, adam, { seed: 2 });
    const whole = await engine.checksum();
    await engine.close();
    const other = await open(dropping);
    await other.restore(saved);
    expect(await other.checksum()).toBe(saved.weights);
    await other.trainStep(examples, adam, { seed: 2 });
    expect(await other.checksum()).toBe(whole);
    await other.close();
  });

  it("saves a folder that opens by itself as the model that was trained", async () => {
    const engine = await open();
    for (let step = 0; step < 3; step++) await engine.trainStep(examples, adam);
    const { folder: saved } = (await engine.save({ folder: join(folder, "own"), name: "own" })) as { folder: string };
    const reopened = await openOnnxEngine({ model: saved, threads: 1 });
    expect(await canary(reopened)).toEqual(await canary(engine));
    await reopened.trainStep(examples, adam);
    await reopened.reset();
    expect(await canary(reopened)).toEqual(await canary(engine));
    await reopened.close();
    await engine.close();
    await expect(openOnnxEngine({ model: saved, lora })).rejects.toThrow(
      /whole model to put an adapter on.*merge it into its base first/,
    );
  });

  it("refuses adapters of other shapes, features that it does not compute, and bases that are gone", async () => {
    const engine = await open({ rank: 2 });
    const before = await engine.checksum();
    await expect(engine.restore({ folder: PEFT, weights: "" })).rejects.toThrow(
      /adapter of rank 2, .*got one of rank 4/,
    );
    await expect(engine.restore({ folder: BASE, weights: "" })).rejects.toThrow(/got no adapter_config\.json/);
    expect(await engine.checksum()).toBe(before);
    await engine.close();
    const changed = async (name: string, change: Record<string, unknown>) => {
      const copy = join(folder, name);
      await cp(PEFT, copy, { recursive: true });
      const path = join(copy, "adapter_config.json");
      await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), ...change }));
      return openOnnxEngine({ model: copy });
    };
    await expect(changed("dora", { base_model_name_or_path: BASE, use_dora: true })).rejects.toThrow(/use_dora/);
    await expect(changed("gone", { base_model_name_or_path: "/no/such/model" })).rejects.toThrow(
      /base model of the adapter .* at \/no\/such\/model, got nothing there/,
    );
  });
});

it("masks keep the stated share, and differ by key, part and stream", () => {
  const mask = (...key: readonly [number, number, number]) => {
    const values = new Float32Array(100_003);
    fillMask(values, 0.1, ...key);
    return values;
  };
  const first = mask(2 ** 40 + 1, 0, 0);
  const kept = first.reduce((sum, value) => sum + value, 0) / first.length;
  expect(Math.abs(kept - 0.9)).toBeLessThan(5 * Math.sqrt((0.9 * 0.1) / first.length));
  expect(mask(2 ** 40 + 1, 0, 0)).toEqual(first);
  for (const other of [mask(1, 0, 0), mask(2 ** 40 + 1, 1, 0), mask(2 ** 40 + 1, 0, 1)])
    expect(other).not.toEqual(first);
});
