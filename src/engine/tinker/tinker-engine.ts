/**
 * Samples and trains on a server that speaks the Tinker API. The server keeps weights and optimizer; token ids are made
 * here, with the checkpoint's own tokenizer, and only ids, losses and paths cross the wire.
 */

import { setMaxListeners } from "node:events";
import { UserError } from "../../errors.js";
import { checkExamples, checkRequest, checkSampling, checkTokens } from "../checks.js";
import type { PromptModel } from "../descriptor.js";
import type {
  CallOptions,
  Capabilities,
  CheckpointRef,
  Engine,
  ModelFacts,
  OptimizerParams,
  Sample,
  SampleRequest,
  SampleRequests,
  SamplingParams,
  SaveOptions,
  SaveTarget,
  Tokenizer,
  TrainingExample,
  TrainStepResult,
} from "../engine.js";
import { RequestSource } from "../request-source.js";
import type { AdapterOptions } from "./adapter.js";
import { TINKER_CAPABILITIES } from "./capabilities.js";
import { TinkerClient } from "./client.js";
import type { ConnectionOptions } from "./connection.js";
import { adamParams, FORGET } from "./fresh-adam.js";
import { sampleOf } from "./generated-text.js";
import { readPromptModel } from "./prompt-model.js";
import { type Datum, modelInput, type SamplingRequest } from "./protocol.js";
import { digestOf, FRESH, type RemoteState, savedStateOf, updated, uriOf } from "./remote-state.js";
import { checkVocabulary, serverModelOf } from "./server-model.js";
import { UpdatePipeline } from "./update-pipeline.js";

interface TinkerOptions {
  /** Folder of the checkpoint that the server has, too: for its tokenizer and sizes. */
  readonly model: string;
  readonly server: ConnectionOptions;
  /** The model's name on the server; null: the only one that it has. */
  readonly serverModel: string | null;
  readonly adapter: AdapterOptions;
  readonly maxInFlight: number;
}

/** Seeds of a server's samples are below this. */
const SEEDS = 2 ** 31 - 1;

/** Opens a session with a fresh adapter. Throws UserError when the server cannot be used, or has another vocabulary. */
export async function openTinkerEngine(options: TinkerOptions): Promise<TinkerEngine> {
  const promptModel = await readPromptModel(options.model, options.adapter.rank);
  const client = await TinkerClient.open(options.server);
  try {
    const base = await serverModelOf(client, options.serverModel);
    await checkVocabulary(client, base, promptModel);
    const id = await client.createModel(base, options.adapter);
    return new TinkerEngine(client, { ...options, base, id, promptModel });
  } catch (error) {
    client.close();
    throw error;
  }
}

export class TinkerEngine implements Engine {
  readonly model: ModelFacts;
  readonly tokenizer: Tokenizer;
  readonly capabilities: Capabilities;
  readonly #client: TinkerClient;
  readonly #base: string;
  readonly #adapter: AdapterOptions;
  readonly #updates = new UpdatePipeline(TINKER_CAPABILITIES.stepsInFlight);
  #id: string;
  #state: RemoteState;
  /** Steps that were sent since the optimizer was reset; ahead of `#state.steps` while some are at work. */
  #sent = 0;
  /** Path of what is sampled from; undefined when the weights have changed since. */
  #samplingPath: string | undefined;
  #saves = 0;
  /** Why the server's weights are not known any more. */
  #lost: UserError | undefined;
  #closed = false;

  constructor(
    client: TinkerClient,
    options: Pick<TinkerOptions, "adapter" | "maxInFlight"> & {
      readonly base: string;
      readonly id: string;
      readonly promptModel: PromptModel;
    },
  ) {
    this.#client = client;
    this.#base = options.base;
    this.#adapter = options.adapter;
    this.#id = options.id;
    this.model = options.promptModel.model;
    this.tokenizer = options.promptModel.tokenizer;
    this.capabilities = { ...TINKER_CAPABILITIES, maxInFlight: options.maxInFlight };
    this.#state = this.#baseState();
  }

  async *sample(
    requests: SampleRequests,
    params: SamplingParams,
    { signal }: CallOptions = {},
  ): AsyncGenerator<Sample, void, undefined> {
    checkSampling(this.model, params);
    await this.#settled();
    const stop = new AbortController();
    const ended = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    setMaxListeners(0, ended); // every request at the server listens
    const source = new RequestSource(requests, {
      check: (request) => checkRequest(this.model, request, params),
      signal,
    });
    const inFlight = new Map<number, Promise<Sample>>();
    try {
      while (true) {
        signal?.throwIfAborted();
        const free = this.capabilities.maxInFlight - inFlight.size;
        if (free > 0 && source.remaining > 0) {
          for (const request of await source.take(free, inFlight.size === 0)) {
            const sample = this.#sampleOne(request.index, request, params, ended);
            sample.catch(() => {}); // whoever waits for it hears of it
            inFlight.set(request.index, sample);
          }
        }
        if (inFlight.size === 0) {
          if (source.remaining === 0) return;
          continue;
        }
        const sample = await Promise.race(inFlight.values());
        inFlight.delete(sample.index);
        yield sample;
      }
    } finally {
      stop.abort();
      source.close();
    }
  }

