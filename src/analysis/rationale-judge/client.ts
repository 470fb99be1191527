/** One question at a time to a language model at an OpenAI-compatible endpoint (`POST {base}/chat/completions`). */

import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { messageOf, shown, UserError } from "../../errors.js";
import { codeOf } from "../../system-errors.js";

export interface ChatEndpoint {
  /** What comes before `/chat/completions`: `http://localhost:8000/v1`. */
  readonly url: string;
  readonly model: string;
  /** The environment variable that has the API key; OPENAI_API_KEY, if that is set, when left out. */
  readonly keyVariable?: string | undefined;
  /** Seconds that a reply may take, up to 300, which is as long as fetch waits; 120 when left out. */
  readonly timeout?: number | undefined;
}

export interface ChatReply {
  readonly text: string;
  /** Why the reply ended, as the endpoint calls it: `stop`, `length`, …; null where it does not say. */
  readonly finish: string | null;
  /** Null where the endpoint does not say. */
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
}

/** This request came to nothing, while others may yet be answered. */
export class RequestFailed extends Error {
  override readonly name = "RequestFailed";
}

export interface ChatClientOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Waits so many milliseconds, or rejects when the signal is aborted. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

const DEFAULT_KEY_VARIABLE = "OPENAI_API_KEY";
const DEFAULT_TIMEOUT = 120;
/** How often a request is sent before it counts as failed. */
const ATTEMPTS = 5;
/** Milliseconds before the second attempt; twice as many before each further one. */
const FIRST_WAIT = 1000;
/** An endpoint that asks for more patience than this is not waited for. */
const LONGEST_WAIT = 5 * 60 * 1000;
/** Characters of an endpoint's own words that an error repeats. */
const EXCERPT = 200;

const completion = z.object({
  choices: z
    .array(
      z.object({
        // Null where a reasoning model was cut before it answered.
        message: z.object({ content: z.string().nullish() }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
  usage: z.object({ prompt_tokens: z.int().nullish(), completion_tokens: z.int().nullish() }).nullish(),
});

/** The outcome of an attempt without a reply. */
interface Trouble {
  /** The whole error message. */
  readonly text: string;
  /**
   * `never`: no request will fare better. `unproven`: none will, if none did so far; else `later`. `later`: the same
   * one may. `other`: only others may.
   */
  readonly hope: "never" | "unproven" | "later" | "other";
  /** Milliseconds that the endpoint asks to wait. */
  readonly wait?: number | null;
}

export class ChatClient {
  /** Where requests go, as it may be shown: without what may be secret in it. */
  readonly address: string;
  readonly model: string;
  /** The environment variable whose key is sent along; null without one. */
  readonly keyVariable: string | null;
  readonly #url: URL;
  readonly #key: string | null;
  readonly #timeout: number;
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Whether the endpoint has ever sent a chat completion. */
  #proven = false;

  /** Throws UserError for a URL or a key that cannot be one. */
  constructor(endpoint: ChatEndpoint, { env = process.env, wait = waited }: ChatClientOptions = {}) {
    this.#url = completionsUrl(endpoint.url);
    this.address = `${this.#url.origin}${this.#url.pathname}`;
    this.model = endpoint.model;
    this.keyVariable = endpoint.keyVariable ?? (env[DEFAULT_KEY_VARIABLE] ? DEFAULT_KEY_VARIABLE : null);
    this.#key = this.keyVariable === null ? null : keyIn(env, this.keyVariable);
    this.#timeout = endpoint.timeout ?? DEFAULT_TIMEOUT;
    this.#wait = wait;
  }

  /**
   * The model's reply to one message at temperature 0, of at most `maxTokens` tokens. What may pass (429, 5xx, a broken
   * connection, no answer in time) is tried five times, with 1, 2, 4 and 8 s between, or as long as Retry-After says.
   * Throws RequestFailed when it came to nothing, UserError when the endpoint cannot be used, the signal's reason once
   * that is aborted.
   */
  async ask(message: string, maxTokens: number, signal: AbortSignal): Promise<ChatReply> {
    const body = JSON.stringify({
      model: this.model,
      messages: [{ role: "user", content: message }],
      temperature: 0,
      max_tokens: maxTokens,
      stream: false,
    });
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(body, signal);
      if ("reply" in outcome) {
        this.#proven = true;
        return outcome.reply;
      }
      const { text, hope, wait } = outcome;
      if (hope === "never" || (hope === "unproven" && !this.#proven)) throw new UserError(text);
      const pause = wait ?? FIRST_WAIT * 2 ** (attempt - 1);
      if (hope === "other" || attempt === ATTEMPTS || pause > LONGEST_WAIT) throw new RequestFailed(text);
      await this.#wait(pause, signal);
    }
  }

  async #attempt(body: string, signal: AbortSignal): Promise<{ readonly reply: ChatReply } | Trouble> {
    signal.throwIfAborted();
    const patience = AbortSignal.timeout(this.#timeout * 1000);
    let response: Response;
    let content: string;
    try {
      response = await fetch(this.#url, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          Accept: "application/json",
          ...(this.#key === null ? {} : { Authorization: `Bearer ${this.#key}` }),
        },
        body,
        // A key goes where the user said, and nowhere else.
        redirect: "manual",
        signal: AbortSignal.any([signal, patience]),
      });
      content = this.#withoutKey(await response.text());
    } catch (error) {
      signal.throwIfAborted();
      return patience.aborted ? this.#tooLate() : this.#unreachable(error);
    }
    return response.ok ? this.#read(content) : this.#refused(response, content);
  }

  #read(content: string): { readonly reply: ChatReply } | Trouble {
    const parsed = completion.safeParse(parsedJson(content));
    if (!parsed.success) {
      return { hope: "unproven", text: this.#expected(`${shown(content, EXCERPT)}. ${CHECK_URL}`) };
    }
    const { choices, usage } = parsed.data;
    const [{ message, finish_reason }] = choices;
    return {
      reply: {
        text: this.#withoutKey(message.content ?? ""),
        finish: finish_reason ?? null,
        promptTokens: usage?.prompt_tokens ?? null,
        completionTokens: usage?.completion_tokens ?? null,
      },
    };
  }

  #refused({ status, headers }: Response, content: string): Trouble {
    const said = this.#withoutKey(excerptOf(content));
    const to = headers.get("location");
    const answer = `status ${status}${said === "" ? "" : ` (${said})`}`;
    if (status === 401 || status === 403) {
      const remedy =
        this.keyVariable === null
          ? `Put an API key into the environment variable ${DEFAULT_KEY_VARIABLE}, or name the one that has it with --judge-key-env`
          : `Check the API key in the environment variable ${this.keyVariable}, or name another variable with --judge-key-env`;
      return { hope: "never", text: this.#expected(`${answer}. ${remedy}`) };
    }
    if (status === 404) {
      return {
        hope: "never",
        text: this.#expected(
          `${answer}. ${CHECK_URL}, and the model's name (--judge-model ${this.model}): the endpoint may know it by another one`,
        ),
      };
    }
    if (status === 405 || (status >= 300 && status < 400)) {
      const place = to === null ? "" : ` to ${shown(this.#withoutKey(to))}`;
      return { hope: "never", text: this.#expected(`${answer}${place}. ${CHECK_URL}`) };
    }
    if (status === 429 || status === 408 || status >= 500) {
      return { hope: "later", text: this.#expected(answer), wait: millisecondsIn(headers.get("retry-after")) };
    }
    // Such as a prompt beyond the model's context: this one, and perhaps no other.
    return { hope: "other", text: this.#expected(answer) };
  }

  #tooLate(): Trouble {
    return {
      hope: "later",
      text: this.#expected(
        `none within ${this.#timeout} s. Give it more time (--judge-timeout), or fewer requests at once (--judge-concurrency)`,
      ),
    };
  }

  #unreachable(error: unknown): Trouble {
    const { code, text } = causeOf(error);
    const closed = /^(?:ECONNREFUSED|ENOTFOUND|EPROTO)$|CERT|SSL|TLS/.test(code);
    return {
      hope: closed && !this.#proven ? "never" : "later",
      text: this.#expected(
        `no connection (${this.#withoutKey(text)}). Check that the server runs, and its URL (--judge)`,
      ),
    };
  }

  #expected(got: string): string {
    return `expected a chat completion of ${this.model} from ${this.address}, got ${got}`;
  }

  /** Endpoints may repeat what they were sent. */
  #withoutKey(text: string): string {
    return this.#key === null ? text : text.replaceAll(this.#key, "•••");
  }
}

