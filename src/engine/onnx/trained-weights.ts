/** What training changes, all weights or an adapter's, and how checkpoint folders keep it. */

import { createHash } from "node:crypto";
import { UserError } from "../../errors.js";
import { type AdapterBase, readAdapterConfig, readAdapterWeights, writeAdapter } from "../checkpoint/adapter-files.js";
import { type Checkpoint, writeCheckpoint } from "../checkpoint/checkpoint.js";
import { readModelConfig } from "../checkpoint/config-json.js";
import type { Lora } from "../checkpoint/lora.js";
import { parameterCount } from "../checkpoint/model-facts.js";
import type { WeightType } from "../checkpoint/weight-types.js";
import { readSavedWeights, removeExactWeights, weightsDigest, writeExactWeights } from "../checkpoint/weights.js";
import { type Adapter, newAdapter } from "./adapter.js";
import { readModel } from "./base-model.js";
import type { ModelWeights } from "./model-weights.js";

export interface TrainedWeights {
  digest(): Promise<string>;
  /** Back to the values that the engine was opened with. */
  reset(): Promise<void>;
  save(folder: string): Promise<void>;
  /** Throws UserError when the folder does not fit; the present weights stay then. */
  restore(folder: string): Promise<void>;
}

/** Full fine-tuning: a checkpoint folder is a whole model. */
export class WholeModel implements TrainedWeights {
  readonly #base: Checkpoint;
  readonly #baseDigest: string;
  readonly #weights: ModelWeights;
  readonly #savedType: WeightType;

  constructor(base: Checkpoint, baseDigest: string, weights: ModelWeights, savedType: WeightType) {
    this.#base = base;
    this.#baseDigest = baseDigest;
    this.#weights = weights;
    this.#savedType = savedType;
  }

  async digest(): Promise<string> {
    return weightsDigest(await this.#weights.read());
  }

  /** Reads the base again, since its values in memory were trained. */
  async reset(): Promise<void> {
    const { path } = this.#base;
    const base = await readModel(this.#weights.device, path);
    if (weightsDigest(base.weights) !== this.#baseDigest) {
      throw new UserError(
        `expected the base model's weights in ${path} as they were when it was opened, got others: restore the folder`,
      );
    }
    this.#weights.replace(base.weights);
  }

  async save(folder: string): Promise<void> {
    const { config } = this.#base;
    const dtype = this.#savedType;
    const weights = await this.#weights.read();
    await removeExactWeights(folder);
    await writeCheckpoint(folder, { ...this.#base, weights, dtype });
    if (dtype !== "float32") await writeExactWeights(folder, config, weights);
  }

  async restore(folder: string): Promise<void> {
    const { config } = await readModelConfig(folder);
    const [expected, found] = [parameterCount(this.#base.config), parameterCount(config)];
    if (expected !== found) {
      throw new UserError(
        `expected a checkpoint of ${this.#base.path} in ${folder} (${expected} parameters), got one of ${found}`,
      );
    }
    this.#weights.replace(await readSavedWeights(folder, config));
  }
}

/** LoRA: a checkpoint folder is an adapter as PEFT writes it. */
export class AdapterOnly implements TrainedWeights {
  readonly #base: Checkpoint;
  readonly #baseDigest: string;
  readonly #adapter: Adapter;
  readonly #named: AdapterBase;
  readonly #seed: number;

  /**
   * @param named what the adapter's folder calls the base
   * @param seed key of the first values
   */
  constructor(base: Checkpoint, baseDigest: string, adapter: Adapter, named: AdapterBase, seed: number) {
    this.#base = base;
    this.#baseDigest = baseDigest;
    this.#adapter = adapter;
    this.#named = named;
    this.#seed = seed;
  }

  /** Of base and adapter together: an adapter alone is no model. */
  async digest(): Promise<string> {
    const own = weightsDigest(await this.#adapter.read());
    return createHash("sha256").update(`${this.#baseDigest}\n${own}\n`).digest("hex");
  }

  async reset(): Promise<void> {
    this.#adapter.replace(newAdapter(this.#base.config, this.#adapter.lora, this.#seed));
  }

  async save(folder: string): Promise<void> {
    const { lora } = this.#adapter;
    await writeAdapter(folder, this.#base.config, { lora, base: this.#named, weights: await this.#adapter.read() });
  }

  async restore(folder: string): Promise<void> {
    const { lora } = this.#adapter;
    const found = await readAdapterConfig(folder);
    if (shapeOf(found.lora) !== shapeOf(lora)) {
      throw new UserError(`expected an adapter of ${shapeOf(lora)} in ${folder}, got one of ${shapeOf(found.lora)}`);
    }
    this.#adapter.replace(await readAdapterWeights(folder, this.#base.config, lora));
  }
}

function shapeOf({ rank, alpha, targets }: Lora): string {
  return `rank ${rank}, alpha ${alpha}, targets ${targets.join(", ")}`;
}
