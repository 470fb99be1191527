/** Requests of a `sample` call as an engine takes them: those at hand now, without waiting for those that may come. */

import type { SampleRequest, SampleRequests } from "./engine.js";

/** A request with its position in the call. */
export interface NumberedRequest extends SampleRequest {
  readonly index: number;
}

interface RequestSourceOptions {
  /** Called with each request when it arrives, those of a list at once; throws for one that cannot be answered. */
  readonly check: (request: SampleRequest) => void;
  readonly signal?: AbortSignal | undefined;
}

export class RequestSource {
  readonly #check: RequestSourceOptions["check"];
  readonly #signal: AbortSignal | undefined;
  /** Undefined for a list, which has all its requests at hand. */
  readonly #stream: AsyncIterator<SampleRequest> | undefined;
  readonly #arrived: SampleRequest[] = [];
  #taken = 0;
  #ended = false;
  /** The stream's next answer, while it is awaited. */
  #asked: Promise<void> | undefined;
  readonly #closing = new AbortController();
  /** Resolves when the signal is aborted. */
  #abort: Promise<void> | undefined;

  constructor(requests: SampleRequests, { check, signal }: RequestSourceOptions) {
    this.#check = check;
    this.#signal = signal;
    if (Symbol.asyncIterator in requests) {
      this.#stream = requests[Symbol.asyncIterator]();
      return;
    }
    for (const request of requests) this.#arrive(request);
    this.#ended = true;
  }

  /** All requests where they were given as a list; null for a stream. */
  get list(): readonly SampleRequest[] | null {
    return this.#stream === undefined ? this.#arrived : null;
  }

  /** Requests that may still be taken; infinite for a stream that has not ended. */
  get remaining(): number {
    return this.#ended ? this.#arrived.length - this.#taken : Number.POSITIVE_INFINITY;
  }

  /**
   * At most `count` requests of those that can be had now. With `wait` at least one, unless there are no more. Throws
   * the signal's reason once it is aborted.
   */
  async take(count: number, wait: boolean): Promise<NumberedRequest[]> {
    this.#signal?.throwIfAborted();
    const atHand = () => this.#arrived.length - this.#taken;
    while (atHand() < count && !this.#ended) {
      this.#asked ??= this.#ask();
      const patient = wait && atHand() === 0;
      await Promise.race([this.#asked, patient ? this.#aborted() : turnOfTheLoop()]);
      this.#signal?.throwIfAborted();
      if (this.#asked !== undefined) break;
    }
    const first = this.#taken;
    this.#taken = Math.min(this.#arrived.length, first + count);
    return this.#arrived.slice(first, this.#taken).map((request, i) => ({ ...request, index: first + i }));
  }

  /**
   * Tells the stream that no more requests are taken. Does not wait for it: a stream that waits itself could not
   * answer.
   */
  close(): void {
    this.#closing.abort();
    this.#stream?.return?.().catch(() => {});
  }

  async #ask(): Promise<void> {
    const next = await this.#stream?.next();
    if (next === undefined || next.done === true) this.#ended = true;
    else this.#arrive(next.value);
    this.#asked = undefined;
  }

  #arrive(request: SampleRequest): void {
    this.#check(request);
    this.#arrived.push(request);
  }

  #aborted(): Promise<void> {
    const { signal } = this.#closing;
    this.#abort ??= new Promise((resolve) => {
      this.#signal?.addEventListener("abort", () => resolve(), { once: true, signal });
    });
    return this.#abort;
  }
}

/** Long enough for a stream that has a request ready. */
function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
