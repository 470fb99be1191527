/** A Hugging Face checkpoint folder, in and out. */
import { join } from "node:path";
import { readIfPresent, replaceFile, writeFully } from "../files.js";
import { readModelConfig, toConfigText } from "./config-json.js";
import { withTopLevelText } from "./json-text.js";
import type { ModelConfig } from "./model-config.js";
import { CheckpointTokenizer } from "./tokenizer.js";
import type { WeightType } from "./weight-types.js";
import { readWeights, type Weights, writeWeights } from "./weights.js";

/** What `writeCheckpoint` writes. A `Checkpoint` fits, usually with other weights: `{ ...base, weights }`. */
export interface CheckpointContents {
  readonly config: ModelConfig;
  /** The text of config.json, so that writing keeps what this engine does not read, and numbers as they are written. */
  readonly configText: string;
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly dtype: WeightType;
  /**
   * Files beside config and weights, carried over byte for byte (tokenizer, generation config, chat template), by name.
   */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export interface Checkpoint extends CheckpointContents {
  /** The folder it was read from. */
  readonly path: string;
  readonly weights: Weights;
  /** The type that most weights had in the files. */
  readonly dtype: WeightType;
  readonly tokenizer: CheckpointTokenizer;
  /** The parsed config.json. */
  readonly configJson: Readonly<Record<string, unknown>>;
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

/**
 * Reads config, tokenizer and weights (float32, float16 or bfloat16; one file or shards) of a checkpoint folder. Throws
 * UserError naming the file for anything missing, misshapen, unexpected or not supported, and for a weight that is not
 * finite. Memory: the float32 weights, once.
 */
export async function readCheckpoint(dir: string): Promise<Checkpoint> {
  const model = await readModelConfig(dir);
  const { config } = model;
  const tokenizer = await CheckpointTokenizer.read(dir, config);
  const files = new Map<string, Uint8Array>();
  for (const name of CARRIED_FILES) {
    const bytes = await readIfPresent(join(dir, name));
    if (bytes !== null) files.set(name, bytes);
  }
  return { path: dir, ...model, tokenizer, files, ...(await readWeights(dir, config)) };
}

/**
 * Writes an ordinary Hugging Face folder that transformers, vLLM and llama.cpp load. Each file is replaced whole,
 * weights last; shards of an earlier checkpoint in the folder are removed afterwards.
 */
export async function writeCheckpoint(dir: string, contents: CheckpointContents): Promise<void> {
  for (const [name, bytes] of contents.files) {
    await replaceFile(join(dir, name), (file) => writeFully(file, bytes));
  }
  // transformers 5 renamed torch_dtype; the base's spelling stays.
  const dtypeKey = "dtype" in JSON.parse(contents.configText) ? "dtype" : "torch_dtype";
  await writeText(join(dir, "config.json"), withTopLevelText(contents.configText, dtypeKey, contents.dtype));
  await writeWeights(dir, contents.config, contents.weights, contents.dtype);
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
  await writeText(join(dir, "config.json"), toConfigText({ ...config, endTokens: tokenizer.endTokens }, dtype, pad));
  await writeWeights(dir, config, contents.weights, dtype);
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeText(path, `${JSON.stringify(value, null, 2)}\n`);
}

async function writeText(path: string, text: string): Promise<void> {
  await replaceFile(path, (file) => writeFully(file, Buffer.from(text)));
}
