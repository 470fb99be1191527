/**
 * Updates on a server that works on one while the next one is already there. They are sent in the order of the calls,
 * at most `ahead` at once, and settle in that order.
 */

interface Entry {
  readonly sent: Promise<unknown>;
  readonly settled: Promise<unknown>;
}

export class UpdatePipeline {
  readonly #ahead: number;
  /** Updates that are not settled, oldest first. */
  #open: Entry[] = [];

  constructor(ahead: number) {
    this.#ahead = ahead;
  }

  /**
   * Sends an update once those before it are sent and there is room for it. If one before it fails, this one fails with
   * the same error. Once `signal` is aborted, an update that is not sent fails with the signal's reason.
   *
   * @param send resolves when the server has the update, with a function that waits for its result. That gives a
   *   function which takes note of the result; these are called in the order of the updates
   */
  submit<T>(send: () => Promise<() => Promise<() => T>>, signal?: AbortSignal): Promise<T> {
    const before = this.#open.at(-1);
    const room = this.#open.at(-this.#ahead);
    const sent = (async () => {
      await before?.sent;
      await room?.settled;
      // Whoever waits for that update hears of it first, and may abort.
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
      return send();
    })();
    const settled = (async () => {
      const wait = await sent;
      // Both at once: were the earlier one to fail later, this one's failure would go unheard.
      const [, note] = await Promise.all([before?.settled, wait()]);
      return note();
    })();
    const entry = { sent, settled };
    this.#open.push(entry);
    const leave = () => {
      this.#open = this.#open.filter((other) => other !== entry);
    };
    settled.then(leave, leave);
    return settled;
  }

  /** Resolves once all updates that were submitted are settled. */
  async idle(): Promise<void> {
    while (this.#open.length > 0) await Promise.allSettled(this.#open.map(({ settled }) => settled));
  }
}
