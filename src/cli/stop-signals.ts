/** SIGINT, SIGTERM and the end of the process that started this one, so that a run ends where it can go on from. */

export interface StopSignals {
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** 128 + the signal's number, as shells report it; null while none has come. */
  readonly exitCode: number | null;
  dispose(): void;
}

const NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;
type StopSignal = keyof typeof NUMBERS;

/** Set for a process that is to end with its parent, which holds the other end of its stdin for as long as it lives. */
export const WITH_PARENT = "ADASTAR_WITH_PARENT";

/**
 * Listens until disposed. The first signal aborts `signal` and calls `onFirst`; the second ends the process at once, which is safe
 * because a run directory can be resumed from any instant.
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
  // Read to its end, which comes when the parent is no more, whatever ended it. Waiting for that alone keeps no process alive.
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
