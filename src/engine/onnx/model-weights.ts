/** A model's weights on a device. Trainer and generator share one set: an update is seen by both. */

import type { ModelConfig } from "../checkpoint/model-config.js";
import { modelTensors } from "../checkpoint/tensors.js";
import type { Weights } from "../checkpoint/weights.js";
import type { Device, DeviceArray } from "./device.js";

/** One array a weight, by Hugging Face name: the weights themselves, their gradients or an optimizer's moments. */
export type WeightArrays = ReadonlyMap<string, DeviceArray>;

export class ModelWeights {
  readonly device: Device;
  readonly config: ModelConfig;
  readonly arrays: WeightArrays;

  private constructor(device: Device, config: ModelConfig, arrays: WeightArrays) {
    this.device = device;
    this.config = config;
    this.arrays = arrays;
  }

  /** Puts a checkpoint's weights on a device, which takes the arrays over. */
  static upload(device: Device, config: ModelConfig, weights: Weights): ModelWeights {
    const arrays = modelTensors(config).map(({ name, shape }) => {
      const values = weights.get(name);
      if (values === undefined) throw new Error(`the checkpoint has no ${name}`);
      return [name, device.upload(values, shape)] as const;
    });
    return new ModelWeights(device, config, new Map(arrays));
  }

  /** The array of a weight that the model has. */
  array(name: string): DeviceArray {
    return arrayOf(this.arrays, name);
  }

  /** Zeros in the shapes of all weights. */
  zeros(): WeightArrays {
    return new Map([...this.arrays].map(([name, { shape }]) => [name, this.device.zeros(shape)]));
  }

  /** Replaces all weights by those of a checkpoint of the same shapes. */
  replace(weights: Weights): void {
    for (const [name, array] of this.arrays) {
      const values = weights.get(name);
      if (values === undefined) throw new Error(`the checkpoint has no ${name}`);
      array.upload(values);
    }
  }

  /** The weights as a checkpoint holds them, for reading only; a later update changes them. */
  read(): Promise<Weights> {
    return readArrays(this.arrays);
  }
}

/** The numbers of each array, for reading only. */
export async function readArrays(arrays: WeightArrays): Promise<Map<string, Float32Array>> {
  const numbers = new Map<string, Float32Array>();
  for (const [name, array] of arrays) numbers.set(name, await array.read());
  return numbers;
}

export function arrayOf(arrays: WeightArrays, name: string): DeviceArray {
  const array = arrays.get(name);
  if (array === undefined) throw new Error(`the model has no ${name}`);
  return array;
}
