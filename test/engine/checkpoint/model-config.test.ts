import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  parseModelConfig,
  readModelConfig as readBoth,
  toConfigJson,
} from "../../../src/engine/checkpoint/config-json.js";
import {
  expectedTensors,
  nonEmbeddingParameterCount,
  parameterCount,
  ropeTables,
} from "../../../src/engine/checkpoint/model-config.js";
import { SafetensorsFile } from "../../../src/engine/checkpoint/safetensors.js";
import { UserError } from "../../../src/errors.js";

const fixtures = join(import.meta.dirname, "../../fixtures");

const readModelConfig = async (dir: string) => (await readBoth(dir)).config;

const llama = {
  model_type: "llama",
  vocab_size: 100,
  hidden_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  intermediate_size: 37,
  hidden_act: "silu",
  rms_norm_eps: 1e-5,
  max_position_embeddings: 64,
  rope_theta: 5000,
  tie_word_embeddings: false,
  eos_token_id: 3,
};
const parse = (changes: object, generation: unknown = null) =>
  parseModelConfig({ ...llama, ...changes }, generation, "/m");

describe("parseModelConfig", () => {
  it("reads the fixtures as transformers wrote them", async () => {
    expect(await readModelConfig(join(fixtures, "tiny-llama"))).toEqual({
      modelType: "llama",
      vocabularySize: 61,
      width: 24,
      layers: 2,
      heads: 6,
      keyValueHeads: 2,
      headDim: 6,
      mlpWidth: 37,
      ropeTheta: 5000,
      ropeScaling: null,
      normEpsilon: 1e-5,
      contextLength: 64,
      tiedHead: false,
      attentionBias: false,
      startToken: null,
      endTokens: [0],
    });
    const tied = await readModelConfig(join(fixtures, "tiny-tied"));
    expect(tied).toMatchObject({
      ropeTheta: 700,
      keyValueHeads: 1,
      tiedHead: true,
      endTokens: [0, 7],
      width: 21,
      headDim: 8,
    });
    const qwen2 = await readModelConfig(join(fixtures, "tiny-qwen2"));
    expect(qwen2).toMatchObject({ modelType: "qwen2", attentionBias: true, headDim: 4, contextLength: 48 });
  });

  it("takes each family's defaults for absent fields", () => {
    const { num_key_value_heads: _, max_position_embeddings: __, rope_theta: ___, rms_norm_eps: ____, ...bare } = llama;
    const defaults = parseModelConfig(bare, null, "/m");
    expect(defaults).toMatchObject({
      keyValueHeads: 6,
      headDim: 4,
      contextLength: 2048,
      ropeTheta: 10000,
      normEpsilon: 1e-6,
    });
    const mistral = parseModelConfig(
      { ...bare, model_type: "mistral", hidden_size: 64, num_attention_heads: 8 },
      null,
      "/m",
    );
    expect(mistral).toMatchObject({ keyValueHeads: 8, contextLength: 4096 });
  });

  it("ends the context where a sliding window would begin to matter", () => {
    expect(parse({ model_type: "mistral", sliding_window: 32 }).contextLength).toBe(32);
    expect(parse({ model_type: "mistral", sliding_window: null }).contextLength).toBe(64);
    expect(parse({ model_type: "qwen2", sliding_window: 32, use_sliding_window: false }).contextLength).toBe(64);
    expect(parse({ model_type: "qwen2", sliding_window: 32, use_sliding_window: true }).contextLength).toBe(32);
    const full = { sliding_window: 32, use_sliding_window: true, layer_types: ["full_attention", "full_attention"] };
    expect(parse({ model_type: "qwen2", ...full }).contextLength).toBe(64);
  });

  it("reads both spellings of the rotary settings", () => {
    const llama3 = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 32 };
    const scaling = {
      kind: "llama3",
      factor: 8,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      originalContextLength: 32,
    };
    expect(parse({ rope_scaling: { rope_type: "llama3", ...llama3 } })).toMatchObject({
      ropeTheta: 5000,
      ropeScaling: scaling,
    });
    expect(
      parse({ rope_parameters: { rope_type: "llama3", rope_theta: 7, ...llama3 }, rope_theta: undefined }),
    ).toMatchObject({
      ropeTheta: 7,
      ropeScaling: scaling,
    });
    expect(parse({ rope_scaling: { type: "linear", factor: 2 } }).ropeScaling).toEqual({ kind: "linear", factor: 2 });
    expect(parse({ rope_scaling: null }).ropeScaling).toBeNull();
  });

  it("prefers generation_config.json for the ids that end a generation", () => {
    expect(parse({}, { eos_token_id: [5, 3] }).endTokens).toEqual([5, 3]);
    expect(parse({}, { temperature: 1 }).endTokens).toEqual([3]);
    expect(parse({ eos_token_id: null }, null).endTokens).toEqual([]);
  });

  it.each<[string, object, RegExp]>([
    [
      "another architecture",
      { model_type: "gpt2" },
      /model_type of \/m\/config\.json .*"llama"\|"mistral"\|"qwen2", got "gpt2"/,
    ],
    ["another activation", { hidden_act: "gelu" }, /hidden_act of .*config\.json .* got "gelu"/],
    ["an odd head", { head_dim: 5 }, /head_dim of .* even.* got 5/],
    [
      "a width that is no multiple of the heads",
      { hidden_size: 25 },
      /hidden_size of .* multiple of num_attention_heads \(6\).* got 25/,
    ],
    [
      "heads that key/value heads do not divide",
      { num_key_value_heads: 4 },
      /num_attention_heads of .* multiple of the 4 .* got 6/,
    ],
    ["a missing size", { hidden_size: undefined }, /hidden_size of .* number, got nothing/],
    ["a size of 0", { num_hidden_layers: 0 }, /num_hidden_layers of .* to be >=1, got 0/],
    ["a huge vocabulary", { vocab_size: 2 ** 40 }, /vocab_size of .* got 1099511627776/],
    ["a size given as text", { intermediate_size: "37" }, /intermediate_size of .* got "37"/],
    [
      "a model beyond any machine",
      { vocab_size: 2 ** 24, hidden_size: 2 ** 20, head_dim: 128 },
      /at most .* parameters/,
    ],
    [
      "quantized weights",
      { quantization_config: { quant_method: "gptq" } },
      /unquantized weights, got a quantization_config/,
    ],
    ["biases in llama's attention", { attention_bias: true }, /attention_bias of .* got true/],
    ["biases in the mlp", { mlp_bias: true }, /mlp_bias of .* got true/],
    [
      "yarn",
      { rope_scaling: { rope_type: "yarn", factor: 4 } },
      /rope_scaling\.rope_type of .* default, linear or llama3, got "yarn"/,
    ],
    ["linear scaling with no factor", { rope_scaling: { type: "linear" } }, /rope_scaling\.factor in .* got none/],
    [
      "partly rotated heads",
      { rope_parameters: { partial_rotary_factor: 0.5 } },
      /rope_parameters\.partial_rotary_factor of .* got 0\.5/,
    ],
    [
      "an end token outside the vocabulary",
      { eos_token_id: 100 },
      /eos_token_id of .* below vocab_size \(100\), got 100/,
    ],
    ["an unknown kind of layer", { layer_types: ["linear_attention"] }, /layer_types\.0 of .* got "linear_attention"/],
  ])("refuses %s", (_, changes, message) => {
    expect(() => parse(changes)).toThrow(UserError);
    expect(() => parse(changes)).toThrow(message);
  });

  it("names the folder or the file when there is no config", async () => {
    await expect(readModelConfig(join(fixtures, "nowhere"))).rejects.toThrow(
      /checkpoint folder at .*nowhere, got no config\.json/,
    );
    expect(() => parse({}, { eos_token_id: "x" })).toThrow(/eos_token_id of \/m\/generation_config\.json/);
  });
});

