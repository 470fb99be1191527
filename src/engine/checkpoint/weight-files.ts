/** The weights of a checkpoint folder: one model.safetensors, or shards named by model.safetensors.index.json. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { shown, UserError } from "../../errors.js";
import { isRecord, parseJson, readIfPresent } from "../files.js";
import { checkJsonShape } from "./json-shape.js";
import { SafetensorsFile, type TensorInfo } from "./safetensors.js";

export const SINGLE_FILE = "model.safetensors";
export const INDEX_FILE = "model.safetensors.index.json";

export class WeightFiles {
  /** The single file or the index, for messages. */
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly #fileOf: ReadonlyMap<string, SafetensorsFile>;
  readonly #files: readonly SafetensorsFile[];

  private constructor(path: string, fileOf: ReadonlyMap<string, SafetensorsFile>, files: readonly SafetensorsFile[]) {
    this.path = path;
    this.#fileOf = fileOf;
    this.#files = files;
    this.tensors = new Map([...fileOf].map(([name, file]) => [name, file.tensors.get(name) as TensorInfo]));
  }

  /**
   * Opens the folder's weights: the single file where there is one, as in transformers, else the shards. Throws
   * UserError. Close when done.
   */
  static async open(dir: string): Promise<WeightFiles> {
    const single = join(dir, SINGLE_FILE);
    if (existsSync(single)) {
      const file = await SafetensorsFile.open(single);
      return new WeightFiles(single, new Map([...file.tensors.keys()].map((name) => [name, file])), [file]);
    }
    const indexPath = join(dir, INDEX_FILE);
    const index = await readIfPresent(indexPath);
    if (index === null) {
      throw new UserError(
        `expected ${SINGLE_FILE} or ${INDEX_FILE} in ${dir}, got neither; ` +
          "a checkpoint in another format (pytorch_model.bin, GGUF) must be saved as safetensors first",
      );
    }
    return WeightFiles.#openShards(dir, parseWeightMap(index, indexPath), indexPath);
  }

  static async #openShards(dir: string, weightMap: Map<string, string>, indexPath: string): Promise<WeightFiles> {
    const files = new Map<string, SafetensorsFile>();
    try {
      const fileOf = new Map<string, SafetensorsFile>();
      for (const [tensor, shard] of weightMap) {
        const file = files.get(shard) ?? (await SafetensorsFile.open(join(dir, shard)));
        files.set(shard, file);
        if (!file.tensors.has(tensor)) {
          throw new UserError(
            `expected tensor ${shown(tensor)} in ${file.path}, where ${indexPath} places it, got none of that name`,
          );
        }
        fileOf.set(tensor, file);
      }
      return new WeightFiles(indexPath, fileOf, [...files.values()]);
    } catch (error) {
      for (const file of files.values()) await file.close();
      throw error;
    }
  }

  /** See `SafetensorsFile.read`; throws UserError for a value that is not finite, too. */
  async read(name: string): Promise<Float32Array> {
    const file = this.#fileOf.get(name);
    if (file === undefined) {
      throw new UserError(`expected a tensor ${shown(name)} in ${this.path}, got none of that name`);
    }
    const values = await file.read(name);
    refuseNonFinite(values, name, file.path);
    return values;
  }

  async close(): Promise<void> {
    for (const file of this.#files) await file.close();
  }
}

/**
 * Throws UserError when a weight is not a number or infinite: a model that computes with one answers nonsense, or
 * nothing.
 */
export function refuseNonFinite(values: Float32Array, name: string, where: string): void {
  if (allFinite(values)) return;
  const at = values.findIndex((value) => !Number.isFinite(value));
  throw new UserError(
    `expected finite weights in tensor ${shown(name)} of ${where}, got ${values[at]} at element ${at}; ` +
      "the checkpoint was damaged or its training diverged",
  );
}

/**
 * v · 0 is 0 for every finite v, else NaN, which stays in the sum: no branch for each value. Four sums, so that an
 * addition need not wait for the one before it.
 */
function allFinite(values: Float32Array): boolean {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = values.length - (values.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += values[i] * 0;
    b += values[i + 1] * 0;
    c += values[i + 2] * 0;
    d += values[i + 3] * 0;
  }
  for (let i = whole; i < values.length; i++) a += values[i] * 0;
  return a + b + c + d === 0;
}

/** Names of the files that an index of weights names. Throws UserError naming `path` when it is none. */
export function shardsOf(index: Uint8Array, path: string): readonly string[] {
  return [...new Set(parseWeightMap(index, path).values())];
}

/** File names by tensor name. Names with a path in them are refused: a checkpoint's files lie in its own folder. */
function parseWeightMap(bytes: Uint8Array, path: string): Map<string, string> {
  checkJsonShape(bytes, path, { maxDepth: 3 });
  const json = parseJson(bytes, path);
  const weightMap = isRecord(json) ? (json as { weight_map?: unknown }).weight_map : undefined;
  if (!isRecord(weightMap)) throw new UserError(`expected an object weight_map in ${path}, got ${shown(weightMap)}`);
  const result = new Map<string, string>();
  for (const [tensor, file] of Object.entries(weightMap)) {
    if (typeof file !== "string" || basename(file) !== file || file.includes("\\") || !file.endsWith(".safetensors")) {
      throw new UserError(
        `expected weight_map of ${path} to give a .safetensors file of its own folder for ${shown(tensor)}, ` +
          `got ${shown(file)}`,
      );
    }
    result.set(tensor, file);
  }
  return result;
}
