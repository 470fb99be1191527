/**
 * A custom verifier: a JavaScript module that the user gives.
 *
 *     // output: what the model wrote. observation: {answer}, with {id, question, options} where they are known.
 *     export function verify(output, observation) { … }     // required; may be async
 *     // Optional: the gold answer in the form that `verify` gets. Throws for one that cannot be checked.
 *     export function canonical(answer, options) { … }
 *
 * `verify` returns `true` or `false`; or the answer it found (a text, or `null` for none), which is compared with the
 * gold answer; or `{strict, lenient?, extracted?}` as "correct", "wrong" or "none". Modules that call it `judge`, its
 * earlier name, are read as well.
 *
 * The module runs in a thread of its own. A call that throws, or takes longer than its limit, is a verdict with a
 * `failure`; after the latter the thread is stopped, whatever it is doing, and started anew. The calling thread waits
 * for each verdict, so time spent elsewhere in the process never counts against the limit.
 */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { messageOf, shown, UserError } from "../../errors.js";
import type { Correctness, Verdict, Verifier } from "../task.js";

export interface CustomVerifierOptions {
  /** Seconds that one output may take; 1 when left out. */
  readonly timeout?: number | undefined;
}

const DEFAULT_TIMEOUT = 1;
/** Seconds that loading the module may take. */
const LOADING_TIMEOUT = 30;

/** Whether a `verifier` setting names a module rather than a kind of verifier. */
export function isVerifierModule(verifier: string | null | undefined): verifier is string {
  return verifier !== null && verifier !== undefined && /\.[cm]?js$/i.test(verifier);
}

/** Loads the module at `path`. Throws UserError when it cannot be loaded or has no `verify`. */
export function openCustomVerifier(path: string, { timeout = DEFAULT_TIMEOUT }: CustomVerifierOptions = {}): Verifier {
  const module = new ModuleThread(resolve(path));
  const call = (name: string, ...values: readonly unknown[]) => module.call(name, values, timeout);
  return {
    module,
    verify(output, observation) {
      const reply = call(module.verify, output, observation);
      return "failure" in reply ? failed(reply.failure) : verdictOf(reply.value, observation.answer, module.verify);
    },
    canonical(answer, options) {
      if (!module.hasCanonical) return answer.trim();
      const reply = call("canonical", answer.trim(), options);
      if ("value" in reply && typeof reply.value === "string" && reply.value !== "") return reply.value;
      throw new UserError(
        `expected an answer that ${path} can check, got ${shown(answer)}: ${
          "failure" in reply ? reply.failure : `its canonical returned ${shown(reply.value)}, not a text`
        }`,
      );
    },
  };
}

const CORRECTNESS: readonly unknown[] = ["correct", "wrong", "none"] satisfies Correctness[];

function failed(failure: string): Verdict {
  return { strict: "wrong", lenient: "wrong", extracted: null, failure };
}

/** What the module's function `name` returned, as a verdict. */
function verdictOf(value: unknown, gold: string, name: string): Verdict {
  if (typeof value === "boolean") return same(value ? "correct" : "wrong", null);
  if (value === null) return same("none", null);
  if (typeof value === "string") return same(value.trim() === gold ? "correct" : "wrong", value.trim());
  const { strict, lenient = strict, extracted = null } = (value ?? {}) as { readonly [K in keyof Verdict]?: unknown };
  if (isCorrectness(strict) && isCorrectness(lenient) && (extracted === null || typeof extracted === "string")) {
    return { strict, lenient, extracted };
  }
  return failed(`${name} returned ${shown(value)}; expected true, false, a text, null or {strict, lenient, extracted}`);
}

function same(found: Correctness, extracted: string | null): Verdict {
  return { strict: found, lenient: found, extracted };
}

function isCorrectness(value: unknown): value is Correctness {
  return CORRECTNESS.includes(value);
}

type Reply = { readonly value: unknown } | { readonly failure: string };

