/**
 * The one module that talks to ONNX Runtime. A device runs graphs (`Session`) and holds numbers (`DeviceArray`); which
 * execution provider it uses is decided here and nowhere else. Today that is the CPU, whose memory is this process's
 * own.
 */

import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { volume } from "./graph/graph.js";

/** Names of ONNX Runtime's execution providers that this engine supports. */
type ExecutionProvider = "cpu";

export interface DeviceOptions {
  readonly provider?: ExecutionProvider;
  /** Threads of one operation; all cores when left out. */
  readonly threads?: number | undefined;
}

/** An input or output of one run. */
export type Value = OrtTensor;
export type Feeds = Readonly<Record<string, Value>>;

export class Device {
  readonly #options: InferenceSession.SessionOptions;

  constructor({ provider = "cpu", threads }: DeviceOptions = {}) {
    this.#options = {
      executionProviders: [provider],
      graphOptimizationLevel: "all",
      executionMode: "sequential",
      logSeverityLevel: 3,
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    };
  }

  /** An array of zeros. */
  zeros(shape: readonly number[]): DeviceArray {
    return new DeviceArray(shape, new Float32Array(volume(shape)));
  }

  /** An array with these values. It takes `values` over: the caller must not change them afterwards. */
  upload(values: Float32Array, shape: readonly number[]): DeviceArray {
    return new DeviceArray(shape, values);
  }

  /**
   * Compiles a graph.
   *
   * @param constants the weights that the model names as external; they must not change while the session is open
   */
  async compile(model: Uint8Array, constants: ReadonlyMap<string, DeviceArray> = new Map()): Promise<Session> {
    const externalData = [...constants].map(([path, { host }]) => ({ path, data: bytesOf(host) }));
    return new Session(
      await InferenceSession.create(model, {
        ...this.#options,
        ...(externalData.length === 0 ? {} : { externalData }),
      }),
    );
  }
}

/** float32 numbers that a device holds, row-major. */
export class DeviceArray {
  readonly shape: readonly number[];
  /** The numbers themselves; only devices that share this process's memory have them, as the CPU does. */
  readonly host: Float32Array;

  constructor(shape: readonly number[], host: Float32Array) {
    if (host.length !== volume(shape))
      throw new Error(`expected ${volume(shape)} values of [${shape}]: ${host.length}`);
    this.shape = shape;
    this.host = host;
  }

  /** The whole array as an input of a run, or as the place of an output. */
  get value(): Value {
    return floats(this.host, this.shape);
  }

  /** The same numbers in another shape. */
  reshaped(shape: readonly number[]): DeviceArray {
    return new DeviceArray(shape, this.host);
  }

  /** Flat pieces of at most `length` numbers, in order, each as an input or output of a run. */
  pieces(length: number): Value[] {
    const count = Math.ceil(this.host.length / length);
    return Array.from({ length: count }, (_, i) => {
      const piece = this.host.subarray(i * length, (i + 1) * length);
      return floats(piece, [piece.length]);
    });
  }

  /** Replaces the numbers. */
  upload(values: Float32Array): void {
    if (values.length !== this.host.length) {
      throw new Error(`expected ${this.host.length} values of [${this.shape}], got ${values.length}`);
    }
    this.host.set(values);
  }

  /** The numbers, for reading only; a later run or upload may change them. */
  async read(): Promise<Float32Array> {
    return this.host;
  }

  clear(): void {
    this.host.fill(0);
  }
}

/** A compiled graph. A run blocks the thread: one at a time, and nothing else of this process continues meanwhile. */
export class Session {
  readonly #session: InferenceSession;

  constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** Runs the graph. Outputs with a value in `into` are written there; those with null come in new arrays. */
  async run<Name extends string>(
    feeds: Feeds,
    into: Readonly<Record<Name, Value | null>>,
  ): Promise<Readonly<Record<Name, Value>>> {
    return (await this.#session.run(feeds, into)) as Record<Name, Value>;
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

/** A view of `data` as an input or output of a run; nothing is copied on the CPU. */
export function floats(data: Float32Array, shape: readonly number[]): Value {
  return new OrtTensor("float32", data, shape);
}

/** A view of `data` as an input; nothing is copied on the CPU. */
export function integers(data: BigInt64Array, shape: readonly number[]): Value {
  return new OrtTensor("int64", data, shape);
}

/** The numbers of a float output. */
export function floatData(value: Value): Float32Array {
  if (!(value.data instanceof Float32Array)) throw new Error("expected floats from the graph");
  return value.data;
}

/** The numbers of an integer output. */
export function integerData(value: Value): BigInt64Array {
  if (!(value.data instanceof BigInt64Array)) throw new Error("expected integers from the graph");
  return value.data;
}

function bytesOf(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
