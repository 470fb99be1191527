/**
 * Every model family against PyTorch and transformers, on the tiny checkpoints of make_families.py: logits, loss,
 * gradients, three optimizer steps, greedy tokens with and without a shared prefix, and what is saved.
 */

import { readFileSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseModelConfig, readModelConfig, toConfigText } from "../../../src/engine/checkpoint/config-json.js";
import { FAMILIES } from "../../../src/engine/checkpoint/families/index.js";
import type { ModelConfig } from "../../../src/engine/checkpoint/model-config.js";
import { SafetensorsFile } from "../../../src/engine/checkpoint/safetensors.js";
import { storedTensors } from "../../../src/engine/checkpoint/tensors.js";
import { readWeights, type Weights } from "../../../src/engine/checkpoint/weights.js";
import type { TrainingExample } from "../../../src/engine/engine.js";
import { Device } from "../../../src/engine/onnx/device.js";
import { ModelWeights } from "../../../src/engine/onnx/model-weights.js";
import { openOnnxEngine } from "../../../src/engine/onnx/onnx-engine.js";
import { Trainer } from "../../../src/engine/onnx/trainer.js";
import { readArrays } from "../../../src/engine/onnx/weight-arrays.js";
import { fullForward } from "./full-forward.js";

const FIXTURES = join(import.meta.dirname, "../../fixtures");
const NAMES = [
  ...["llama-biases", "mistral-window", "qwen2-window", "qwen3", "gemma", "gemma2", "gemma3", "phi3", "smollm3"],
  ...["olmo2", "granite", "ministral", "ministral3"],
];

interface Expected {
  readonly batch: readonly { readonly tokens: readonly number[]; readonly completionStart: number }[];
  readonly loss: number;
  readonly gradientNorm: number;
  readonly adamw: readonly { readonly loss: number; readonly gradientNorm: number }[];
  readonly greedy: {
    readonly maxTokens: number;
    readonly continuations: readonly { readonly prompt: readonly number[]; readonly tokens: readonly number[] }[];
  };
}

/** Largest |a − b| relative to the reference's largest value. */
function distance(actual: Float32Array, reference: Float32Array): number {
  expect(actual.length).toBe(reference.length);
  const largest = reference.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
  return actual.reduce((most, value, i) => Math.max(most, Math.abs(value - reference[i])), 0) / largest;
}

/** A file's tensors from the model's: where a family fuses matrices, one above the other. */
function stored(config: ModelConfig, values: ReadonlyMap<string, Float32Array>): [string, Float32Array][] {
  return storedTensors(config).map(({ name, parts }) => [
    name,
    Float32Array.from(parts.flatMap((part) => [...(values.get(part.name) ?? [])])),
  ]);
}

/** The weights on a device, which takes them over. */
function uploaded(config: ModelConfig, weights: Weights): ModelWeights {
  return ModelWeights.upload(new Device({ threads: 1 }), config, weights);
}