/** A module in a thread of its own, called as if it were in this one. */
class ModuleThread {
  readonly fingerprint: string;
  /** Name of the function that verifies. */
  readonly verify: string;
  readonly hasCanonical: boolean;
  readonly #path: string;
  /** Undefined until it is needed again. */
  #running: Running | undefined;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
    this.fingerprint = digestOf(path);
    const { exports } = this.#start();
    const verify = ["verify", "judge"].find((name) => exports.includes(name));
    if (verify === undefined) {
      void this.#stop();
      throw new UserError(
        `expected a function verify exported by the verifier ${path}, got ${exports.length === 0 ? "no function" : exports.join(", ")}`,
      );
    }
    this.verify = verify;
    this.hasCanonical = exports.includes("canonical");
  }

  /** @param limit seconds */
  call(name: string, values: readonly unknown[], limit: number): Reply {
    const { ask } = this.#running ?? this.#start();
    const reply = ask({ name, values }, limit);
    if (reply !== null) return reply;
    void this.#stop();
    return { failure: `${name} gave no answer within ${limit} s` };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#stop();
  }

  #start(): Running {
    if (this.#closed) throw new Error("the verifier is closed");
    if (digestOf(this.#path) !== this.fingerprint) {
      throw new UserError(`expected the verifier ${this.#path} as it was when it was loaded, got another: restore it`);
    }
    const { port1: port, port2: theirs } = new MessageChannel();
    const signal = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(THREAD, {
      eval: true,
      workerData: { url: pathToFileURL(this.#path).href, port: theirs, signal },
      transferList: [theirs],
      execArgv: [],
      stdout: true,
    });
    // What the module prints is a remark: standard output belongs to the results.
    worker.stdout.on("data", (text: Uint8Array) => process.stderr.write(text));
    const ask = (question: object | null, limit: number): Reply | null => {
      if (question !== null) {
        Atomics.store(signal, 0, 0);
        port.postMessage(question);
      }
      Atomics.wait(signal, 0, 0, 1000 * limit);
      return (receiveMessageOnPort(port)?.message as Reply | undefined) ?? null;
    };
    const stop = async () => {
      port.close();
      await worker.terminate();
    };
    // A thread that ended by itself (out of memory, say) is started anew when it is next needed.
    const ended = () => {
      if (this.#running?.stop === stop) this.#running = undefined;
    };
    worker.on("error", ended).on("exit", ended).unref();
    const loaded = ask(null, LOADING_TIMEOUT) ?? { failure: `it did not load within ${LOADING_TIMEOUT} s` };
    if ("failure" in loaded) {
      void stop();
      throw new UserError(`expected a verifier that loads, got ${this.#path}: ${loaded.failure}`);
    }
    this.#running = { exports: loaded.value as readonly string[], ask, stop };
    return this.#running;
  }

  /** Ends the worker. Who does not wait for its end loses nothing: the next one is another. */
  async #stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.stop();
  }
}

interface Running {
  /** Names of the functions that the module exports. */
  readonly exports: readonly string[];
  /** Asks, unless null, and waits for the reply: at most `limit` seconds, then null. */
  readonly ask: (question: object | null, limit: number) => Reply | null;
  readonly stop: () => Promise<void>;
}

function digestOf(path: string): string {
  try {
    return createHash("sha256").update(readFileSync(path)).digest("hex");
  } catch (error) {
    throw new UserError(`expected a readable verifier module, got ${shown(path)}: ${messageOf(error)}`);
  }
}

/**
 * The thread's program, as text so that it runs from anywhere. It answers one question at a time; an answer that comes
 * after its question was settled (by an exception in a timer, say) is dropped.
 */
const THREAD = `
const { url, port, signal } = require("node:worker_threads").workerData;
const textOf = (error) => {
  try {
    return error instanceof Error ? error.name + ": " + error.message : "threw " + String(error);
  } catch {
    return "threw something without a text";
  }
};
let asked = 0;
let settled = -1;
const settle = (question, reply) => {
  if (question !== asked || settled === question) return;
  settled = question;
  try {
    port.postMessage(reply);
  } catch (error) {
    port.postMessage({ failure: textOf(error) });
  }
  Atomics.store(signal, 0, 1);
  Atomics.notify(signal, 0);
};
const fail = (error) => settle(asked, { failure: textOf(error) });
process.on("uncaughtException", fail).on("unhandledRejection", fail);
process.exit = () => {
  throw new Error("process.exit was called");
};
import(url).then((namespace) => {
  const exported = { ...namespace.default, ...namespace };
  port.on("message", async ({ name, values }) => {
    const question = ++asked;
    try {
      settle(question, { value: await exported[name](...values) });
    } catch (error) {
      settle(question, { failure: textOf(error) });
    }
  });
  settle(0, { value: Object.keys(exported).filter((name) => typeof exported[name] === "function") });
}, fail);
`;
