/** The optimizer's moments beside a checkpoint, so that training can continue exactly where it stopped. */

import { access, rm } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../errors.js";
import { SafetensorsFile, writeSafetensors } from "../checkpoint/safetensors.js";
import { volume } from "./graph/graph.js";
import { clearMoments, type Moments } from "./optimizer.js";

const FILE = "optimizer.safetensors";
const KINDS = ["mean", "square"] as const;

/** Writes `optimizer.safetensors`: tensors `mean.NAME` and `square.NAME`, and the step count in the metadata. */
export async function writeOptimizerState(dir: string, moments: Moments): Promise<void> {
  const tensors = await Promise.all(
    KINDS.flatMap((kind) =>
      [...moments[kind]].map(async ([name, array]) => {
        const values = await array.read();
        return { name: `${kind}.${name}`, shape: [values.length], values };
      }),
    ),
  );
  await writeSafetensors(join(dir, FILE), tensors, { dtype: "F32", metadata: { step: String(moments.step) } });
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
    for (const kind of KINDS) {
      for (const [name, array] of moments[kind]) {
        const values = await file.read(`${kind}.${name}`);
        const expected = volume(array.shape);
        if (values.length !== expected) {
          throw new UserError(`expected ${expected} values of ${kind}.${name} in ${path}, got ${values.length}`);
        }
        array.upload(values);
      }
    }
    moments.step = step;
  } finally {
    await file.close();
  }
}
