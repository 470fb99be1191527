/** A Hugging Face checkpoint folder, in and out. */
import { createHash } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../errors.js";
import { readIfPresent, replaceFile, syncFolder, writeFully } from "../files.js";
import { readModelConfig, toConfigJson } from "./config-json.js";
import { expectedTensors, type ModelConfig } from "./model-config.js";
import { elementCount, writeSafetensors } from "./safetensors.js";
import { CheckpointTokenizer } from "./tokenizer.js";
import { INDEX_FILE, SINGLE_FILE, WeightFiles } from "./weight-files.js";

/** Weights by Hugging Face name, row-major, shapes as `expectedTensors(config)` gives them. */
export type Weights = Map<string, Float32Array>;

/** How weights are kept in the file; in memory they are float32. */
export type WeightType = "float32" | "bfloat16";

/** What `writeCheckpoint` writes. A `Checkpoint` fits, usually with other weights: `{ ...base, weights }`. */
export interface CheckpointContents {
  readonly config: ModelConfig;
  /** The parsed config.json, whole, so that writing keeps what this engine does not read. */
  readonly configJson: Readonly<Record<string, unknown>>;
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly dtype: WeightType;
  /** Files beside config and weights, carried over byte for byte (tokenizer, generation config, chat template), by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export interface Checkpoint extends CheckpointContents {
  /** The folder it was read from. */
  readonly path: string;
  readonly weights: Weights;
  /** bfloat16 if that is what most weights had in the file; float32 otherwise, also for float16, of which it loses nothing. */
  readonly dtype: WeightType;
  readonly tokenizer: CheckpointTokenizer;
}

const GENERATION_CONFIG = "generation_config.json";
const CARRIED_FILES = [
  GENERATION_CONFIG,
  "tokenizer.json",
  "tokenizer_config.json",
  "tokenizer.model",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "chat_template.jinja",
  "chat_template.json",
] as const;

/** Buffers that older checkpoints hold beside their weights; they follow from the config. */
const DERIVED_TENSOR = /\.rotary_emb\.inv_freq$/;

/**
 * Reads config, tokenizer and weights (float32, float16 or bfloat16; one file or shards) of a checkpoint folder.
 * Throws UserError naming the file for anything missing, misshapen, unexpected or not supported. Memory: the float32 weights, once.
 */
export async function readCheckpoint(dir: string): Promise<Checkpoint> {
  const { config, configJson } = await readModelConfig(dir);
  const tokenizer = await CheckpointTokenizer.read(dir, config);
  const files = new Map<string, Uint8Array>();
  for (const name of CARRIED_FILES) {
    const bytes = await readIfPresent(join(dir, name));
    if (bytes !== null) files.set(name, bytes);
  }
  return { path: dir, config, configJson, tokenizer, files, ...(await readWeights(dir, config)) };
}

async function readWeights(dir: string, config: ModelConfig): Promise<{ weights: Weights; dtype: WeightType }> {
  const source = await WeightFiles.open(dir);
  try {
    checkTensors(source, config);
    const weights: Weights = new Map();
    let [all, brain] = [0, 0];
    for (const { name } of expectedTensors(config)) {
      const values = await source.read(name);
      weights.set(name, values);
      all += values.length;
      if (source.tensors.get(name)?.dtype === "BF16") brain += values.length;
    }
    return { weights, dtype: 2 * brain > all ? "bfloat16" : "float32" };
  } finally {
    await source.close();
  }
}

/** Compares what the files hold with what the config asks for, before any weight is read. */
function checkTensors(source: WeightFiles, config: ModelConfig): void {
  const expected = new Map(expectedTensors(config).map(({ name, shape }) => [name, JSON.stringify(shape)]));
  const missing = [...expected.keys()].filter((name) => !source.tensors.has(name));
  if (missing.length > 0) {
    throw new UserError(
      `expected the tensors that config.json asks for in ${source.path}, got none of ${someOf(missing)}`,
    );
  }
  const unexpected: string[] = [];
  for (const { name, shape } of source.tensors.values()) {
    const wanted = expected.get(name);
    if (wanted === undefined) unexpected.push(name);
    else if (wanted !== JSON.stringify(shape)) {
      throw new UserError(
        `expected tensor ${name} of ${source.path} to have shape ${wanted} after config.json, got ${JSON.stringify(shape)}`,
      );
    }
  }
  const foreign = unexpected.filter(
    (name) => !DERIVED_TENSOR.test(name) && !(config.tiedHead && name === "lm_head.weight"),
  );
  if (foreign.length > 0) {
    throw new UserError(
      `expected only tensors of a ${config.modelType} model in ${source.path}, got also ${someOf(foreign)}; ` +
        "leaving them out would give another model than the one that was trained",
    );
  }
}

