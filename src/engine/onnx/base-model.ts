/** The model that an engine opens: a checkpoint, or an adapter's base with the adapter merged into it. */

import { readAdapterConfig, readAdapterWeights } from "../checkpoint/adapter-files.js";
import { type Checkpoint, readCheckpoint } from "../checkpoint/checkpoint.js";
import { baseFolderOf } from "../checkpoint/model-source.js";
import { Adapter } from "./adapter.js";
import type { Device } from "./device.js";
import { ModelWeights } from "./model-weights.js";

/** Reads the model in a folder. Throws UserError naming the file and what is wrong with it. */
export async function readModel(device: Device, folder: string): Promise<Checkpoint> {
  const baseFolder = await baseFolderOf(folder);
  const base = await readCheckpoint(baseFolder);
  if (baseFolder === folder) return base;
  const { lora } = await readAdapterConfig(folder);
  const adapter = new Adapter(device, base.config, lora, await readAdapterWeights(folder, base.config, lora));
  const merged = await ModelWeights.upload(device, base.config, base.weights, adapter).merged();
  return { ...base, path: folder, weights: await merged.read() };
}