  trainStep(
    examples: readonly TrainingExample[],
    params: OptimizerParams,
    { signal }: CallOptions = {},
  ): Promise<TrainStepResult> {
    const send = async () => {
      this.#assertUsable();
      checkExamples(this.model, examples);
      checkOptimizer(params);
      this.#samplingPath = undefined;
      const { before } = this.#state;
      const adam = adamParams(params, before, ++this.#sent);
      const what = `training on ${examples.length} examples from ${examples[0].name}`;
      const wait = await this.#losing(() => this.#client.submitUpdate(this.#id, dataOf(examples), adam, what));
      return async () => {
        const result = await this.#losing(wait);
        return () => {
          this.#state = updated(this.#state, examples, params);
          return this.#stepResult(examples, result);
        };
      };
    };
    return this.#updates.submit(send, signal);
  }

  async resetOptimizer(): Promise<void> {
    await this.#settled();
    await this.#forget();
  }

  async reset(): Promise<void> {
    this.#assertOpen();
    await this.#updates.idle();
    const base = this.#baseState();
    const untouched = this.#lost === undefined && this.#state.weights === base.weights && this.#state.steps === 0;
    if (untouched && this.#state.before === 0) return;
    // The old adapter goes first: a server has few places for adapters.
    await this.#client.unloadModel(this.#id).catch(() => {});
    this.#lost = new UserError("the server's adapter was unloaded, and no new one could be made; resume the run");
    this.#id = await this.#client.createModel(this.#base, this.#adapter);
    this.#hold(base);
  }

  async save({ name }: SaveTarget, { optimizer = false }: SaveOptions = {}): Promise<CheckpointRef> {
    await this.#settled();
    const path = await this.#client.saveWeights(this.#id, this.#freshName(name));
    const { weights, before, steps, moments } = this.#state;
    return { uri: uriOf({ path, before, steps, moments: optimizer ? moments : FRESH }), weights };
  }

  async restore(checkpoint: CheckpointRef): Promise<void> {
    this.#assertOpen();
    await this.#updates.idle();
    if ("folder" in checkpoint) {
      throw new UserError(
        `expected a checkpoint on the server ${this.#client.address}, got the folder ${checkpoint.folder}; resume with the engine that made it`,
      );
    }
    const { path, moments, ...counts } = savedStateOf(checkpoint.uri);
    await this.#client.loadWeights(this.#id, path);
    this.#hold({ weights: checkpoint.weights, moments, ...counts });
    if (moments === FRESH) await this.#forget();
  }

  async checksum(): Promise<string> {
    await this.#settled();
    return this.#state.weights;
  }

  async canary(prompt: readonly number[]): Promise<readonly number[]> {
    checkTokens(this.model, "the canary prompt", prompt);
    await this.#settled();
    const request = this.#request(prompt, { maxTokens: 1, temperature: 0, topP: 1, seed: 0, promptToo: true });
    const path = await this.#samplerPath();
    const answer = await this.#client.sample({ path }, request, { what: "the canary prompt" });
    const [{ logprobs }] = answer.sequences;
    const values = [...(answer.prompt_logprobs ?? []), ...(logprobs ?? [])].filter((value) => value !== null);
    if (values.length > 0) return values;
    throw new UserError(
      `expected log-probabilities with a sample from ${this.#client.address}, got none: this server cannot prove which weights it samples from`,
    );
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.#updates.idle();
    this.#closed = true;
    // A server that is gone keeps nothing to unload.
    await this.#client.unloadModel(this.#id).catch(() => {});
    this.#client.close();
  }

  async #sampleOne(
    index: number,
    { name, prompt, seed }: SampleRequest,
    params: SamplingParams,
    signal: AbortSignal,
  ): Promise<Sample> {
    const request = this.#request([...params.prefix, ...prompt], { ...params, seed, promptToo: false });
    const path = await this.#samplerPath();
    const answer = await this.#client.sample({ path }, request, { what: `sampling ${name}`, signal });
    const [{ tokens, logprobs, stop_reason: reason }] = answer.sequences;
    checkTokens(this.model, `the server's answer to ${name}`, tokens);
    const sequence = { tokens, logProbabilities: logprobs ?? undefined, stopped: reason !== "length" };
    return sampleOf(index, sequence, params, this.tokenizer);
  }

  #request(
    prompt: readonly number[],
    params: Pick<SamplingParams, "maxTokens" | "temperature" | "topP"> & {
      readonly seed: number;
      readonly promptToo: boolean;
    },
  ): SamplingRequest {
    return {
      prompt: modelInput(prompt),
      num_samples: 1,
      prompt_logprobs: params.promptToo,
      sampling_params: {
        max_tokens: params.maxTokens,
        temperature: params.temperature,
        top_p: params.topP,
        seed: params.seed % SEEDS,
        stop: this.tokenizer.endTokens,
      },
    };
  }

