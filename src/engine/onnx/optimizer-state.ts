/** The optimizer's moments beside a checkpoint, so that training can go on exactly where it stopped. */

import { access, rm } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../errors.js";
import { SafetensorsFile, writeSafetensors } from "../checkpoint/safetensors.js";
import { clearMoments, type Moments } from "./adam.js";

const FILE = "optimizer.safetensors";

/** Writes `optimizer.safetensors`: tensors `mean.NAME` and `square.NAME`, and the step count in the metadata. */
export async function writeOptimizerState(dir: string, moments: Moments): Promise<void> {
  const tensors = [
    ...[...moments.mean].map(([name, data]) => ({ name: `mean.${name}`, data })),
    ...[...moments.square].map(([name, data]) => ({ name: `square.${name}`, data })),
  ];
  await writeSafetensors(
    join(dir, FILE),
    tensors.map(({ name, data }) => ({ name, shape: [data.length], values: data })),
    { dtype: "F32", metadata: { step: String(moments.step) } },
  );
}

/** Removes the state of an earlier save, which would not belong to the weights that are written now. */
export async function removeOptimizerState(dir: string): Promise<void> {
  await rm(join(dir, FILE), { force: true });
}

/** Reads the state into `moments`; clears them when the folder has none. */
export async function readOptimizerState(dir: string, moments: Moments): Promise<void> {
  const path = join(dir, FILE);
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (!exists) {
    clearMoments(moments);
    return;
  }
  const file = await SafetensorsFile.open(path);
  try {
    const step = Number(file.metadata["step"]);
    if (!Number.isSafeInteger(step) || step < 0) {
      throw new UserError(
        `expected the optimizer's step count in the metadata of ${path}, got ${file.metadata["step"]}`,
      );
    }
    for (const [kind, targets] of [
      ["mean", moments.mean],
      ["square", moments.square],
    ] as const) {
      for (const [name, target] of targets) {
        const data = await file.read(`${kind}.${name}`);
        if (data.length !== target.length) {
          throw new UserError(`expected ${target.length} values of ${kind}.${name} in ${path}, got ${data.length}`);
        }
        target.set(data);
      }
    }
    moments.step = step;
  } finally {
    await file.close();
  }
}
