/** Results go to stdout, everything said on the way to stderr, so that stdout can be piped into another program. */

/** One result to stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One JSON value to stdout, on one line. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** A remark to stderr. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/**
 * A reader that closes the pipe early (`adastar methods | head -1`) ends the program quietly; a closed stderr only ends the remarks,
 * so that a run outlives the terminal that watched it.
 */
export function quietOnBrokenPipe(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
  process.stderr.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}
