import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  parseModelConfig,
  readModelConfig as readBoth,
  toConfigJson,
} from "../../../src/engine/checkpoint/config-json.js";
import { newLlama } from "../../../src/engine/checkpoint/model-config.js";
import { nonEmbeddingParameterCount, parameterCount } from "../../../src/engine/checkpoint/model-facts.js";
import { SafetensorsFile } from "../../../src/engine/checkpoint/safetensors.js";
import { storedTensors } from "../../../src/engine/checkpoint/tensors.js";
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
      family: "llama",
      vocabularySize: 61,
      width: 24,
      layers: 2,
      heads: 6,
      keyValueHeads: 2,
      headDim: 6,
      mlpWidth: 37,
      attention: Array(2).fill({ window: null, rotary: { theta: 5000, dimensions: 6, scaling: null } }),
      normEpsilon: 1e-5,
      contextLength: 64,
      tiedHead: false,
      startToken: null,
      endTokens: [0],
      norms: {
        beforeAttention: "input_layernorm",
        afterAttention: null,
        beforeMlp: "post_attention_layernorm",
        afterMlp: null,
      },
      normOffset: 0,
      queryKeyNorm: "none",
      biases: { queryKeyValue: false, attentionOutput: false, mlp: false },
      activation: "silu",
      embeddingScale: 1,
      residualScale: 1,
      attentionScale: 1 / Math.sqrt(6),
      attentionCap: null,
      logitScale: 1,
      logitCap: null,
      fusedWeights: false,
    });
    const tied = await readModelConfig(join(fixtures, "tiny-tied"));
    expect(tied).toMatchObject({
      keyValueHeads: 1,
      tiedHead: true,
      endTokens: [0, 7],
      width: 21,
      headDim: 8,
    });
    expect(tied.attention[0].rotary?.theta).toBe(700);
    const qwen2 = await readModelConfig(join(fixtures, "tiny-qwen2"));
    expect(qwen2).toMatchObject({ family: "qwen2", headDim: 4, contextLength: 48 });
    expect(qwen2.biases).toEqual({ queryKeyValue: true, attentionOutput: false, mlp: false });
  });

  it("takes each family's defaults for absent fields", () => {
    const { num_key_value_heads: _, max_position_embeddings: __, rope_theta: ___, rms_norm_eps: ____, ...bare } = llama;
    const defaults = parseModelConfig(bare, null, "/m");
    expect(defaults).toMatchObject({
      keyValueHeads: 6,
      headDim: 4,
      contextLength: 2048,
      normEpsilon: 1e-6,
    });
    expect(defaults.attention[0].rotary?.theta).toBe(10000);
    const mistral = parseModelConfig(
      { ...bare, model_type: "mistral", hidden_size: 64, num_attention_heads: 8 },
      null,
      "/m",
    );
    expect(mistral).toMatchObject({ keyValueHeads: 8, contextLength: 4096 * 32 });
    expect(mistral.attention[1].window).toBe(4096);
  });

  it("reads older spellings, and defaults of each family, as transformers 5.24 does", () => {
    const sizes = {
      vocab_size: 100,
      hidden_size: 32,
      num_hidden_layers: 8,
      num_attention_heads: 8,
      intermediate_size: 37,
    };
    const bare = (changes: object) => parseModelConfig({ ...sizes, ...changes }, null, "/m");
    const windows = (changes: object) => bare(changes).attention.map(({ window }) => window);
    const rotations = (changes: object) => bare(changes).attention.map(({ rotary }) => rotary);

    const gemma3 = {
      ...{ model_type: "gemma3_text", rope_theta: 1e6, rope_local_base_freq: 1e4, sliding_window: 512 },
      ...{ rope_scaling: { factor: 8, rope_type: "linear" }, sliding_window_pattern: 3 },
    };
    const local = { theta: 1e4, dimensions: 256, scaling: null };
    const global = { theta: 1e6, dimensions: 256, scaling: { kind: "linear", factor: 8 } };
    expect(windows(gemma3)).toEqual([512, 512, null, 512, 512, null, 512, 512]);
    expect(rotations(gemma3)).toEqual([local, local, global, local, local, global, local, local]);
    expect(bare(gemma3)).toMatchObject({
      keyValueHeads: 4,
      contextLength: 131_072,
      tiedHead: true,
      activation: "gelu-tanh",
    });
    expect(bare(gemma3)).toMatchObject({ attentionScale: 256 ** -0.5, attentionCap: null, logitCap: null });

    const gemma2 = { model_type: "gemma2", hidden_act: "gelu_pytorch_tanh" };
    expect(windows(gemma2)).toEqual([4096, null, 4096, null, 4096, null, 4096, null]);
    expect(bare(gemma2)).toMatchObject({ attentionCap: 50, logitCap: 30, headDim: 256, contextLength: 8192 });
    expect(bare({ ...gemma2, attn_logit_softcapping: null }).attentionCap).toBeNull();

    const gemma = { model_type: "gemma", hidden_act: "gelu", num_attention_heads: 16 };
    expect(bare(gemma)).toMatchObject({ activation: "gelu-tanh", keyValueHeads: 16, embeddingScale: Math.sqrt(32) });

    const phi3 = {
      model_type: "phi3",
      hidden_size: 64,
      sliding_window: 2047,
      rope_theta: 2e4,
      partial_rotary_factor: 0.5,
    };
    expect(windows(phi3)).toEqual(Array(8).fill(2047));
    expect(rotations(phi3)[0]).toEqual({ theta: 2e4, dimensions: 4, scaling: null });
    const long = {
      max_position_embeddings: 131_072,
      rope_scaling: { type: "su", short_factor: [1, 2], long_factor: [3, 4] },
    };
    expect(bare({ ...phi3, ...long, original_max_position_embeddings: 1000 }).contextLength).toBe(1000);
    expect(() => bare({ ...phi3, rope_scaling: { type: "su", short_factor: [1], long_factor: [3] } })).toThrow(
      /rope_scaling\.short_factor of .* to have 2 factors, .* got 1/,
    );

    expect(() => bare({ ...phi3, partial_rotary_factor: 0.4 })).toThrow(/turn an even number .* got 3/);

    const rotated = (changes: object) => rotations(changes).map((rotary) => rotary !== null);
    expect(rotated({ model_type: "smollm3" })).toEqual([true, true, true, false, true, true, true, false]);
    expect(rotated({ model_type: "smollm3", no_rope_layer_interval: 2 }).slice(0, 4)).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(() => bare({ model_type: "smollm3", no_rope_layers: [1, 0] })).toThrow(
      /no_rope_layers of .* list of 8 layers, got 2/,
    );

    expect(bare({ model_type: "qwen3", num_key_value_heads: 8 })).toMatchObject({
      headDim: 128,
      contextLength: 32_768,
    });
    expect(bare({ model_type: "olmo2" })).toMatchObject({ normEpsilon: 1e-5, queryKeyNorm: "all-heads" });
    expect(bare({ model_type: "granite" })).toMatchObject({ attentionScale: 1, logitScale: 1, embeddingScale: 1 });
    expect(windows({ model_type: "ministral" })).toEqual(Array(8).fill(4096));
    const types = ["full_attention", "sliding_attention"];
    expect(() => bare({ model_type: "ministral", layer_types: types })).toThrow(
      /layer_types of .* list of 8 layers, got 2/,
    );

    const ministral3 = bare({ model_type: "ministral3" });
    expect(ministral3).toMatchObject({ headDim: 128, contextLength: 16_384, normEpsilon: 1e-5 });
    expect(ministral3.attention[0].rotary).toMatchObject({ theta: 1e6, scaling: { kind: "yarn", attentionFactor: 1 } });
  });

  it("gives layers the sliding window that transformers gives them", () => {
    const windows = (changes: object) => parse(changes).attention.map(({ window }) => window);
    expect(windows({ model_type: "mistral", sliding_window: 32 })).toEqual([32, 32]);
    expect(windows({ model_type: "mistral", sliding_window: null })).toEqual([null, null]);
    // As long as the context: nothing is hidden.
    expect(windows({ model_type: "mistral", sliding_window: 64 })).toEqual([null, null]);
    const qwen2 = { model_type: "qwen2", sliding_window: 32 };
    expect(windows({ ...qwen2, use_sliding_window: false })).toEqual([null, null]);
    expect(windows({ ...qwen2, use_sliding_window: true })).toEqual([null, null]);
    expect(windows({ ...qwen2, use_sliding_window: true, max_window_layers: 1 })).toEqual([null, 32]);
    const full = { use_sliding_window: true, max_window_layers: 0, layer_types: ["full_attention", "full_attention"] };
    expect(windows({ ...qwen2, ...full })).toEqual([null, null]);
    expect(parse({ model_type: "mistral", sliding_window: 32 }).contextLength).toBe(64);
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
    const rotary = (changes: object) => parse(changes).attention[1].rotary;
    expect(rotary({ rope_scaling: { rope_type: "llama3", ...llama3 } })).toMatchObject({ theta: 5000, scaling });
    const parameters = { rope_type: "llama3", rope_theta: 7, ...llama3 };
    expect(rotary({ rope_parameters: parameters, rope_theta: undefined })).toMatchObject({ theta: 7, scaling });
    expect(rotary({ rope_scaling: { type: "linear", factor: 2 } })?.scaling).toEqual({ kind: "linear", factor: 2 });
    expect(rotary({ rope_scaling: null })?.scaling).toBeNull();
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
      /model_type of \/m\/config\.json .* got "gpt2"\. Use a checkpoint of one of these: llama \(Llama 1 .*; qwen2 .*; mistral/,
    ],
    ["another activation", { hidden_act: "relu" }, /hidden_act of .*config\.json .* got "relu"/],
    ["a mixture of experts", { model_type: "mixtral" }, /got "mixtral", a mixture of experts\. Use a checkpoint of/],
    ["a hybrid model", { model_type: "lfm2" }, /got "lfm2", a hybrid or recurrent model\. Use a checkpoint of/],
    ["a model of images", { model_type: "gemma3" }, /got "gemma3", a model of text and images\. Use a checkpoint of/],
    ["no family at all", { model_type: undefined }, /model_type of .* got nothing\. Use a checkpoint of/],
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
    ["biases that mistral has not", { model_type: "mistral", attention_bias: true }, /attention_bias of .* got true/],
    ["biases in qwen2's mlp", { model_type: "qwen2", mlp_bias: true }, /mlp_bias of .* got true/],
    [
      "an unknown stretching of positions",
      { rope_scaling: { rope_type: "spiral", factor: 4 } },
      /rope_scaling\.rope_type of .* default, linear, dynamic, llama3, yarn or longrope, got "spiral"/,
    ],
    [
      "rotations by kind of layer where there is one kind",
      { rope_parameters: { full_attention: { rope_theta: 7 } } },
      /rope_parameters\.full_attention of /,
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

describe("storedTensors", () => {
  it.each(["tiny-llama", "tiny-tied"])("lists exactly what transformers wrote for %s", async (name) => {
    const config = await readModelConfig(join(fixtures, name));
    const file = await SafetensorsFile.open(join(fixtures, name, "model.safetensors"));
    await file.close();
    const written = [...file.tensors.values()].map(({ name, shape }) => ({ name, shape }));
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    const expected = storedTensors(config).map(({ name, shape }) => ({ name, shape }));
    expect(expected.sort(byName)).toEqual(written.sort(byName));
  });

  it("counts SmolLM2-135M's parameters", () => {
    const config = newLlama({
      ...{ vocabularySize: 49152, width: 576, layers: 30, mlpWidth: 1536, contextLength: 8192 },
      ...{ heads: 9, keyValueHeads: 3, headDim: 64 },
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
