/** A model's weights, from a checkpoint's files into memory and back. */

import { createHash } from "node:crypto";
import { access, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../errors.js";
import { syncFolder } from "../files.js";
import type { ModelConfig } from "./model-config.js";
import { SafetensorsFile, type TensorToWrite, writeSafetensors } from "./safetensors.js";
import { EMBEDDING, elementCount, HEAD, type StoredTensor, storedTensors } from "./tensors.js";
import { INDEX_FILE, refuseNonFinite, SINGLE_FILE, WeightFiles } from "./weight-files.js";
import { WEIGHT_TYPES, type WeightType } from "./weight-types.js";

/** Weights by name, row-major, with names and shapes as `modelTensors(config)` gives them. */
export type Weights = Map<string, Float32Array>;

const FILE_TYPES = { float32: "F32", bfloat16: "BF16", float16: "F16" } as const;

/** Buffers that older checkpoints hold beside their weights; they follow from the config. */
const DERIVED_TENSOR = /\.rotary_emb\.inv_freq$/;

/**
 * Reads the weights of a checkpoint folder and the type that most of them have there.
 * Throws UserError for a tensor that is missing, misshapen, not finite, or that the model would not use.
 */
export async function readWeights(
  dir: string,
  config: ModelConfig,
): Promise<{ readonly weights: Weights; readonly dtype: WeightType }> {
  const source = await WeightFiles.open(dir);
  try {
    checkTensors(source, config);
    const weights: Weights = new Map();
    const sizes: Record<WeightType, number> = { float32: 0, bfloat16: 0, float16: 0 };
    for (const stored of storedTensors(config)) {
      const values = await source.read(stored.name);
      addParts(weights, stored, values);
      const type = WEIGHT_TYPES.find((name) => FILE_TYPES[name] === source.tensors.get(stored.name)?.dtype);
      sizes[type ?? "float32"] += values.length;
    }
    if (config.tiedHead && source.tensors.has(HEAD)) await checkTiedHead(source, weights.get(EMBEDDING));
    const dtype = WEIGHT_TYPES.reduce((most, type) => (sizes[type] > sizes[most] ? type : most));
    return { weights, dtype };
  } finally {
    await source.close();
  }
}

/** Adds views of a stored tensor's parts, which lie one after the other. */
function addParts(weights: Weights, { parts }: StoredTensor, values: Float32Array): void {
  let begin = 0;
  for (const { name, shape } of parts) {
    const end = begin + elementCount(shape);
    weights.set(name, values.subarray(begin, end));
    begin = end;
  }
}

/** Compares what the files hold with what the config asks for, before any weight is read. */
function checkTensors(source: WeightFiles, config: ModelConfig): void {
  const expected = new Map(storedTensors(config).map(({ name, shape }) => [name, JSON.stringify(shape)]));
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
        `expected tensor ${name} of ${source.path} to have shape ${wanted} after config.json, ` +
          `got ${JSON.stringify(shape)}`,
      );
    }
  }
  const foreign = unexpected.filter((name) => !DERIVED_TENSOR.test(name) && !(config.tiedHead && name === HEAD));
  if (foreign.length > 0) {
    throw new UserError(
      `expected only tensors of a ${config.family} model in ${source.path}, got also ${someOf(foreign)}; ` +
        "leaving them out would give another model than the one that was trained",
    );
  }
}

/** A model with a tied head may hold the head as well, but only as a copy of the embedding. */
async function checkTiedHead(source: WeightFiles, embedding: Float32Array | undefined): Promise<void> {
  const head = await source.read(HEAD);
  const same = head.length === embedding?.length && head.every((value, i) => value === embedding[i]);
  if (same) return;
  throw new UserError(
    `expected ${HEAD} of ${source.path} to equal ${EMBEDDING}, as tie_word_embeddings of config.json says, got other ` +
      "weights. If the model was trained with a head of its own, set tie_word_embeddings to false; " +
      "else remove the tensor.",
  );
}

function someOf(names: readonly string[]): string {
  return names.length > 5 ? `${names.slice(0, 5).join(", ")} and ${names.length - 5} more` : names.join(", ");
}

