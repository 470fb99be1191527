/** A session on a Tinker server: models with adapters, training, sampling and saved weights. */

import { z } from "zod";
import { UserError } from "../../errors.js";
import { Connection, type ConnectionOptions, ServerError } from "./connection.js";
import {
  type AdamParams,
  acceptedAnswer,
  anyAnswer,
  type Datum,
  failedAnswer,
  healthAnswer,
  modelAnswer,
  passResult,
  type SamplingRequest,
  sampledResult,
  savedResult,
  serverAnswer,
  sessionAnswer,
  updateResult,
  waitingAnswer,
} from "./protocol.js";

/** A server closes a session that is silent for five minutes. */
const HEARTBEAT_MS = 60_000;
/** Until an operation that the server has accepted must be done. */
const OPERATION_MS = 2 * 3600 * 1000;

interface Operation {
  readonly what: string;
  readonly repeatable: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** An operation that the server has accepted. */
type Pending<T> = () => Promise<T>;

export class TinkerClient {
  readonly #connection: Connection;
  #session = "";
  #heartbeat: NodeJS.Timeout | undefined;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Opens a session. Throws UserError when there is no server, or it refuses. */
  static async open(options: ConnectionOptions): Promise<TinkerClient> {
    const client = new TinkerClient(new Connection(options));
    await client.#openSession();
    return client;
  }

  get address(): string {
    return this.#connection.address;
  }

  /** Names of the models that the server trains. */
  async models(): Promise<string[]> {
    const options = { what: "asking for the server's models", repeatable: true };
    const { supported_models: models } = await this.#connection.get("get_server_capabilities", serverAnswer, options);
    return models.map(({ model_name: name }) => name);
  }

  /** Makes an adapter that changes nothing yet. Returns its id. */
  async createModel(base: string, adapter: { readonly rank: number; readonly seed: number }): Promise<string> {
    const what = `making an adapter of rank ${adapter.rank} for ${base}`;
    const body = { session_id: this.#session, base_model: base, lora_config: adapter };
    const options = { what, repeatable: false };
    const { model_id: id, request_id: request } = await this.#connection.post(
      "create_model",
      body,
      modelAnswer,
      options,
    );
    await this.#result(request, anyAnswer, options);
    return id;
  }

  async unloadModel(id: string): Promise<void> {
    await this.#operation("unload_model", { model_id: id }, anyAnswer, {
      what: `unloading ${id}`,
      repeatable: true,
    });
  }

  /**
   * Gradients of a batch, and an update with them. Resolves when the server has accepted both; the function that it
   * gives waits for them.
   */
  async submitUpdate(id: string, data: readonly Datum[], adam: AdamParams, what: string) {
    const pass = await this.#submit(
      "forward_backward",
      { model_id: id, forward_backward_input: { data, loss_fn: "cross_entropy" } },
      passResult,
      { what: `${what}: gradients`, repeatable: false },
    );
    const update = await this.#submitStep(id, adam, what);
    return async () => {
      const { loss_fn_outputs: outputs } = await pass();
      const { metrics } = await update();
      return { logProbabilities: outputs.map(({ logprobs }) => logprobs.data), metrics: metrics ?? {} };
    };
  }

  /** An update with gradients of zero. */
  async emptyUpdate(id: string, adam: AdamParams, what: string): Promise<void> {
    const wait = await this.#submitStep(id, adam, what);
    await wait();
  }

  /** Makes the adapter's present weights those that are sampled from. Returns their path. */
  async saveForSampling(id: string, name: string): Promise<string> {
    return this.#save("save_weights_for_sampler", id, name);
  }

  /** Saves weights and optimizer. Returns their path. */
  async saveWeights(id: string, name: string): Promise<string> {
    return this.#save("save_weights", id, name);
  }

  /** Loads what `saveWeights` saved, in this session or another one. */
  async loadWeights(id: string, path: string): Promise<void> {
    const options = { what: `loading ${path}`, repeatable: true };
    await this.#operation("load_weights", { model_id: id, path }, anyAnswer, options);
  }

  async sample(
    source: { readonly path: string } | { readonly base: string },
    request: SamplingRequest,
    { what, signal }: { readonly what: string; readonly signal?: AbortSignal | undefined },
  ) {
    const from = "path" in source ? { model_path: source.path } : { base_model: source.base };
    return this.#operation("asample", { ...request, ...from }, sampledResult, { what, signal, repeatable: true });
  }

  /** Ends the session on this side; the server closes it when it hears no more of it. */
  close(): void {
    clearInterval(this.#heartbeat);
  }

  async #openSession(): Promise<void> {
    await this.#connection.get("healthz", healthAnswer, { what: "looking for the server", repeatable: true });
    const body = { tags: ["adastar"], sdk_version: "adastar", user_metadata: {} };
    const options = { what: "opening a session", repeatable: true };
    const { session_id: session } = await this.#connection.post("create_session", body, sessionAnswer, options);
    this.#session = session;
    // A heartbeat that fails is not reported: if the server is gone, the next real request says so.
    const beat = () =>
      this.#connection
        .post("session_heartbeat", { session_id: session }, anyAnswer, { what: "heartbeat", repeatable: true })
        .catch(() => {});
    this.#heartbeat = setInterval(() => void beat(), HEARTBEAT_MS).unref();
  }

  async #submitStep(id: string, adam: AdamParams, what: string): Promise<Pending<z.infer<typeof updateResult>>> {
    const options = { what: `${what}: update`, repeatable: false };
    return this.#submit("optim_step", { model_id: id, adam_params: adam }, updateResult, options);
  }

  async #save(endpoint: string, id: string, name: string): Promise<string> {
    // Not repeated when in doubt: a second request would be refused, because the name is taken.
    const options = { what: `saving ${name}`, repeatable: false };
    const { path } = await this.#operation(endpoint, { model_id: id, path: name }, savedResult, options);
    return path;
  }

  async #operation<S extends z.ZodType>(
    endpoint: string,
    body: object,
    schema: S,
    options: Operation,
  ): Promise<z.infer<S>> {
    const wait = await this.#submit(endpoint, body, schema, options);
    return wait();
  }

  async #submit<S extends z.ZodType>(
    endpoint: string,
    body: object,
    schema: S,
    options: Operation,
  ): Promise<Pending<z.infer<S>>> {
    const { request_id: request } = await this.#connection.post(endpoint, body, acceptedAnswer, options);
    return () => this.#result(request, schema, options);
  }

  /** Waits for the result. Asking for it again does no harm, whatever the operation. */
  async #result<S extends z.ZodType>(
    request: string,
    schema: S,
    { what, signal }: Pick<Operation, "what" | "signal">,
  ): Promise<z.infer<S>> {
    // A clock that only goes forward: the time of day may jump.
    const start = performance.now();
    const answer = z.union([waitingAnswer, failedAnswer, schema]);
    while (performance.now() - start < OPERATION_MS) {
      try {
        const options = { what: `${what} (request ${request})`, signal, repeatable: true };
        const result = await this.#connection.post("retrieve_future", { request_id: request }, answer, options);
        const failed = failedAnswer.safeParse(result);
        if (failed.success) throw new UserError(`${what}: the server at ${this.address} says: ${failed.data.error}`);
        if (!waitingAnswer.safeParse(result).success) return result as z.infer<S>;
      } catch (error) {
        // The server waited as long as it does, and the operation is not done.
        if (!(error instanceof ServerError && error.status === 408)) throw error;
      }
    }
    throw new UserError(
      `${what}: expected a result from ${this.address} within ${OPERATION_MS / 3_600_000} hours (request ${request}), got none; look into the server's log`,
    );
  }
}