function someOf(names: readonly string[]): string {
  return names.length > 5 ? `${names.slice(0, 5).join(", ")} and ${names.length - 5} more` : names.join(", ");
}

/**
 * Writes an ordinary Hugging Face folder that transformers, vLLM and llama.cpp load. Each file is replaced whole, weights last;
 * shards of an earlier checkpoint in the folder are removed afterwards.
 */
export async function writeCheckpoint(dir: string, contents: CheckpointContents): Promise<void> {
  for (const [name, bytes] of contents.files) {
    await replaceFile(join(dir, name), (file) => writeFully(file, bytes));
  }
  // transformers 5 renamed torch_dtype; the base's spelling stays.
  const dtypeKey = "dtype" in contents.configJson ? "dtype" : "torch_dtype";
  await writeJson(join(dir, "config.json"), { ...contents.configJson, [dtypeKey]: contents.dtype });
  await writeWeights(dir, contents);
}

export interface NewCheckpointContents {
  readonly config: ModelConfig;
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly dtype: WeightType;
  /** As `wordTokenizer` gives them. */
  readonly tokenizerJson: Readonly<Record<string, unknown>>;
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
}

/** Writes a checkpoint that has no base folder, e.g. a model pretrained here. */
export async function writeNewCheckpoint(dir: string, contents: NewCheckpointContents): Promise<void> {
  const { config, dtype, tokenizerJson, tokenizerConfig } = contents;
  const tokenizer = new CheckpointTokenizer(tokenizerJson, tokenizerConfig, config, dir);
  const pad = tokenizer.padToken;
  const ends = tokenizer.endTokens.length === 1 ? tokenizer.endTokens[0] : tokenizer.endTokens;
  await writeJson(join(dir, "tokenizer.json"), tokenizerJson);
  await writeJson(join(dir, "tokenizer_config.json"), tokenizerConfig);
  await writeJson(join(dir, GENERATION_CONFIG), {
    bos_token_id: config.startToken,
    eos_token_id: ends,
    pad_token_id: pad,
  });
  await writeJson(join(dir, "config.json"), toConfigJson({ ...config, endTokens: tokenizer.endTokens }, dtype, pad));
  await writeWeights(dir, contents);
}

async function writeWeights(
  dir: string,
  contents: Pick<CheckpointContents, "config" | "weights" | "dtype">,
): Promise<void> {
  const tensors = expectedTensors(contents.config).map(({ name, shape }) => {
    const values = contents.weights.get(name);
    if (values === undefined || values.length !== elementCount(shape)) {
      throw new Error(`expected ${elementCount(shape)} weights for ${name}, got ${values?.length ?? "none"}`);
    }
    return { name, shape, values };
  });
  const options = { dtype: contents.dtype === "bfloat16" ? "BF16" : "F32", metadata: { format: "pt" } } as const;
  await writeSafetensors(join(dir, SINGLE_FILE), tensors, options);
  const stale = (await readdir(dir)).filter(
    (name) => name === INDEX_FILE || /^model-\d+-of-\d+\.safetensors$/.test(name),
  );
  for (const name of stale) await rm(join(dir, name));
  if (stale.length > 0) await syncFolder(dir);
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await replaceFile(path, (file) => writeFully(file, Buffer.from(`${JSON.stringify(value, null, 2)}\n`)));
}

/** Hex SHA-256 over names in sorted order, element counts and bytes; equal digests mean equal weights. */
export function weightsDigest(weights: ReadonlyMap<string, Float32Array>): string {
  const hash = createHash("sha256");
  for (const name of [...weights.keys()].sort()) {
    const values = weights.get(name) as Float32Array;
    hash.update(`${JSON.stringify(name)} ${values.length}\n`);
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest("hex");
}
