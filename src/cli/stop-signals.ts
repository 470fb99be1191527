/** SIGINT, SIGTERM, SIGHUP and the end of the parent process: a run saves and ends. */

export interface StopSignals {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  /** 128 + the signal's number, as shells report it; null while none has come. */
  readonly exitCode: number | null;
  dispose(): void;
}

const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
type StopSignal = keyof typeof NUMBERS;

/** Set for a process that ends with its parent. The parent holds the other end of its stdin while it lives. */
export const WITH_PARENT = "ADASTAR_WITH_PARENT";

/**
 * Listens until disposed. The first signal aborts `signal` and calls `onFirst`. The second ends the process at once,
 * which is safe: a run directory can be resumed from any instant.
 */
export function listenForStop(onFirst: (name: StopSignal) => void): StopSignals {
  const controller = new AbortController();
  let exitCode: number | null = null;
  const stop = (name: StopSignal) => {
    if (exitCode !== null) process.exit(128 + NUMBERS[name]);
    exitCode = 128 + NUMBERS[name];
    onFirst(name);
    controller.abort();
  };
  const names = Object.keys(NUMBERS) as StopSignal[];
  for (const name of names) process.on(name, stop);
  const parentGone = () => stop("SIGTERM");
  const { stdin } = process;
  const follows = process.env[WITH_PARENT] !== undefined;
  // stdin ends when the parent has ended for any reason. Waiting for that alone does not keep this process alive.
  if (follows) stdin.once("close", parentGone).resume().unref();
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    dispose: () => {
      for (const name of names) process.off(name, stop);
      if (follows) stdin.off("close", parentGone).destroy();
    },
  };
}
