import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readCheckpoint, writeCheckpoint, writeNewCheckpoint } from "../../../src/engine/checkpoint/checkpoint.js";
import { SafetensorsFile, type TensorToWrite, writeSafetensors } from "../../../src/engine/checkpoint/safetensors.js";
import { modelTensors } from "../../../src/engine/checkpoint/tensors.js";
import { refuseNonFinite } from "../../../src/engine/checkpoint/weight-files.js";
import {
  readSavedWeights,
  removeExactWeights,
  weightsDigest,
  writeExactWeights,
} from "../../../src/engine/checkpoint/weights.js";
import { wordTokenizer } from "../../../src/engine/checkpoint/word-tokenizer.js";
import { UserError } from "../../../src/errors.js";

const fixtures = join(import.meta.dirname, "../../fixtures");
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "adastar-checkpoint-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** A copy of a fixture whose weights `change` may alter. */
async function damaged(name: string, change: (tensors: Map<string, TensorToWrite>) => void): Promise<string> {
  const dir = join(folder, name);
  await cp(join(fixtures, name), dir, { recursive: true });
  const { config, weights } = await readCheckpoint(dir);
  const tensors = new Map<string, TensorToWrite>();
  for (const { name, shape } of modelTensors(config))
    tensors.set(name, { name, shape, values: weights.get(name) as Float32Array });
  change(tensors);
  await writeSafetensors(join(dir, "model.safetensors"), tensors.values());
  return dir;
}

