/** Arrays on a device by name. */

import type { DeviceArray } from "./device.js";

/** One array a weight: the weights themselves, their gradients or an optimizer's moments. */
export type WeightArrays = ReadonlyMap<string, DeviceArray>;

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
