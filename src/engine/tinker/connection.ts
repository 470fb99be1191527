/**
 * One JSON request at a time to a Tinker server: the key, the limits of patience, and what is tried again.
 *
 * A request is tried again when the server certainly did not act on it (no connection, 429, 503), or when acting on it
 * twice does no harm. Every other failure is a UserError with the endpoint, the request and what to do. The key is sent
 * as a header; it stands in no message.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import { messageOf, shown, UserError } from "../../errors.js";
import { codeOf } from "../../system-errors.js";

/** The environment variable with the server's key. */
const KEY_VARIABLE = "TINKER_API_KEY";

export interface ConnectionOptions {
  /** Address of the server, without `/api/v1`. */
  readonly url: string;
  /** Allows unencrypted requests to other machines. */
  readonly allowHttp: boolean;
  readonly key?: string | undefined;
  /** Attempts of a request; 7 when left out. */
  readonly attempts?: number;
  /** Before the second attempt, doubled before each further one, at most 30 s; half a second when left out. */
  readonly firstPauseMs?: number;
  /** Until an attempt must be answered; six minutes when left out, because a server waits up to five itself. */
  readonly attemptMs?: number;
}

export interface RequestOptions {
  /** Whether the server may get the request twice. */
  readonly repeatable: boolean;
  /** What the request is about, for messages. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
}

const MAX_PAUSE_MS = 30_000;
/** Answers with these mean that the server did not act on the request. */
const NOT_ACCEPTED: ReadonlySet<number> = new Set([429, 503]);
/** The connection was never made. */
const NOT_REACHED: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH"]);

/** A failed attempt. */
interface Failure {
  readonly reason: string;
  readonly remedy: string;
  /** The status of the answer; 0 without one. */
  readonly status: number;
  /** Whether it may go better the next time. */
  readonly passing: boolean;
  /** Whether the server may have acted on the request. */
  readonly ambiguous: boolean;
  /** How long the server asks to wait. */
  readonly pauseMs?: number | undefined;
}

/** A request that failed for good. */
export class ServerError extends UserError {
  /** Of the server's answer; 0 without one. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** The server's key, from the environment. */
export function keyFromEnvironment(): string | undefined {
  const key = process.env[KEY_VARIABLE];
  return key === "" ? undefined : key;
}

export class Connection {
  readonly #base: string;
  readonly #key: string | undefined;
  readonly #attempts: number;
  readonly #firstPauseMs: number;
  readonly #attemptMs: number;

  /** Throws UserError for an address that cannot be used. */
  constructor({ url, allowHttp, key, attempts = 7, firstPauseMs = 500, attemptMs = 360_000 }: ConnectionOptions) {
    this.#base = baseOf(url, allowHttp);
    this.#key = key;
    this.#attempts = attempts;
    this.#firstPauseMs = firstPauseMs;
    this.#attemptMs = attemptMs;
  }

  /** The server's address, for messages. */
  get address(): string {
    return this.#base;
  }

  get<S extends z.ZodType>(endpoint: string, schema: S, options: RequestOptions): Promise<z.infer<S>> {
    return this.#request(endpoint, undefined, schema, options);
  }

  post<S extends z.ZodType>(endpoint: string, body: object, schema: S, options: RequestOptions): Promise<z.infer<S>> {
    return this.#request(endpoint, JSON.stringify(body), schema, options);
  }

  async #request<S extends z.ZodType>(
    endpoint: string,
    body: string | undefined,
    schema: S,
    options: RequestOptions,
  ): Promise<z.infer<S>> {
    let pauseMs = this.#firstPauseMs;
    for (let attempt = 1; ; attempt++) {
      options.signal?.throwIfAborted();
      const outcome = await this.#attempt(endpoint, body, schema, options.signal);
      if ("value" in outcome) return outcome.value;
      const again = outcome.passing && (options.repeatable || !outcome.ambiguous);
      if (!again || attempt >= this.#attempts) throw this.#error(endpoint, options, outcome, attempt);
      await sleep(Math.min(MAX_PAUSE_MS, outcome.pauseMs ?? pauseMs), undefined, { signal: options.signal }).catch(
        () => {},
      );
      pauseMs *= 2;
    }
  }

  async #attempt<S extends z.ZodType>(
    endpoint: string,
    body: string | undefined,
    schema: S,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly value: z.infer<S> } | Failure> {
    const patience = AbortSignal.timeout(this.#attemptMs);
    let status = 0;
    try {
      const response = await fetch(this.#base + endpoint, {
        method: body === undefined ? "GET" : "POST",
        headers: {
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(this.#key === undefined ? {} : { "x-api-key": this.#key }),
        },
        ...(body === undefined ? {} : { body }),
        // A redirect would carry the key elsewhere.
        redirect: "error",
        signal: signal === undefined ? patience : AbortSignal.any([signal, patience]),
      });
      status = response.status;
      const text = await response.text();
      if (!response.ok) return this.#refusal(response, text);
      return parsed(text, schema, status);
    } catch (error) {
      signal?.throwIfAborted();
      const late = patience.aborted;
      return {
        reason: late ? `no answer within ${this.#attemptMs / 1000} s` : connectionMessage(error),
        remedy: "Check that the server is up and can be reached",
        status,
        passing: true,
        ambiguous: late || !NOT_REACHED.has(causeCode(error) ?? ""),
      };
    }
  }

  #refusal({ status, headers }: Response, text: string): Failure {
    const seconds = Number(headers.get("retry-after") ?? Number.NaN);
    return {
      reason: `status ${status} (${this.#detail(text)})`,
      remedy: remedyOf(status),
      status,
      passing: status >= 500 || status === 408 || status === 425 || status === 429,
      ambiguous: !NOT_ACCEPTED.has(status),
      pauseMs: Number.isFinite(seconds) ? 1000 * seconds : undefined,
    };
  }

