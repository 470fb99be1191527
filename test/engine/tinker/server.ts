/**
 * A small server that speaks the part of the Tinker API that the engine uses, as SkyRL 0.3.0 speaks it, and computes
 * with the ONNX engine. It trains the whole model, where SkyRL trains an adapter.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CheckpointRef, TrainingExample } from "../../../src/engine/engine.js";
import { type OnnxEngine, openOnnxEngine } from "../../../src/engine/onnx/onnx-engine.js";
import type { AdamParams, Datum, SamplingRequest } from "../../../src/engine/tinker/protocol.js";

type Body = Record<string, unknown> & { readonly model_id: string; readonly path: string };

interface Model {
  readonly engine: OnnxEngine;
  /** Gradients that no update has used, and who waits for them. */
  pending: { readonly data: readonly Datum[]; readonly done: (result: object) => void }[];
  /** Steps that this server's Adam counts, as optax does: a reset of the moments does not reset it. */
  counted: number;
  /** Steps of the ONNX engine's Adam, which counts from the last reset. */
  steps: number;
}

interface Saved {
  readonly ref: CheckpointRef;
  readonly counted: number;
  readonly steps: number;
}

class Refusal extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

export class TestServer {
  readonly name = "tiny";
  readonly requests: string[] = [];
  /** Most samples that waited for their results at one time. */
  mostWaiting = 0;
  readonly #folder: string;
  readonly #checkpoint: string;
  /** Outlives a restart, as files do. */
  readonly #saved = new Map<string, Saved>();
  #models = new Map<string, Model>();
  #samplers = new Map<string, Model>();
  #futures = new Map<string, Promise<object>>();
  #count = 0;
  #waiting = 0;
  #server: Server | undefined;
  #port = 0;
  /** Samples are drawn one call at a time, because an engine has one call at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, checkpoint: string) {
    this.#folder = folder;
    this.#checkpoint = checkpoint;
  }

  static async start(checkpoint: string): Promise<TestServer> {
    const server = new TestServer(await mkdtemp(join(tmpdir(), "adastar-tinker-")), checkpoint);
    await server.up();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async up(): Promise<void> {
    const server = createServer((request, response) => {
      void this.#answer(request).then(
        (result) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(result)),
        (error: unknown) => {
          const status = error instanceof Refusal ? error.status : 500;
          response.writeHead(status).end(JSON.stringify({ detail: String(error) }));
        },
      );
    });
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** As a kill does: models and what was waiting are gone, saved weights stay. */
  async down(): Promise<void> {
    const models = [...this.#models.values()];
    [this.#models, this.#samplers, this.#futures] = [new Map(), new Map(), new Map()];
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
    await this.#turn.catch(() => {});
    await Promise.all(models.map(({ engine }) => engine.close()));
  }

  /** Loses all saved weights. */
  forget(): void {
    this.#saved.clear();
  }

  async stop(): Promise<void> {
    await this.down();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #answer(request: IncomingMessage): Promise<object> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const endpoint = request.url?.replace("/api/v1/", "") ?? "";
    this.requests.push(endpoint);
    if (request.method === "GET") return this.#get(endpoint);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Body;
    if (endpoint === "create_session") return { session_id: `session_${++this.#count}`, type: "create_session" };
    if (endpoint === "session_heartbeat") return { type: "session_heartbeat" };
    if (endpoint === "retrieve_future") {
      const future = this.#futures.get(String(body["request_id"]));
      if (future === undefined) throw new Refusal(404, "Future not found");
      return future;
    }
    if (endpoint === "create_model") return this.#createModel();
    return this.#accept(this.#operate(endpoint, body));
  }

  #get(endpoint: string): object {
    if (endpoint === "healthz") return { status: "ok" };
    if (endpoint === "get_server_capabilities") return { supported_models: [{ model_name: this.name }] };
    throw new Refusal(404, "Not Found");
  }

  #accept(result: Promise<object>): { readonly request_id: string } {
    const id = String(++this.#count);
    result.catch(() => {});
    this.#futures.set(id, result);
    return { request_id: id };
  }

  #createModel(): object {
    const id = `model_${++this.#count}`;
    const made = openOnnxEngine({ model: this.#checkpoint, threads: 1 }).then((engine) => {
      this.#models.set(id, { engine, pending: [], counted: 0, steps: 0 });
      return { model_id: id };
    });
    return { ...this.#accept(made), model_id: id };
  }

  #model(id: string): Model {
    const model = this.#models.get(id);
    if (model === undefined) throw new Refusal(404, "Model not found");
    return model;
  }

