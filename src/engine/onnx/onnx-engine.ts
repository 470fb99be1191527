/** The embedded engine: samples and trains a Hugging Face checkpoint in this process, on ONNX Runtime. */

import { UserError } from "../../errors.js";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "../checkpoint/checkpoint.js";
import { readModelConfig } from "../checkpoint/config-json.js";
import { modelFacts, parameterCount } from "../checkpoint/model-facts.js";
import { modelNameOf } from "../checkpoint/model-source.js";
import type { WeightType } from "../checkpoint/weight-types.js";
import {
  readSavedWeights,
  removeExactWeights,
  type Weights,
  weightsDigest,
  writeExactWeights,
} from "../checkpoint/weights.js";
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
  type Tokenizer,
  type TrainingExample,
  type TrainStepResult,
} from "../engine.js";
import { RequestSource } from "../request-source.js";
import { UpdateQueue } from "../update-queue.js";
import { DEFAULT_SLOTS, ONNX_CAPABILITIES } from "./capabilities.js";
import { Device } from "./device.js";
import { Generator } from "./generator.js";
import { ModelWeights } from "./model-weights.js";
import { readOptimizerState, removeOptimizerState, writeOptimizerState } from "./optimizer-state.js";
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
}

/** Likeliest next tokens whose log-probabilities `canary` gives. */
const CANARY_TOKENS = 4;

/** Opens a checkpoint. Throws UserError naming the file and what is wrong with it. */
export async function openOnnxEngine(options: OnnxEngineOptions): Promise<OnnxEngine> {
  return new OnnxEngine(await readCheckpoint(options.model), options);
}

export class OnnxEngine implements Engine {
  readonly model: ModelFacts;
  readonly tokenizer: Tokenizer;
  readonly capabilities: Capabilities;
  readonly #base: Checkpoint;
  readonly #baseDigest: string;
  readonly #weights: ModelWeights;
  readonly #slots: number;
  readonly #checkpointType: WeightType;
  readonly #updates = new UpdateQueue();
  #trainer: Trainer | undefined;
  /** Compiled around the present weights; dropped when they change. */
  #generator: Generator | undefined;
  #closed = false;

  constructor(base: Checkpoint, options: OnnxEngineOptions) {
    this.#base = base;
    this.#slots = options.slots ?? DEFAULT_SLOTS;
    this.#checkpointType = options.checkpointType ?? base.dtype;
    this.capabilities = { ...ONNX_CAPABILITIES, maxInFlight: this.#slots };
    this.#baseDigest = weightsDigest(base.weights);
    this.#weights = ModelWeights.upload(new Device({ threads: options.threads }), base.config, base.weights);
    this.tokenizer = base.tokenizer;
    this.model = modelFacts(modelNameOf(base.path), base.config);
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
    { signal }: CallOptions = {},
  ): Promise<TrainStepResult> {
    return this.#updates.submit(async () => {
      this.#assertOpen();
      checkExamples(this.model, examples);
      await this.#dropGenerator();
      return this.#openTrainer().step(examples, params);
    }, signal);
  }

  async resetOptimizer(): Promise<void> {
    await this.#settled();
    this.#trainer?.resetOptimizer();
  }

  async reset(): Promise<void> {
    await this.#settled();
    const { path } = this.#base;
    const base = await readCheckpoint(path);
    if (weightsDigest(base.weights) !== this.#baseDigest) {
      throw new UserError(
        `expected the base model's weights in ${path} as they were when it was opened, got others: restore the folder`,
      );
    }
    await this.#replaceWeights(base.weights);
    this.#trainer?.resetOptimizer();
  }

  async save({ folder }: SaveTarget, options: SaveOptions = {}): Promise<CheckpointRef> {
    await this.#settled();
    const { config } = this.#base;
    const dtype = this.#checkpointType;
    const weights = await this.#weights.read();
    await removeOptimizerState(folder);
    await removeExactWeights(folder);
    await writeCheckpoint(folder, { ...this.#base, weights, dtype });
    if (dtype !== "float32") await writeExactWeights(folder, config, weights);
    if (options.optimizer === true) await writeOptimizerState(folder, this.#openTrainer().moments);
    return { folder, weights: weightsDigest(weights) };
  }

  async restore(checkpoint: CheckpointRef): Promise<void> {
    await this.#settled();
    const folder = folderOf(checkpoint);
    const { config } = await readModelConfig(folder);
    const [expected, found] = [parameterCount(this.#base.config), parameterCount(config)];
    if (expected !== found) {
      throw new UserError(
        `expected a checkpoint of ${this.#base.path} in ${folder} (${expected} parameters), got one of ${found}`,
      );
    }
    await this.#replaceWeights(await readSavedWeights(folder, config));
    await readOptimizerState(folder, this.#openTrainer().moments);
  }

  async checksum(): Promise<string> {
    await this.#settled();
    return weightsDigest(await this.#weights.read());
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
    this.#generator ??= await Generator.open(this.#weights, this.#base.tokenizer, this.#slots);
    return this.#generator;
  }

  #openTrainer(): Trainer {
    this.#trainer ??= new Trainer(this.#weights);
    return this.#trainer;
  }

  async #replaceWeights(weights: Weights): Promise<void> {
    await this.#dropGenerator();
    this.#weights.replace(weights);
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
