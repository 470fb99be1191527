/** Work on a list by several workers at once. */

/**
 * Works on the items in their order, `workers` at a time. The first error, or the signal, ends the work on all others;
 * it is thrown once they have ended.
 */
export async function inParallel<T>(
  items: readonly T[],
  workers: number,
  stop: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failure = new AbortController();
  const signal = stop === undefined ? failure.signal : AbortSignal.any([stop, failure.signal]);
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) {
      signal.throwIfAborted();
      await work(item, signal);
    }
  };
  const guarded = () => worker().catch((error: unknown) => failure.abort(error));
  await Promise.all(Array.from({ length: Math.min(workers, items.length) }, guarded));
  if (failure.signal.aborted) throw failure.signal.reason;
}
