/** A LoRA adapter on a device: its first values, and the model with the adapter merged into its matrices. */

import { seedFor, uniform } from "../../algorithm/random.js";
import { type AdapterPair, adapterPairs, type Lora, loraScale } from "../checkpoint/lora.js";
import type { ModelConfig } from "../checkpoint/model-config.js";
import { elementCount } from "../checkpoint/tensors.js";
import type { Weights } from "../checkpoint/weights.js";
import type { Device, DeviceArray } from "./device.js";
import { Graph } from "./graph/graph.js";
import { arrayOf, readArrays, type WeightArrays } from "./weight-arrays.js";

/** Values for a new adapter: A uniform within ±1/√inputs as PEFT draws it, B zero, so that the model is its base. */
export function newAdapter(config: ModelConfig, lora: Lora, seed: number): Weights {
  const weights: Weights = new Map();
  for (const [place, { a, b }] of adapterPairs(config, lora).entries()) {
    const key = seedFor(seed, "adapter", 0, place);
    const bound = 1 / Math.sqrt(a.shape[1]);
    weights.set(
      a.name,
      Float32Array.from({ length: elementCount(a.shape) }, (_, i) => bound * (2 * uniform(key, i) - 1)),
    );
    weights.set(b.name, new Float32Array(elementCount(b.shape)));
  }
  return weights;
}

export class Adapter {
  readonly lora: Lora;
  /** A and B of every matrix that has an adapter, by PEFT's names. */
  readonly arrays: WeightArrays;
  readonly #device: Device;
  readonly #pairs: readonly AdapterPair[];

  /** Puts an adapter's weights on a device, which takes the arrays over. */
  constructor(device: Device, config: ModelConfig, lora: Lora, weights: Weights) {
    this.lora = lora;
    this.#device = device;
    this.#pairs = adapterPairs(config, lora);
    this.arrays = new Map(
      this.#pairs
        .flatMap(({ a, b }) => [a, b])
        .map(({ name, shape }) => {
          const values = weights.get(name);
          if (values === undefined) throw new Error(`the adapter has no ${name}`);
          return [name, device.upload(values, shape)];
        }),
    );
  }

  read(): Promise<Weights> {
    return readArrays(this.arrays);
  }

  replace(weights: Weights): void {
    for (const [name, array] of this.arrays) {
      const values = weights.get(name);
      if (values === undefined) throw new Error(`the adapter has no ${name}`);
      array.upload(values);
    }
  }

  /** W + α/r · B · A in new arrays for each matrix with an adapter; all other arrays are those of `base`. */
  async mergedInto(base: WeightArrays): Promise<WeightArrays> {
    const g = new Graph();
    const [weight, a, b] = [g.input("weight", ["O", "I"]), g.input("a", ["R", "I"]), g.input("b", ["O", "R"])];
    const sum = g.output(g.add(weight, g.matmul(b, a, { scale: loraScale(this.lora) })));
    const session = await this.#device.compile(g.encode());
    const merged = new Map<string, DeviceArray>(base);
    for (const pair of this.#pairs) {
      const name = `${pair.map}.weight`;
      const frozen = arrayOf(base, name);
      const into = this.#device.zeros(frozen.shape);
      const [valueA, valueB] = [pair.a, pair.b].map((tensor) => arrayOf(this.arrays, tensor.name).value);
      await session.run({ weight: frozen.value, a: valueA, b: valueB }, { [sum.name]: into.value });
      merged.set(name, into);
    }
    await session.close();
    return merged;
  }
}
