/** The safetensors format, in and out. */

export interface TensorInfo {
  readonly name: string;
  readonly dtype: "F32" | "F16" | "BF16";
  readonly shape: readonly number[];
}

/** One open .safetensors file; tensors are read one by one. */
export declare class SafetensorsFile {
  static open(path: string): Promise<SafetensorsFile>;
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  /** The tensor's values in row-major order, converted to float32. */
  read(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

export interface TensorToWrite {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Writes tensors (sorted by name: equal input, equal bytes) through a temporary file in the same folder. */
export declare function writeSafetensors(
  path: string,
  tensors: Iterable<TensorToWrite>,
  options?: { readonly dtype?: "F32" | "BF16"; readonly metadata?: Readonly<Record<string, string>> },
): Promise<void>;
