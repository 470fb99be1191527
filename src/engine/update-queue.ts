/**
 * The order of updates that are submitted ahead, for engines that hold their weights in this process
 * (`Engine.trainStep`).
 */

export class UpdateQueue {
  #last: Promise<unknown> = Promise.resolve();
  /** Updates that are not settled. */
  #open = 0;

  /**
   * Makes an update once those submitted before it are made. If one of them fails, this one fails with the same error
   * and is not made. Once `signal` is aborted, an update that has not begun fails with the signal's reason.
   */
  submit<T>(update: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const begin = async () => {
      signal?.throwIfAborted();
      return update();
    };
    // A failure concerns those that are waiting; after it, a caller may start anew.
    const result = this.#open === 0 ? begin() : this.#last.then(begin);
    this.#last = result;
    this.#open++;
    const settle = () => {
      this.#open--;
    };
    result.then(settle, settle);
    return result;
  }

  /** Resolves once all updates that were submitted are settled. */
  async idle(): Promise<void> {
    await this.#last.catch(() => {});
  }
}
