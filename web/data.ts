/** Asking the server, and asking again when it says that something changed. */

import { useEffect, useState } from "preact/hooks";

export interface Asked<T> {
  /** The last answer, also while the next one is awaited. */
  readonly data: T | null;
  readonly error: string | null;
}

/** The answer to a question (null: none is asked). Asks again whenever `version` changes. */
export function useAsked<T>(path: string | null, version = 0): Asked<T> {
  const [asked, setAsked] = useState<Asked<T> & { readonly path: string | null }>({ data: null, error: null, path });
  // Another version is the reason to ask again.
  useEffect(() => {
    if (path === null) return;
    const controller = new AbortController();
    ask<T>(path, controller.signal)
      .then((data) => setAsked({ data, error: null, path }))
      .catch((error: unknown) => {
        if (controller.signal.aborted) return;
        const reason = error instanceof Error ? error.message : String(error);
        setAsked((before) => ({ data: before.path === path ? before.data : null, error: reason, path }));
      });
    return () => controller.abort();
  }, [path, version]);
  return asked;
}

async function ask<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await fetch(path, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new Error("The dashboard's server does not answer. Start it again with: adastar dashboard");
  });
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok)
    throw new Error((body as { error?: string } | null)?.error ?? `the server answered ${response.status}`);
  return body as T;
}

/** Counts the changes of a run, or of the list of runs (""), as the server reports them. */
export function useChanges(topic: string): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    const source = new EventSource(`/api/events?${new URLSearchParams({ run: topic })}`);
    source.addEventListener("change", () => setCount((before) => before + 1));
    return () => source.close();
  }, [topic]);
  return count;
}
