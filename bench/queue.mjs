/**
 * The observation queue at 10⁶ and 10⁷ observations: time of building, of peeking the first 10⁴, of pop and push, of
 * writing and reading, and memory an observation. Medians over repetitions.
 *
 *     npm run build && node --expose-gc bench/queue.mjs [observations …]
 */

import { ObservationQueue } from "../dist/algorithm/observation-queue.js";
import { uniform } from "../dist/algorithm/random.js";

/** As in a run: ties by rank, visits recorded. */
const OPTIONS = { tieSeed: 1, recordVisits: true };
const PEEKED = 10_000;
const UPDATED = 10_000;
const REPETITIONS = 5;

/** @param {() => void} action */
function milliseconds(action) {
  const start = performance.now();
  action();
  return performance.now() - start;
}

/** @param {readonly number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** @param {string} what @param {() => void} action */
function report(what, action, unit = "ms", scale = 1) {
  const times = Array.from({ length: REPETITIONS }, () => milliseconds(action) * scale);
  console.log(`  ${what.padEnd(44)} ${median(times).toPrecision(3).padStart(8)} ${unit}`);
}

/** Bytes that the process holds in typed arrays. */
function arrayBytes() {
  globalThis.gc?.();
  return process.memoryUsage().arrayBuffers;
}

/**
 * A queue in the middle of a run: t̃ and w̃ of all observations differ.
 *
 * @param {number} size
 */
function usedQueue(size) {
  const queue = ObservationQueue.create(size, ["lastSampled", "winRate"], OPTIONS);
  for (let i = 0; i < size; i++) queue.update(i, 1 + Math.floor(uniform(1, i) * 30), Math.floor(uniform(2, i) * 6), 5);
  return queue;
}

/** @param {ObservationQueue} queue @param {number} count */
function peek(queue, count) {
  let seen = 0;
  for (const _ of queue.peekInOrder()) if (++seen === count) return;
}

for (const size of process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1e6, 1e7]) {
  const before = arrayBytes();
  const queue = usedQueue(size);
  const bytes = arrayBytes() - before;
  console.log(`${size.toLocaleString("en")} observations, ${(bytes / size).toFixed(1)} bytes each`);
  const written = queue.serialize();
  let iteration = 31;
  report("build", () => void ObservationQueue.create(size, ["lastSampled", "winRate"], OPTIONS));
  report(`peek the first ${PEEKED}`, () => peek(queue, PEEKED));
  report(
    "pop and push, each",
    () => {
      for (let i = 0; i < UPDATED; i++) {
        const observation = /** @type {number} */ (queue.pop());
        queue.push(observation, iteration, i % 6, 5);
      }
      iteration++;
    },
    "µs",
    1e3 / UPDATED,
  );
  report(`write (${(written.length / size).toFixed(1)} bytes each)`, () => void queue.serialize());
  report("read, check and order", () => void ObservationQueue.restore(written));
}
