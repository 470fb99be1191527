/** A model's weights on a device. Trainer and generator share one set: an update is seen by both. */

import type { ModelConfig } from "../checkpoint/model-config.js";
import { modelTensors } from "../checkpoint/tensors.js";
import type { Weights } from "../checkpoint/weights.js";
import type { Adapter } from "./adapter.js";
import type { Device, DeviceArray } from "./device.js";
import { arrayOf, readArrays, type WeightArrays } from "./weight-arrays.js";

export class ModelWeights {
  readonly device: Device;
  readonly config: ModelConfig;
  /** The model's own, by Hugging Face name. */
  readonly arrays: WeightArrays;
  /** What is trained instead of the model's own weights, which are frozen then. */
  readonly adapter: Adapter | null;

  private constructor(device: Device, config: ModelConfig, arrays: WeightArrays, adapter: Adapter | null) {
    this.device = device;
    this.config = config;
    this.arrays = arrays;
    this.adapter = adapter;
  }

  /** Puts a checkpoint's weights on a device, which takes the arrays over. */
  static upload(device: Device, config: ModelConfig, weights: Weights, adapter: Adapter | null = null): ModelWeights {
    const arrays = modelTensors(config).map(({ name, shape }) => {
      const values = weights.get(name);
      if (values === undefined) throw new Error(`the checkpoint has no ${name}`);
      return [name, device.upload(values, shape)] as const;
    });
    return new ModelWeights(device, config, new Map(arrays), adapter);
  }

  /** The array of a weight that the model has. */
  array(name: string): DeviceArray {
    return arrayOf(this.arrays, name);
  }

  /** What training changes: the adapter's weights, or all. */
  get trainable(): WeightArrays {
    return this.adapter?.arrays ?? this.arrays;
  }

  /** Zeros in the shapes of what training changes. */
  zeros(): WeightArrays {
    return new Map([...this.trainable].map(([name, { shape }]) => [name, this.device.zeros(shape)]));
  }

  /** The present model without an adapter; one that there is is merged into new arrays. */
  async merged(): Promise<ModelWeights> {
    if (this.adapter === null) return this;
    return new ModelWeights(this.device, this.config, await this.adapter.mergedInto(this.arrays), null);
  }

  /** Replaces all weights of the model by those of a checkpoint of the same shapes. */
  replace(weights: Weights): void {
    for (const [name, array] of this.arrays) {
      const values = weights.get(name);
      if (values === undefined) throw new Error(`the checkpoint has no ${name}`);
      array.upload(values);
    }
  }

  /** The model's weights as a checkpoint holds them, for reading only; a later update changes them. */
  read(): Promise<Weights> {
    return readArrays(this.arrays);
  }
}