describe("readCheckpoint", () => {
  it("reads float32, bfloat16 and sharded float16 checkpoints", async () => {
    const llama = await readCheckpoint(join(fixtures, "tiny-llama"));
    expect(llama.dtype).toBe("float32");
    expect([...llama.weights.keys()]).toEqual(modelTensors(llama.config).map(({ name }) => name));
    expect([...llama.files.keys()]).toEqual(["generation_config.json", "tokenizer.json", "tokenizer_config.json"]);
    expect(llama.tokenizer.endTokens).toEqual([0]);

    const tied = await readCheckpoint(join(fixtures, "tiny-tied"));
    expect(tied.dtype).toBe("bfloat16");
    expect(tied.weights.has("lm_head.weight")).toBe(false);
    expect(tied.tokenizer.endTokens).toEqual([0, 7]);

    const qwen2 = await readCheckpoint(join(fixtures, "tiny-qwen2"));
    expect(qwen2.dtype).toBe("float16");
    expect(qwen2.weights.get("model.layers.1.self_attn.k_proj.bias")).toHaveLength(8);
  });

  it("reads the values that PyTorch saved", async () => {
    // The float32 fixture's weights after no step at all: the first AdamW step moves none by more than lr (1 + decay).
    const { weights } = await readCheckpoint(join(fixtures, "tiny-llama"));
    const after = await SafetensorsFile.open(join(fixtures, "tiny-llama.expected.safetensors"));
    for (const [name, values] of weights) {
      const stepped = await after.read(`adamw.1.${name}`);
      const farthest = values.reduce((worst, value, i) => Math.max(worst, Math.abs(value - stepped[i])), 0);
      expect(farthest, name).toBeLessThan(1.1e-3);
    }
    await after.close();
  });

  it("does without the head of a tied model, and passes over a copy of the embedding", async () => {
    const dir = await damaged("tiny-tied", (tensors) => {
      const embedding = tensors.get("model.embed_tokens.weight") as TensorToWrite;
      tensors.set("lm_head.weight", { ...embedding, name: "lm_head.weight" });
      const name = "model.layers.0.self_attn.rotary_emb.inv_freq";
      tensors.set(name, { name, shape: [4], values: new Float32Array(4) });
    });
    const { weights } = await readCheckpoint(dir);
    expect(weights.has("lm_head.weight")).toBe(false);
    expect(weights.size).toBe(20);
  });

  it("refuses a head that differs from the embedding it is said to be", async () => {
    const changed = (change: (head: Float32Array) => Float32Array, shape: readonly number[]) =>
      damaged("tiny-tied", (tensors) => {
        const { values } = tensors.get("model.embed_tokens.weight") as { values: Float32Array };
        tensors.set("lm_head.weight", { name: "lm_head.weight", shape, values: change(Float32Array.from(values)) });
      });
    const message =
      /lm_head\.weight of .* to equal model\.embed_tokens\.weight, .* set tie_word_embeddings to false; else remove/;
    const oneOff = await changed((head) => head.fill(7, 640, 641), [61, 21]);
    await expect(readCheckpoint(oneOff)).rejects.toThrow(UserError);
    await expect(readCheckpoint(oneOff)).rejects.toThrow(message);
    await expect(readCheckpoint(await changed((head) => head.subarray(0, 21), [1, 21]))).rejects.toThrow(message);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "refuses a weight that is %d, in every type and in a copy of the head",
    async (bad) => {
      const name = "model.layers.1.mlp.up_proj.weight";
      for (const dtype of ["F32", "BF16", "F16"] as const) {
        const dir = await damaged("tiny-llama", (tensors) => {
          (tensors.get(name) as { values: Float32Array }).values[17] = bad;
        });
        const file = await SafetensorsFile.open(join(dir, "model.safetensors"));
        const tensors = [];
        for (const { name, shape } of file.tensors.values())
          tensors.push({ name, shape, values: await file.read(name) });
        await file.close();
        await writeSafetensors(join(dir, "model.safetensors"), tensors, { dtype });
        await expect(readCheckpoint(dir)).rejects.toThrow(UserError);
        await expect(readCheckpoint(dir)).rejects.toThrow(
          `expected finite weights in tensor "${name}" of ${join(dir, "model.safetensors")}, got ${bad} at element 17`,
        );
      }
    },
  );

  it.each<[string, (tensors: Map<string, TensorToWrite>) => void, RegExp]>([
    [
      "a missing tensor",
      (t) => t.delete("model.norm.weight"),
      /asks for in .*model\.safetensors, got none of model\.norm\.weight$/,
    ],
    ["many missing tensors", (t) => t.clear(), /got none of model\.embed_tokens\.weight, .* and 16 more$/],
    [
      "a shape that is not the config's",
      (t) => t.set("model.norm.weight", { name: "model.norm.weight", shape: [12, 2], values: new Float32Array(24) }),
      /tensor model\.norm\.weight of .* shape \[24\] after config\.json, got \[12,2\]/,
    ],
    [
      "tensors of another architecture",
      (t) => t.set("q.bias", { name: "q.bias", shape: [1], values: new Float32Array(1) }),
      /only tensors of a llama model in .*, got also q\.bias/,
    ],
  ])("refuses %s", async (_, change, message) => {
    const dir = await damaged("tiny-llama", change);
    await expect(readCheckpoint(dir)).rejects.toThrow(UserError);
    await expect(readCheckpoint(dir)).rejects.toThrow(message);
  });

  it.each<[string, (dir: string) => Promise<unknown>, RegExp]>([
    [
      "a missing shard",
      (dir) => rm(join(dir, "model-00002-of-00002.safetensors")),
      /readable file at .*model-00002-of-00002/,
    ],
    [
      "no weights",
      (dir) => rm(join(dir, "model.safetensors.index.json")),
      /model\.safetensors or model\.safetensors\.index\.json in .* got neither/,
    ],
    [
      "an index without a map",
      (dir) => writeFile(join(dir, "model.safetensors.index.json"), "{}"),
      /an object weight_map in/,
    ],
    [
      "an index that leads out of the folder",
      (dir) => writeFile(join(dir, "model.safetensors.index.json"), '{"weight_map":{"a":"../b.safetensors"}}'),
      /of its own folder for "a", got "\.\.\/b\.safetensors"/,
    ],
    [
      "an index that names a tensor twice",
      (dir) =>
        writeFile(
          join(dir, "model.safetensors.index.json"),
          '{"weight_map":{"a":"b.safetensors","a":"c.safetensors"}}',
        ),
      /got "a" twice/,
    ],
    [
      "an index that places a tensor in the wrong shard",
      (dir) =>
        writeFile(join(dir, "model.safetensors.index.json"), '{"weight_map":{"x":"model-00001-of-00002.safetensors"}}'),
      /tensor "x" in .*model-00001-of-00002\.safetensors, where .*index\.json places it/,
    ],
    ["no tokenizer", (dir) => rm(join(dir, "tokenizer.json")), /a tokenizer at .*tokenizer\.json, got none/],
    ["a config that is not JSON", (dir) => writeFile(join(dir, "config.json"), "{"), /expected JSON in .*config\.json/],
  ])("refuses %s", async (_, damage, message) => {
    const dir = join(folder, "sharded");
    await cp(join(fixtures, "tiny-qwen2"), dir, { recursive: true });
    await damage(dir);
    await expect(readCheckpoint(dir)).rejects.toThrow(UserError);
    await expect(readCheckpoint(dir)).rejects.toThrow(message);
  });
});

it("finds a value that is not finite wherever it stands", () => {
  for (let length = 1; length <= 9; length++) {
    expect(() => refuseNonFinite(new Float32Array(length).fill(-3e38), "w", "/m")).not.toThrow();
    for (let at = 0; at < length; at++) {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const values = new Float32Array(length).fill(3e38).fill(bad, at, at + 1);
        expect(() => refuseNonFinite(values, "w", "/m")).toThrow(`got ${bad} at element ${at};`);
      }
    }
  }
});

