/** The embedded engine: samples and trains a Hugging Face checkpoint in this process, on ONNX Runtime. */

import type { Checkpoint } from "../checkpoint/checkpoint.js";
import type { Lora } from "../checkpoint/lora.js";
import { modelFacts } from "../checkpoint/model-facts.js";
import { modelNameOf, pythonNameOf, refuseAdapter } from "../checkpoint/model-source.js";
import type { WeightType } from "../checkpoint/weight-types.js";
import { weightsDigest } from "../checkpoint/weights.js";
import { checkExamples, checkRequest, checkSampling, checkTokens } from "../checks.js";
import {
  type CallOptions,
  type Capabilities,
  type CheckpointRef,
  type Engine,
  folderOf,
  type ModelFacts,
  type OptimizerParams,
  type Sample,
  type SampleRequests,
  type SamplingParams,
  type SaveOptions,
  type SaveTarget,
  type StepOptions,
  type Tokenizer,
  type TrainingExample,
  type TrainStepResult,
} from "../engine.js";
import { RequestSource } from "../request-source.js";
import { UpdateQueue } from "../update-queue.js";
import { Adapter, newAdapter } from "./adapter.js";
import { readModel } from "./base-model.js";
import { DEFAULT_SLOTS, ONNX_CAPABILITIES } from "./capabilities.js";
import { Device } from "./device.js";
import { Generator } from "./generator.js";
import { ModelWeights } from "./model-weights.js";
import { readOptimizerState, removeOptimizerState, writeOptimizerState } from "./optimizer-state.js";
import { AdapterOnly, type TrainedWeights, WholeModel } from "./trained-weights.js";
import { Trainer } from "./trainer.js";

export interface OnnxEngineOptions {
  /** Folder of a Hugging Face checkpoint: config.json, safetensors, tokenizer.json. */
  readonly model: string;
  /** Threads of one operation; all cores when left out. */
  readonly threads?: number;
  /** Sequences that are generated at once, at most; 64 when left out. */
  readonly slots?: number;
  /**
   * Type of the weights that `save` writes; the base model's when left out. Training and `restore` keep float32 in any
   * case.
   */
  readonly checkpointType?: WeightType;
  /** Trains an adapter beside frozen weights, and saves it alone, in float32. All weights are trained when left out. */
  readonly lora?: Lora;
  /** Key of the adapter's first values. */
  readonly seed?: number;
}

/** Likeliest next tokens whose log-probabilities `canary` gives. */
const CANARY_TOKENS = 4;

/** Opens a checkpoint. Throws UserError naming the file and what is wrong with it. */
export async function openOnnxEngine(options: OnnxEngineOptions): Promise<OnnxEngine> {
  if (options.lora !== undefined) refuseAdapter(options.model);
  const device = new Device({ threads: options.threads });
  return new OnnxEngine(device, await readModel(device, options.model), options);
}

export class OnnxEngine implements Engine {
  readonly model: ModelFacts;
  readonly tokenizer: Tokenizer;
  readonly capabilities: Capabilities;
  readonly #base: Checkpoint;
  readonly #weights: ModelWeights;
  readonly #trained: TrainedWeights;
  readonly #slots: number;
  readonly #updates = new UpdateQueue();
  #trainer: Trainer | undefined;
  /** Compiled around the present weights; dropped when they change. */
  #generator: Generator | undefined;
  #closed = false;

  constructor(device: Device, base: Checkpoint, options: OnnxEngineOptions) {
    const { lora = null, seed = 0, checkpointType = base.dtype } = options;
    this.#base = base;
    this.#slots = options.slots ?? DEFAULT_SLOTS;
    this.capabilities = { ...ONNX_CAPABILITIES, maxInFlight: this.#slots };
    const digest = weightsDigest(base.weights);
    const adapter = lora && new Adapter(device, base.config, lora, newAdapter(base.config, lora, seed));
    this.#weights = ModelWeights.upload(device, base.config, base.weights, adapter);
    this.#trained =
      adapter === null
        ? new WholeModel(base, digest, this.#weights, checkpointType)
        : new AdapterOnly(base, digest, adapter, pythonNameOf(base.path), seed);
    this.tokenizer = base.tokenizer;
    this.model = modelFacts(modelNameOf(base.path), base.config, lora);
  }

  async *sample(
    requests: SampleRequests,
    params: SamplingParams,
    { signal }: CallOptions = {},
  ): AsyncGenerator<Sample> {
    await this.#settled();
    checkSampling(this.model, params);
    const source = new RequestSource(requests, {
      check: (request) => checkRequest(this.model, request, params),
      signal,
    });
    try {
      yield* (await this.#openGenerator()).sample(source, params, signal);
    } finally {
      source.close();
    }
  }

  trainStep(
    examples: readonly TrainingExample[],
    params: OptimizerParams,
    { signal, seed = 0 }: StepOptions = {},
  ): Promise<TrainStepResult> {
    return this.#updates.submit(async () => {
      this.#assertOpen();
      checkExamples(this.model, examples);
      await this.#dropGenerator();
      return this.#openTrainer().step(examples, params, seed);
    }, signal);
  }

  async resetOptimizer(): Promise<void> {
    await this.#settled();
    this.#trainer?.resetOptimizer();
  }

  async reset(): Promise<void> {
    await this.#settled();
    await this.#dropGenerator();
    await this.#trained.reset();
    this.#trainer?.resetOptimizer();
  }

  async save({ folder }: SaveTarget, options: SaveOptions = {}): Promise<CheckpointRef> {
    await this.#settled();
    await removeOptimizerState(folder);
    await this.#trained.save(folder);
    if (options.optimizer === true) await writeOptimizerState(folder, this.#openTrainer().moments);
    return { folder, weights: await this.#trained.digest() };
  }

  async restore(checkpoint: CheckpointRef): Promise<void> {
    await this.#settled();
    const folder = folderOf(checkpoint);
    await this.#dropGenerator();
    await this.#trained.restore(folder);
    await readOptimizerState(folder, this.#openTrainer().moments);
  }

  async checksum(): Promise<string> {
    await this.#settled();
    return this.#trained.digest();
  }

  async canary(prompt: readonly number[]): Promise<readonly number[]> {
    await this.#settled();
    checkTokens(this.model, "the canary prompt", prompt);
    return (await this.#openGenerator()).likeliest(prompt, CANARY_TOKENS);
  }

  async close(): Promise<void> {
    await this.#updates.idle();
    this.#closed = true;
    await this.#dropGenerator();
    await this.#trainer?.close();
    this.#trainer = undefined;
  }

  async #openGenerator(): Promise<Generator> {
    this.#generator ??= await Generator.open(await this.#weights.merged(), this.#base.tokenizer, this.#slots);
    return this.#generator;
  }

  #openTrainer(): Trainer {
    this.#trainer ??= new Trainer(this.#weights);
    return this.#trainer;
  }

  async #dropGenerator(): Promise<void> {
    const generator = this.#generator;
    this.#generator = undefined;
    await generator?.close();
  }

  /** Resolves when every submitted update is made; throws if the engine is closed. */
  async #settled(): Promise<void> {
    this.#assertOpen();
    await this.#updates.idle();
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error("the engine is closed");
  }
}