/**
 * Writes the weights as one file of the given type, and removes the shards of an earlier checkpoint afterwards.
 * Throws UserError for a weight that is not finite, or that float16 cannot hold.
 */
export async function writeWeights(
  dir: string,
  config: ModelConfig,
  weights: ReadonlyMap<string, Float32Array>,
  dtype: WeightType,
): Promise<void> {
  const tensors = tensorsToWrite(config, weights, dir);
  if (dtype === "float16") refuseLarge(tensors, dir);
  await writeSafetensors(join(dir, SINGLE_FILE), tensors, { dtype: FILE_TYPES[dtype], metadata: { format: "pt" } });
  const stale = (await readdir(dir)).filter(
    (name) => name === INDEX_FILE || /^model-\d+-of-\d+\.safetensors$/.test(name),
  );
  for (const name of stale) await rm(join(dir, name));
  if (stale.length > 0) await syncFolder(dir);
}

function tensorsToWrite(
  config: ModelConfig,
  weights: ReadonlyMap<string, Float32Array>,
  dir: string,
): (TensorToWrite & { readonly values: readonly Float32Array[] })[] {
  return storedTensors(config).map(({ name, shape, parts }) => {
    const values = parts.map((part) => {
      const data = weights.get(part.name);
      if (data?.length !== elementCount(part.shape)) {
        throw new Error(`expected ${elementCount(part.shape)} weights for ${part.name}, got ${data?.length ?? "none"}`);
      }
      refuseNonFinite(data, part.name, `the model that ${dir} is to hold`);
      return data;
    });
    return { name, shape, values };
  });
}

/** Smallest magnitude that float16 rounds to infinity. */
const FLOAT16_LIMIT = 65_520;

function refuseLarge(tensors: readonly { name: string; values: readonly Float32Array[] }[], dir: string): void {
  for (const { name, values } of tensors) {
    for (const part of values) {
      const large = part.find((value) => Math.abs(value) >= FLOAT16_LIMIT);
      if (large === undefined) continue;
      throw new UserError(
        `expected weights within ±${FLOAT16_LIMIT} to save ${name} in ${dir} as float16, got ${large}; ` +
          "save another type with --checkpoint-dtype float32",
      );
    }
  }
}

/**
 * The float32 weights behind a checkpoint of 16 bits, which training goes on from. In the safetensors format, under a
 * name that no loader takes for a part of the model.
 */
const EXACT_FILE = "float32-weights.bin";

/** Writes the exact weights beside the checkpoint in `dir`. */
export async function writeExactWeights(
  dir: string,
  config: ModelConfig,
  weights: ReadonlyMap<string, Float32Array>,
): Promise<void> {
  await writeSafetensors(join(dir, EXACT_FILE), tensorsToWrite(config, weights, dir), { dtype: "F32" });
}

/** Removes the exact weights of an earlier save, which do not belong to the checkpoint that is written next. */
export async function removeExactWeights(dir: string): Promise<void> {
  await rm(join(dir, EXACT_FILE), { force: true });
}

/** The weights that were in memory when `dir` was saved: the exact ones where there are some, else the checkpoint's. */
export async function readSavedWeights(dir: string, config: ModelConfig): Promise<Weights> {
  const path = join(dir, EXACT_FILE);
  const exact = await access(path).then(
    () => true,
    () => false,
  );
  if (!exact) return (await readWeights(dir, config)).weights;
  const file = await SafetensorsFile.open(path);
  try {
    const weights: Weights = new Map();
    for (const stored of storedTensors(config)) {
      const values = await file.read(stored.name);
      if (values.length !== elementCount(stored.shape)) {
        throw new UserError(
          `expected ${elementCount(stored.shape)} values of ${stored.name} in ${path}, got ${values.length}`,
        );
      }
      refuseNonFinite(values, stored.name, path);
      addParts(weights, stored, values);
    }
    return weights;
  } finally {
    await file.close();
  }
}

/** Hex SHA-256 over names in sorted order, element counts and bytes; equal digests mean equal weights. */
export function weightsDigest(weights: ReadonlyMap<string, Float32Array>): string {
  const hash = createHash("sha256");
  for (const [name, values] of [...weights].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${JSON.stringify(name)} ${values.length}\n`);
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest("hex");
}