describe("writeCheckpoint", () => {
  it("gives back float32 weights bit for bit, and carries the other files over byte for byte", async () => {
    const base = await readCheckpoint(join(fixtures, "tiny-llama"));
    const weights = new Map([...base.weights].map(([name, values]) => [name, values.map((value) => value * 1.0001)]));
    await writeCheckpoint(folder, { ...base, weights });
    const again = await readCheckpoint(folder);
    expect(weightsDigest(again.weights)).toBe(weightsDigest(weights));
    expect(weightsDigest(again.weights)).not.toBe(weightsDigest(base.weights));
    expect(again.configJson).toEqual(base.configJson);
    for (const name of ["tokenizer.json", "tokenizer_config.json", "generation_config.json"]) {
      const original = await readFile(join(fixtures, "tiny-llama", name));
      expect(original.equals(await readFile(join(folder, name))), name).toBe(true);
    }
    expect((await readdir(folder)).filter((name) => name.includes("tmp"))).toEqual([]);
  });

  it("keeps a bfloat16 checkpoint as it was, and names the type it wrote", async () => {
    const base = await readCheckpoint(join(fixtures, "tiny-tied"));
    await writeCheckpoint(folder, base);
    const again = await readCheckpoint(folder);
    expect(again.dtype).toBe("bfloat16");
    expect(weightsDigest(again.weights)).toBe(weightsDigest(base.weights));
    await writeCheckpoint(folder, { ...base, dtype: "float32" });
    expect(await readCheckpoint(folder)).toMatchObject({ dtype: "float32", configJson: { dtype: "float32" } });
    const { dtype: _, ...older } = base.configJson;
    await writeCheckpoint(folder, { ...base, configText: JSON.stringify({ ...older, torch_dtype: "float16" }) });
    expect((await readCheckpoint(folder)).configJson).toEqual({ ...older, torch_dtype: "bfloat16" });
  });

  it("replaces a sharded checkpoint by a single file", async () => {
    await cp(join(fixtures, "tiny-qwen2"), folder, { recursive: true });
    const base = await readCheckpoint(folder);
    await writeCheckpoint(folder, base);
    expect((await readdir(folder)).filter((name) => name.includes("safetensors"))).toEqual(["model.safetensors"]);
    expect(weightsDigest((await readCheckpoint(folder)).weights)).toBe(weightsDigest(base.weights));
  });

  it("keeps a float16 checkpoint as it was, and rounds to it as PyTorch does", async () => {
    const base = await readCheckpoint(join(fixtures, "tiny-qwen2"));
    await writeCheckpoint(folder, base);
    const again = await readCheckpoint(folder);
    expect(again).toMatchObject({ dtype: "float16", configJson: { dtype: "float16" } });
    expect(weightsDigest(again.weights)).toBe(weightsDigest(base.weights));
  });

  it("refuses to write what cannot be read again: weights that are not finite, or beyond float16", async () => {
    const base = await readCheckpoint(join(fixtures, "tiny-qwen2"));
    const norm = "model.norm.weight";
    const withNorm = (value: number) => ({
      ...base,
      weights: new Map(base.weights).set(norm, new Float32Array(16).fill(value, 3, 4)),
    });
    await expect(writeCheckpoint(folder, withNorm(Number.NaN))).rejects.toThrow(
      /finite weights in tensor "model\.norm/,
    );
    await expect(writeCheckpoint(folder, withNorm(1e5))).rejects.toThrow(
      /model\.norm\.weight .* float16, got 100000; .*--checkpoint-dtype float32/,
    );
    await writeCheckpoint(folder, withNorm(65519));
    expect((await readCheckpoint(folder)).weights.get(norm)?.[3]).toBe(65504);
    await writeCheckpoint(folder, { ...withNorm(1e5), dtype: "bfloat16" });
  });

  it("writes config.json as it was, to the last digit: transformers takes no 8 for 8.0", async () => {
    const base = await readCheckpoint(join(fixtures, "tiny-llama"));
    const configText = await readFile(join(fixtures, "families/gemma2/config.json"), "utf8");
    expect(configText).toContain('"final_logit_softcapping": 8.0');
    await writeCheckpoint(folder, { ...base, configText, dtype: "float16" });
    const written = await readFile(join(folder, "config.json"), "utf8");
    expect(written).toBe(configText.replace('"dtype": "bfloat16"', '"dtype": "float16"'));
    await writeCheckpoint(folder, { ...base, configText, dtype: "bfloat16" });
    expect(await readFile(join(folder, "config.json"), "utf8")).toBe(configText);
  });

  it("does not write weights that are not the config's", async () => {
    const base = await readCheckpoint(join(fixtures, "tiny-tied"));
    const weights = new Map(base.weights).set("model.norm.weight", new Float32Array(3));
    await expect(writeCheckpoint(folder, { ...base, weights })).rejects.toThrow(
      /expected 21 weights for model\.norm\.weight, got 3/,
    );
  });
});

