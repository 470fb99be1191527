/** Results go to stdout and remarks to stderr, so that stdout can be piped into another program. */

import { once } from "node:events";

/** Characters that are written to stdout at once. */
const CHUNK = 1 << 16;

/** One result to stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One JSON value to stdout, on one line. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** Many results to stdout, one per line, at the reader's pace. If `lines` throws, the lines before it are printed. */
export async function printLines(lines: AsyncIterable<string>): Promise<void> {
  let waiting = "";
  const flush = async () => {
    const text = waiting;
    waiting = "";
    if (text !== "" && !process.stdout.write(text)) await once(process.stdout, "drain");
  };
  try {
    for await (const line of lines) {
      waiting += `${line}\n`;
      if (waiting.length >= CHUNK) await flush();
    }
  } finally {
    await flush();
  }
}

/** A remark to stderr. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/**
 * A reader that closes the pipe early (`adastar methods | head -1`) ends the program without an error. A closed stderr
 * only ends the remarks, so that a run continues after its terminal was closed.
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
