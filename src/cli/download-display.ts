/** Progress of downloads: one line that is rewritten on a terminal, one line per tenth of a large file in a log. */

import type { DownloadProgress } from "../hub/progress.js";

/** Smaller files arrive before anybody has read the line. A log shows fewer files than a terminal. */
const MIN_SHOWN_BYTES = 1e6;
const MIN_LOGGED_BYTES = 2e7;
const REDRAW_MS = 200;

export function downloadDisplay(stream: NodeJS.WriteStream): (progress: DownloadProgress) => void {
  return stream.isTTY ? rewritten(stream) : logged(stream);
}

function rewritten(stream: NodeJS.WriteStream): (progress: DownloadProgress) => void {
  let drawn = 0;
  return (progress) => {
    if (progress.size < MIN_SHOWN_BYTES) return;
    const whole = progress.received >= progress.size;
    const now = performance.now();
    if (!whole && now - drawn < REDRAW_MS) return;
    drawn = now;
    const text = lineOf(progress).slice(0, Math.max(20, stream.columns - 1));
    stream.write(`\r\x1b[K${text}${whole ? "\n" : ""}`);
  };
}

function logged(stream: NodeJS.WriteStream): (progress: DownloadProgress) => void {
  const tenths = new Map<string, number>();
  return (progress) => {
    if (progress.size < MIN_LOGGED_BYTES) return;
    const key = `${progress.name}/${progress.path}`;
    const tenth = Math.floor((10 * progress.received) / progress.size);
    if (tenths.get(key) === tenth) return;
    tenths.set(key, tenth);
    stream.write(`${lineOf(progress)}\n`);
  };
}

function lineOf({ name, path, received, size }: DownloadProgress): string {
  const percent = Math.floor((100 * received) / size);
  return `downloading ${path} of ${name}: ${percent} % (${megabytes(received)} of ${megabytes(size)} MB)`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
