/** Runs the cases of one target, in a thread whose memory is bounded; tells in shared memory which case it is at. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { uniform } from "../../dist/algorithm/random.js";
import { UserError } from "../../dist/index.js";
import { makeTargets } from "./targets.mjs";

const { target, cases, seed, from, scratch, progress } = workerData;
const SLOW_MS = 2000;
const folder = join(scratch, target);
mkdirSync(folder, { recursive: true });
const { input, read } = (await makeTargets(folder))[target];
const at = new Int32Array(progress);
const figures = { accepted: 0, refused: 0, slowestMs: 0, peakBytes: 0, failures: /** @type {string[]} */ ([]) };

for (let n = from; n < cases; n++) {
  Atomics.store(at, 0, n);
  // One strong draw a case; a linear congruence from there on costs a tenth of it.
  let state = Math.floor(uniform(seed, n) * 2 ** 32);
  const bytes = input((/** @type {number} */ below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  });
  const started = performance.now();
  let failure = "";
  try {
    await read(bytes);
    figures.accepted++;
  } catch (error) {
    if (error instanceof UserError && error.message.length < 2000) figures.refused++;
    else failure = error instanceof Error ? (error.stack ?? error.message).slice(0, 600) : String(error);
  }
  const took = performance.now() - started;
  if (took > SLOW_MS) failure = `took ${took.toFixed(0)} ms`;
  figures.slowestMs = Math.max(figures.slowestMs, took);
  if (n % 1000 === 0) figures.peakBytes = Math.max(figures.peakBytes, process.memoryUsage.rss());
  if (failure !== "")
    figures.failures.push(`case ${n}: ${failure}\n  input: ${JSON.stringify(bytes.toString("latin1").slice(0, 300))}`);
  if (figures.failures.length > 20) break;
}
parentPort?.postMessage(figures);