  #saving: Promise<string> | undefined;

  /** What to sample from: the present weights, made ready at the first call after they changed. */
  async #samplerPath(): Promise<string> {
    if (this.#samplingPath !== undefined) return this.#samplingPath;
    this.#saving ??= this.#client.saveForSampling(this.#id, this.#freshName("sampler")).finally(() => {
      this.#saving = undefined;
    });
    this.#samplingPath = await this.#saving;
    return this.#samplingPath;
  }

  /** A server refuses a name that it has; names are its model's own, and models are never shared by runs. */
  #freshName(name: string): string {
    this.#saves++;
    return `${name}-${this.#saves}`;
  }

  #stepResult(
    examples: readonly TrainingExample[],
    {
      logProbabilities,
      metrics,
    }: {
      readonly logProbabilities: readonly (readonly number[])[];
      readonly metrics: Readonly<Record<string, number>>;
    },
  ): TrainStepResult {
    let nats = 0;
    let tokens = 0;
    let completionTokens = 0;
    for (const [i, example] of examples.entries()) {
      const covered = (logProbabilities[i] ?? []).slice(example.completionStart - 1);
      const expected = example.tokens.length - example.completionStart;
      if (covered.length !== expected) {
        throw new UserError(
          `${example.name}: expected ${expected} log-probabilities from the server, got ${covered.length}; its protocol is another one`,
        );
      }
      for (const value of covered) nats -= value;
      tokens += example.tokens.length;
      completionTokens += expected;
    }
    const loss = nats / completionTokens;
    if (!Number.isFinite(loss)) {
      throw this.#lose(new UserError(`expected a finite loss from the server, got ${loss}; lower the learning rate`));
    }
    const norm = Object.entries(metrics).find(([name]) => name.endsWith("grad_norm"))?.[1];
    // Records hold numbers; a server that does not say has no norm to record.
    return { loss, gradientNorm: norm ?? 0, tokens, completionTokens };
  }

  /** Sets the server's moments to zero, if they are not. */
  async #forget(): Promise<void> {
    const { before, steps, weights } = this.#state;
    if (steps === 0) return;
    await this.#losing(() => this.#client.emptyUpdate(this.#id, FORGET, "resetting the optimizer"));
    this.#hold({ weights, moments: FRESH, before: before + steps + 1, steps: 0 });
  }

  #hold(state: RemoteState): void {
    this.#state = state;
    this.#sent = state.steps;
    this.#samplingPath = undefined;
    this.#lost = undefined;
  }

  #baseState(): RemoteState {
    const { name: _, ...facts } = this.model;
    return { weights: digestOf("base", facts, this.#adapter), moments: FRESH, before: 0, steps: 0 };
  }

  /** Runs what changes the server's weights. If it fails, they are no longer known. */
  async #losing<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw error instanceof UserError ? this.#lose(error) : error;
    }
  }

  #lose(error: UserError): UserError {
    this.#lost ??= error;
    return error;
  }

  /** Resolves when every submitted update is made; throws if the engine is closed, or its weights are not known. */
  async #settled(): Promise<void> {
    this.#assertOpen();
    await this.#updates.idle();
    this.#assertUsable();
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error("the engine is closed");
  }

  #assertUsable(): void {
    this.#assertOpen();
    if (this.#lost !== undefined) throw this.#lost;
  }
}

/** Targets are the inputs shifted by one; the loss is the mean over the batch's completion tokens. */
function dataOf(examples: readonly TrainingExample[]): Datum[] {
  const covered = examples.reduce((sum, { tokens, completionStart }) => sum + tokens.length - completionStart, 0);
  return examples.map(({ tokens, completionStart }) => {
    const targets = tokens.slice(1);
    return {
      model_input: modelInput(tokens.slice(0, -1)),
      loss_fn_inputs: {
        target_tokens: { data: targets },
        weights: { data: targets.map((_, i) => (i + 1 >= completionStart ? 1 / covered : 0)) },
      },
    };
  });
}

/** Throws UserError for what the API has no way to ask for. */
function checkOptimizer({ kind, weightDecay, maxGradientNorm }: OptimizerParams): void {
  if (maxGradientNorm !== undefined) {
    throw new UserError(
      "engine tinker: expected no --max-gradient-norm, because SkyRL does not clip gradients; set it to none (the task may have a default)",
    );
  }
  if (kind === "adam" && weightDecay > 0) {
    throw new UserError(
      "engine tinker: expected --optimizer adamw with a weight decay, because the server decouples it, got adam",
    );
  }
}
