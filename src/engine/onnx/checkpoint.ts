/** A Hugging Face checkpoint folder, in and out. */
import type { LlamaConfig } from "./model-config.js";
import type { CheckpointTokenizer } from "./tokenizer.js";

/** Weights by Hugging Face name, row-major, shapes as `expectedTensors(config)` gives them. */
export type Weights = Map<string, Float32Array>;

export interface Checkpoint {
  /** The folder it was read from. */
  readonly path: string;
  readonly config: LlamaConfig;
  readonly weights: Weights;
  readonly tokenizer: CheckpointTokenizer;
  /** The parsed config.json, whole, so that writing keeps what this engine does not read. */
  readonly configJson: Readonly<Record<string, unknown>>;
  /** The type most weights had in the file. */
  readonly dtype: WeightType;
  /** Files beside the weights to carry over byte for byte (tokenizer, generation config, chat template), by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export type WeightType = "float32" | "bfloat16";

export declare function readCheckpoint(dir: string): Promise<Checkpoint>;

/** What `writeCheckpoint` writes; a `Checkpoint` fits, usually with other weights: `{ ...base, weights }`. */
export interface CheckpointContents {
  readonly config: LlamaConfig;
  readonly configJson: Readonly<Record<string, unknown>>;
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly dtype: WeightType;
  readonly files: ReadonlyMap<string, Uint8Array>;
}
export declare function writeCheckpoint(dir: string, contents: CheckpointContents): Promise<void>;

/** A checkpoint with no base folder, e.g. a model pretrained here. */
export declare function writeNewCheckpoint(
  dir: string,
  contents: {
    readonly config: LlamaConfig;
    readonly weights: ReadonlyMap<string, Float32Array>;
    readonly dtype: WeightType;
    /** tokenizer.json, e.g. of `wordTokenizer`. */
    readonly tokenizerJson: Readonly<Record<string, unknown>>;
    readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  },
): Promise<void>;

/** Hex SHA-256 over names (sorted), element counts and bytes; equal digests mean equal weights. */
export declare function weightsDigest(weights: ReadonlyMap<string, Float32Array>): string;