describe("expectedTensors", () => {
  it.each(["tiny-llama", "tiny-tied"])("lists exactly what transformers wrote for %s", async (name) => {
    const config = await readModelConfig(join(fixtures, name));
    const file = await SafetensorsFile.open(join(fixtures, name, "model.safetensors"));
    await file.close();
    const written = [...file.tensors.values()].map(({ name, shape }) => ({ name, shape }));
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    expect(expectedTensors(config).sort(byName)).toEqual(written.sort(byName));
  });

  it("counts SmolLM2-135M's parameters", () => {
    const config = parse({
      ...{ vocab_size: 49152, hidden_size: 576, num_hidden_layers: 30, intermediate_size: 1536 },
      ...{ num_attention_heads: 9, num_key_value_heads: 3, tie_word_embeddings: true },
    });
    expect(parameterCount(config)).toBe(134_515_008);
    expect(nonEmbeddingParameterCount(config)).toBe(134_515_008 - 49152 * 576);
    expect(nonEmbeddingParameterCount({ ...config, tiedHead: false })).toBe(134_515_008 - 49152 * 576);
  });
});

describe("toConfigJson", () => {
  it("is read back as the same config", async () => {
    for (const name of ["tiny-llama", "tiny-tied", "tiny-qwen2"]) {
      const config = await readModelConfig(join(fixtures, name));
      expect(parseModelConfig(toConfigJson(config, "float32", 1), null, "/m")).toEqual(config);
    }
    const llama3 = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 32 };
    const scaled = parse({ rope_scaling: { rope_type: "llama3", ...llama3 } });
    expect(parseModelConfig(toConfigJson(scaled, "float32", null), null, "/m")).toEqual(scaled);
    const mistral = parse({ model_type: "mistral", sliding_window: 32 });
    expect(parseModelConfig(toConfigJson(mistral, "float32", null), null, "/m")).toEqual(mistral);
  });
});

describe("ropeTables", () => {
  it("equal transformers' for default, linear and llama3 frequencies, at near and far positions", async () => {
    const expected = JSON.parse(await readFile(join(fixtures, "rope.expected.json"), "utf8"));
    const file = await SafetensorsFile.open(join(fixtures, "rope.expected.safetensors"));
    for (const [name, parameters] of Object.entries(expected.ropeParameters)) {
      const config = parse({ head_dim: expected.headDim, rope_parameters: parameters });
      const tables = ropeTables(config, Math.max(...expected.positions) + 1);
      for (const kind of ["cos", "sin"] as const) {
        const values = await file.read(`${name}.${kind}`);
        const pairs = expected.headDim / 2;
        let worst = 0;
        for (const [row, position] of expected.positions.entries()) {
          for (let pair = 0; pair < pairs; pair++) {
            const ours = tables[kind][position * pairs + pair] as number;
            worst = Math.max(worst, Math.abs(ours - (values[row * pairs + pair] as number)));
          }
        }
        // A frequency that is off by its last bit moves a far angle by a few 1e-6 (a wrong blend: by 1e-2 and more).
        expect(worst, `${name}.${kind}`).toBeLessThan(1e-5);
      }
    }
    await file.close();
  });
});