describe("writeNewCheckpoint", () => {
  it("writes a folder that reads back as what was given", async () => {
    const { config, weights } = await readCheckpoint(join(fixtures, "tiny-tied"));
    const tokens = Array.from({ length: 59 }, (_, i) => `w${i};`);
    const { tokenizerJson, tokenizerConfig } = wordTokenizer(tokens, { end: "<end>", pad: "<pad>" });
    await writeNewCheckpoint(folder, {
      config: { ...config, endTokens: [] },
      weights,
      dtype: "float32",
      tokenizerJson,
      tokenizerConfig,
    });
    const read = await readCheckpoint(folder);
    expect(read.config).toEqual({ ...config, endTokens: [0] });
    expect(read.configJson).toMatchObject({ architectures: ["LlamaForCausalLM"], pad_token_id: 1, eos_token_id: 0 });
    expect(weightsDigest(read.weights)).toBe(weightsDigest(weights));
    expect(read.tokenizer.encode("w3;w58;")).toEqual([5, 60]);
  });
});

describe("the exact weights behind a checkpoint of 16 bits", () => {
  it("come back bit for bit where they were saved, else the checkpoint's own", async () => {
    const base = await readCheckpoint(join(fixtures, "tiny-tied"));
    const weights = new Map([...base.weights].map(([name, values]) => [name, values.map((v) => v * 1.0001)]));
    await writeCheckpoint(folder, { ...base, weights });
    const rounded = weightsDigest(await readSavedWeights(folder, base.config));
    expect(rounded).not.toBe(weightsDigest(weights));
    await writeExactWeights(folder, base.config, weights);
    expect(weightsDigest(await readSavedWeights(folder, base.config))).toBe(weightsDigest(weights));
    // Loaders that take every .safetensors file of a folder for the model must not find it.
    expect((await readdir(folder)).filter((name) => name.endsWith(".safetensors"))).toEqual(["model.safetensors"]);
    expect(weightsDigest((await readCheckpoint(folder)).weights)).toBe(rounded);
    await removeExactWeights(folder);
    expect(weightsDigest(await readSavedWeights(folder, base.config))).toBe(rounded);
  });
});

describe("weightsDigest", () => {
  const digest = (entries: [string, number[]][]) =>
    weightsDigest(new Map(entries.map(([name, values]) => [name, Float32Array.from(values)])));

  it("depends on names, lengths and bits, not on the order of insertion", () => {
    const base = digest([
      ["a", [1, 2]],
      ["b", [3]],
    ]);
    expect(
      digest([
        ["b", [3]],
        ["a", [1, 2]],
      ]),
    ).toBe(base);
    for (const other of [
      [
        ["a", [1]],
        ["b", [2, 3]],
      ],
      [
        ["a", [1, 2]],
        ["c", [3]],
      ],
      [
        ["a", [1, 2]],
        ["b", [-3]],
      ],
      [["a", [1, 2]]],
    ] as [string, number[]][][]) {
      expect(digest(other)).not.toBe(base);
    }
    expect(digest([["a", [0]]])).not.toBe(digest([["a", [-0]]]));
  });
});
