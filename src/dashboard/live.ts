/**
 * Tells pages that a run, or the list of runs, has changed. One look a second, for all pages together, while any is
 * open.
 */

import type { Library } from "./library.js";

/** Milliseconds between two looks. */
const INTERVAL = 1_000;

type Watcher = () => void;

export class Live {
  readonly #library: Library;
  readonly #watchers = new Map<string, { readonly watchers: Set<Watcher>; stamp: string }>();
  #timer: NodeJS.Timeout | null = null;

  constructor(library: Library) {
    this.#library = library;
  }

  /** @param topic a run's id, or "" for the list of runs. Returns what ends the watch. */
  watch(topic: string, watcher: Watcher): () => void {
    const known = this.#watchers.get(topic);
    if (known === undefined) this.#watchers.set(topic, { watchers: new Set([watcher]), stamp: this.#stampOf(topic) });
    else known.watchers.add(watcher);
    this.#timer ??= setInterval(() => this.#look(), INTERVAL).unref();
    return () => {
      const watched = this.#watchers.get(topic);
      watched?.watchers.delete(watcher);
      if (watched?.watchers.size === 0) this.#watchers.delete(topic);
      if (this.#watchers.size === 0 && this.#timer !== null) {
        clearInterval(this.#timer);
        this.#timer = null;
      }
    };
  }

  #look(): void {
    for (const [topic, watched] of this.#watchers) {
      const stamp = this.#stampOf(topic);
      if (stamp === watched.stamp) continue;
      watched.stamp = stamp;
      for (const watcher of watched.watchers) watcher();
    }
  }

  #stampOf(topic: string): string {
    try {
      return topic === "" ? this.#library.listStamp() : this.#library.runStamp(topic);
    } catch {
      return "unreadable";
    }
  }
}