describe.each(NAMES)("%s beside transformers", (name) => {
  const expected = JSON.parse(readFileSync(join(FIXTURES, "families", `${name}.expected.json`), "utf8")) as Expected;
  const examples: TrainingExample[] = expected.batch.map((sequence, i) => ({ name: `sequence ${i}`, ...sequence }));
  let folder = "";
  let config: ModelConfig;
  let weights: Weights;
  let reference: SafetensorsFile;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "adastar-family-"));
    const model = join(folder, "model");
    await cp(join(FIXTURES, "families", name), model, { recursive: true });
    for (const file of ["tokenizer.json", "tokenizer_config.json"]) {
      await cp(join(FIXTURES, "tiny-llama", file), join(model, file));
    }
    config = (await readModelConfig(model)).config;
    weights = (await readWeights(model, config)).weights;
    reference = await SafetensorsFile.open(join(FIXTURES, "families", `${name}.expected.safetensors`));
  });
  afterAll(async () => {
    await reference.close();
    await rm(folder, { recursive: true });
  });

  it("has the same logits at every position", async () => {
    for (const [i, { tokens }] of expected.batch.entries()) {
      const logits = await fullForward(uploaded(config, weights), tokens);
      expect(distance(logits, await reference.read(`logits.${i}`))).toBeLessThan(1e-5);
    }
  });

  it("has the same loss and the same gradient of every weight", async () => {
    const trainer = new Trainer(uploaded(config, weights));
    const { loss, gradients } = await trainer.lossAndGradients(examples);
    expect(loss).toBeCloseTo(expected.loss, 4);
    for (const [tensor, gradient] of stored(config, await readArrays(gradients))) {
      expect(distance(gradient, await reference.read(`gradient.${tensor}`)), tensor).toBeLessThan(5e-5);
    }
    await trainer.close();
  });

  it("ends at the same weights after three steps of AdamW", async () => {
    const model = uploaded(
      config,
      new Map([...weights].map(([tensor, values]) => [tensor, Float32Array.from(values)])),
    );
    const trainer = new Trainer(model);
    const common = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };
    for (const step of expected.adamw) {
      const result = await trainer.step(examples, { kind: "adamw", ...common });
      expect(result.loss).toBeCloseTo(step.loss, 3);
      expect(result.gradientNorm / step.gradientNorm).toBeCloseTo(1, 4);
    }
    for (const [tensor, values] of stored(config, await model.read())) {
      expect(distance(values, await reference.read(`adamw.3.${tensor}`)), tensor).toBeLessThan(2e-4);
    }
    await trainer.close();
  });

  it("generates the same greedy tokens, also behind a shared prefix", async () => {
    const engine = await openOnnxEngine({ model: join(folder, "model"), threads: 1 });
    const { continuations, maxTokens } = expected.greedy;
    const params = { temperature: 0, topP: 1, maxTokens, stop: [] };
    const requests = continuations.map(({ prompt }, i) => ({ name: `prompt ${i}`, prompt, seed: i }));
    for await (const { index, tokens } of engine.sample(requests, { ...params, prefix: [] })) {
      expect(tokens, `prompt ${index}`).toEqual(continuations[index].tokens);
    }
    for (const { prompt, tokens } of continuations) {
      // Two at once, so that the prefix meets the queries of several sequences.
      const prefix = prompt.slice(0, Math.ceil(prompt.length / 2));
      const rest = { prompt: prompt.slice(prefix.length), seed: 1 };
      const twice = [
        { name: "first", ...rest },
        { name: "second", ...rest, prompt: [...rest.prompt, tokens[0]] },
      ];
      for await (const sample of engine.sample(twice, { ...params, maxTokens: maxTokens - 1, prefix })) {
        expect(sample.tokens).toEqual(sample.index === 0 ? tokens.slice(0, -1) : tokens.slice(1));
      }
    }
    await engine.close();
  });

  it("is saved as transformers saved it: same tensors, same type, same bytes", async () => {
    const engine = await openOnnxEngine({ model: join(folder, "model"), threads: 1 });
    await engine.save({ folder: join(folder, "saved"), name: "saved" });
    const [original, saved] = await Promise.all(
      ["model", "saved"].map((dir) => SafetensorsFile.open(join(folder, dir, "model.safetensors"))),
    );
    expect(new Map(saved.tensors)).toEqual(
      new Map(
        [...original.tensors].map(([key, info]) => [
          key,
          expect.objectContaining({ name: info.name, dtype: info.dtype, shape: info.shape }),
        ]),
      ),
    );
    for (const tensor of original.tensors.keys()) {
      expect(await saved.read(tensor), tensor).toEqual(await original.read(tensor));
    }
    await original.close();
    await saved.close();
    const before = await engine.checksum();
    await engine.trainStep(examples, {
      ...{ kind: "adamw", learningRate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
    });
    const trained = await engine.checksum();
    expect(trained).not.toBe(before);
    const saving = await engine.save({ folder: join(folder, "saved"), name: "saved" }, { optimizer: true });
    await engine.reset();
    expect(await engine.checksum()).toBe(before);
    await engine.restore(saving);
    expect(await engine.checksum()).toBe(trained);
    await engine.close();
  });

  it("has a config.json that its record writes as it was read", () => {
    const written = toConfigText(config, "float32", 1);
    expect(parseModelConfig(JSON.parse(written), null, "/m")).toEqual(config);
    // transformers takes these as floats only.
    for (const [line] of written.matchAll(/^.*_logit_softcapping.*$/gm)) expect(line).toMatch(/: (null|\d+\.\d+),?$/);
  });
});

it("leaves no family untested", async () => {
  const tested = await Promise.all(
    ["tiny-llama", ...NAMES.map((name) => join("families", name))].map(
      async (dir) => (await readModelConfig(join(FIXTURES, dir))).config.family,
    ),
  );
  expect(FAMILIES.map(({ type }) => type).filter((type) => !tested.includes(type))).toEqual([]);
});

it("has every family in docs/models.md, and no other", () => {
  const text = readFileSync(join(FIXTURES, "../../docs/models.md"), "utf8");
  const rows = [...text.matchAll(/^\| `(\w+)`/gm)].map(([, type]) => type);
  expect(rows.sort()).toEqual(FAMILIES.map(({ type }) => type).sort());
});