  /** Checks at once what a server checks before it accepts; the rest is the operation. */
  #operate(endpoint: string, body: Body): Promise<object> {
    if (endpoint === "asample") return this.#sample(body as unknown as SamplingRequest, this.#sampler(body));
    const model = this.#model(body.model_id);
    switch (endpoint) {
      case "forward_backward": {
        const { data } = body["forward_backward_input"] as { readonly data: readonly Datum[] };
        return new Promise((done) => model.pending.push({ data, done }));
      }
      case "optim_step":
        return this.#update(model, body["adam_params"] as AdamParams);
      case "save_weights":
        return this.#save(model, `tinker://${body.model_id}/weights/${body.path}`);
      case "load_weights":
        return this.#load(model, body.path);
      case "save_weights_for_sampler": {
        const path = `tinker://${body.model_id}/${body.path}`;
        if (this.#samplers.has(path)) throw new Refusal(409, `Checkpoint '${body.path}' already exists`);
        this.#samplers.set(path, model);
        return this.#alone(async () => ({ path, type: "save_weights_for_sampler" }));
      }
      case "unload_model":
        this.#models.delete(body.model_id);
        return this.#alone(async () => {
          await model.engine.close();
          return { model_id: body.model_id, status: "unloaded" };
        });
      default:
        throw new Refusal(404, "Not Found");
    }
  }

  #alone<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#turn.catch(() => {}).then(action);
    this.#turn = turn;
    return turn;
  }

  #update(model: Model, adam: AdamParams): Promise<object> {
    const passes = model.pending;
    model.pending = [];
    return this.#alone(async () => {
      model.counted++;
      if (passes.length === 0) {
        if (adam.learning_rate !== 0 || adam.beta1 !== 0 || adam.beta2 !== 0) throw new Error("no gradients");
        await model.engine.resetOptimizer();
        model.steps = 0;
        return { metrics: { "skyrl.ai/grad_norm": 0 } };
      }
      model.steps++;
      // The ONNX engine corrects Adam's bias by its own count, and this server's clients expect that of the server.
      const { counted, steps } = model;
      const ratio = (beta: number) => (1 - beta ** counted) / (1 - beta ** steps);
      const root = Math.sqrt(ratio(adam.beta2));
      const rate = (adam.learning_rate / ratio(adam.beta1)) * root;
      const { loss, gradientNorm } = await model.engine.trainStep(
        passes.flatMap(({ data }) => data.map(exampleOf)),
        {
          kind: "adamw",
          learningRate: rate,
          beta1: adam.beta1,
          beta2: adam.beta2,
          epsilon: adam.eps * root,
          weightDecay: rate === 0 ? 0 : (adam.weight_decay * adam.learning_rate) / rate,
        },
      );
      for (const { data, done } of passes) {
        done({
          loss_fn_output_type: "scalar",
          loss_fn_outputs: data.map(({ loss_fn_inputs: { weights } }) => ({
            // The mean of the batch for each token: a client can only see their sum.
            logprobs: { data: weights.data.map((weight) => (weight > 0 ? -loss : 0)), dtype: "float32" },
          })),
          metrics: {},
        });
      }
      return { metrics: { "skyrl.ai/grad_norm": gradientNorm, "skyrl.ai/learning_rate": rate } };
    });
  }

  #save({ engine, counted, steps }: Model, path: string): Promise<object> {
    if (this.#saved.has(path)) throw new Refusal(409, `Checkpoint already exists: ${path}`);
    return this.#alone(async () => {
      const name = String(++this.#count);
      const ref = await engine.save({ folder: join(this.#folder, name), name }, { optimizer: true });
      this.#saved.set(path, { ref, counted, steps });
      return { path, type: "save_weights" };
    });
  }

  #load(model: Model, path: string): Promise<object> {
    const saved = this.#saved.get(path);
    if (saved === undefined) throw new Refusal(404, `Checkpoint not found: ${path}`);
    return this.#alone(async () => {
      await model.engine.restore(saved.ref);
      [model.counted, model.steps] = [saved.counted, saved.steps];
      return { type: "load_weights" };
    });
  }

  /** What a request is to be sampled from; undefined: the base model. */
  #sampler({ ["model_path"]: path }: Record<string, unknown>): Model | undefined {
    if (path === undefined) return undefined;
    const model = this.#samplers.get(String(path));
    if (model === undefined) throw new Refusal(404, `Checkpoint not found: ${String(path)}`);
    return model;
  }

  async #sample(
    { prompt, sampling_params: params, prompt_logprobs: wanted }: SamplingRequest,
    model: Model | undefined,
  ): Promise<object> {
    this.mostWaiting = Math.max(this.mostWaiting, ++this.#waiting);
    try {
      return await this.#alone(async () => {
        const engine = model?.engine ?? (await openOnnxEngine({ model: this.#checkpoint, threads: 1 }));
        const tokens = prompt.chunks.flatMap((chunk) => chunk.tokens);
        const likeliest = wanted ? await engine.canary(tokens) : [];
        const call = {
          prefix: [],
          temperature: params.temperature,
          topP: params.top_p,
          maxTokens: params.max_tokens,
          stop: [],
        };
        for await (const sample of engine.sample([{ name: "sample", prompt: tokens, seed: params.seed }], call)) {
          const ended = sample.stop === "end";
          if (model === undefined) await engine.close();
          return {
            sequences: [
              {
                tokens: ended ? [...sample.tokens, params.stop[0]] : sample.tokens,
                logprobs: wanted ? [likeliest[0]] : null,
                stop_reason: ended ? "stop" : "length",
              },
            ],
            prompt_logprobs: wanted && model !== undefined ? likeliest : null,
          };
        }
        throw new Error("no sample");
      });
    } finally {
      this.#waiting--;
    }
  }
}

function exampleOf({
  model_input: input,
  loss_fn_inputs: { target_tokens: targets, weights },
}: Datum): TrainingExample {
  const tokens = [...input.chunks.flatMap((chunk) => chunk.tokens), targets.data[targets.data.length - 1]];
  return { name: "example", tokens, completionStart: 1 + weights.data.findIndex((weight) => weight > 0) };
}