const CHECK_URL = "Check the URL (--judge), which usually ends in /v1";

function completionsUrl(given: string): URL {
  const base = URL.canParse(given) ? new URL(given) : null;
  if (base === null || !/^https?:$/.test(base.protocol)) {
    throw new UserError(
      `--judge: expected the URL of an OpenAI-compatible endpoint, such as http://localhost:8000/v1, got ${shown(given)}`,
    );
  }
  if (base.username !== "" || base.password !== "") {
    throw new UserError(
      "--judge: expected a URL without user name and password, got one with them; put a key into an environment variable (--judge-key-env)",
    );
  }
  base.pathname = `${base.pathname.replace(/\/+$/, "").replace(/\/chat\/completions$/, "")}/chat/completions`;
  base.hash = "";
  return base;
}

function keyIn(env: NodeJS.ProcessEnv, variable: string): string {
  const key = env[variable]?.trim() ?? "";
  if (key === "") {
    throw new UserError(`--judge-key-env: expected an API key in the environment variable ${variable}, got none`);
  }
  // The header could not carry anything else, and fetch would show it in its complaint.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new UserError(
      `--judge-key-env: expected an API key of printable ASCII characters without spaces in ${variable}, got something else`,
    );
  }
  return key;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The endpoint's own words on one line: the message of a JSON error, else its text without tags. */
function excerptOf(content: string): string {
  const message = z.object({ error: z.object({ message: z.string() }) }).safeParse(parsedJson(content));
  const text = message.success ? message.data.error.message : content.replace(/<[^>]*>/g, " ");
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= EXCERPT ? line : `${line.slice(0, EXCERPT - 1)}…`;
}

/** Retry-After: seconds, or a date (RFC 9110, section 10.2.3). Null for anything else. */
function millisecondsIn(header: string | null): number | null {
  if (header === null) return null;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}

/**
 * fetch says little itself and keeps the reason in `cause`, which may be of several addresses and then only have a
 * code.
 */
function causeOf(error: unknown): { readonly code: string; readonly text: string } {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = codeOf(cause) ?? "";
  return { code, text: messageOf(cause) || code };
}

async function waited(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