  /** What the server says, without the key, which it might repeat. */
  #detail(text: string): string {
    const safe = this.#key === undefined ? text : text.replaceAll(this.#key, "[key]");
    return shown(safe, 300);
  }

  #error(endpoint: string, { what, repeatable }: RequestOptions, failure: Failure, attempt: number): ServerError {
    const times = attempt > 1 ? ` after ${attempt} attempts` : "";
    const unsure =
      failure.ambiguous && failure.passing && !repeatable
        ? " The server may have done it all the same, so it is not asked again; resume the run, which goes back to the last saved state."
        : "";
    return new ServerError(
      `${what}: expected an answer from ${this.#base}${endpoint}, got ${failure.reason}${times}. ${failure.remedy}.${unsure}`,
      failure.status,
    );
  }
}

/** Throws UserError for an address that is none, or that would show the key to others. */
function baseOf(url: string, allowHttp: boolean): string {
  const parsedUrl = URL.canParse(url) ? new URL(url) : null;
  if (parsedUrl === null || !/^https?:$/.test(parsedUrl.protocol)) {
    throw new UserError(`--url: expected an address such as https://host or http://127.0.0.1:8000, got ${shown(url)}`);
  }
  if (parsedUrl.username !== "" || parsedUrl.password !== "") {
    throw new UserError(`--url: expected an address without a password; put the key into ${KEY_VARIABLE}`);
  }
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(parsedUrl.hostname);
  if (parsedUrl.protocol === "http:" && !loopback && !allowHttp) {
    throw new UserError(
      `--url: expected https for ${parsedUrl.hostname}, got http, by which others on the way read all requests and the key; use https, or --allow-http in a network that you trust`,
    );
  }
  if (parsedUrl.protocol === "https:" && process.env["NODE_TLS_REJECT_UNAUTHORIZED"] === "0") {
    throw new UserError(
      "expected TLS certificates to be verified, got NODE_TLS_REJECT_UNAUTHORIZED=0; unset it, and name your own authority with NODE_EXTRA_CA_CERTS",
    );
  }
  return `${parsedUrl.origin}${parsedUrl.pathname.replace(/\/(api\/v1\/?)?$/, "")}/api/v1/`;
}

function parsed<S extends z.ZodType>(
  text: string,
  schema: S,
  status: number,
): { readonly value: z.infer<S> } | Failure {
  const bad = (reason: string, passing: boolean): Failure => ({
    reason,
    remedy: "Check that the address is that of a Tinker server, and its log",
    status,
    passing,
    ambiguous: true,
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return bad(`text that is not whole JSON (${text.length} characters)`, true);
  }
  const result = schema.safeParse(json);
  if (result.success) return { value: result.data };
  const [{ path, message }] = result.error.issues;
  return bad(`an answer of another form (${path.join(".") || "the answer"}: ${message})`, false);
}

function remedyOf(status: number): string {
  if (status === 401 || status === 403) return `Set ${KEY_VARIABLE} to a key that the server accepts`;
  if (status === 404) return "Check the address; if the server was restarted, resume the run";
  if (status === 429) return "Lower --max-in-flight, or wait until the server has room";
  if (status >= 500) return "Look into the server's log; if it was restarted, resume the run";
  return "The server refuses the request as it is";
}

/** `fetch` wraps the system's error. */
function causeCode(error: unknown): string | undefined {
  return error instanceof Error ? (codeOf(error.cause) ?? codeOf(error)) : undefined;
}

function connectionMessage(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? `: ${messageOf(error.cause)}` : "";
  return `no connection (${messageOf(error)}${cause})`;
}
