/** The one place that talks to ONNX Runtime. */

import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";

export type Feeds = Record<string, OrtTensor>;

export interface SessionOptions {
  /** Threads of one operation; all cores when left out. */
  readonly threads?: number | undefined;
  /** Bytes of the weights that the model names as external. */
  readonly externalWeights?: ReadonlyMap<string, Float32Array>;
}

/** A compiled graph. Runs are synchronous inside the runtime: one at a time, and nothing else of this process goes on meanwhile. */
export class Session {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async open(model: Uint8Array, { threads, externalWeights }: SessionOptions = {}): Promise<Session> {
    const session = await InferenceSession.create(model, {
      executionProviders: ["cpu"],
      graphOptimizationLevel: "all",
      executionMode: "sequential",
      logSeverityLevel: 3,
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
      ...(externalWeights === undefined
        ? {}
        : { externalData: [...externalWeights].map(([path, data]) => ({ path, data: bytesOf(data) })) }),
    });
    return new Session(session);
  }

  /** Runs the graph. Results named in `into` are written there; the others come in new arrays. */
  async run(feeds: Feeds, into: Readonly<Record<string, OrtTensor | null>>): Promise<Record<string, OrtTensor>> {
    return (await this.#session.run(feeds, into)) as Record<string, OrtTensor>;
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

/** A view of `data` as a tensor; nothing is copied. */
export function floats(data: Float32Array, shape: readonly number[]): OrtTensor {
  return new OrtTensor("float32", data, shape);
}

/** A view of `data` as a tensor; nothing is copied. */
export function integers(data: BigInt64Array, shape: readonly number[]): OrtTensor {
  return new OrtTensor("int64", data, shape);
}

/** The numbers of a float tensor. */
export function floatData(tensor: OrtTensor | undefined): Float32Array {
  if (!(tensor?.data instanceof Float32Array)) throw new Error("expected a float tensor from the graph");
  return tensor.data;
}

function bytesOf(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
