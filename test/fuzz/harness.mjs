/**
 * Feeds damaged and hostile files to the readers of everything that comes from strangers. A case must be read or
 * refused with a UserError: within two seconds, in bounded memory, and without a file outside of its folder. Cases
 * depend on the seed and their number alone.
 *
 *     npm run test:fuzz -- --cases 100000 [--seed 1] [--target yaml]
 */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    target: { type: "string" },
  },
});
const TARGETS = values.target === undefined ? ["safetensors", "tokenizer", "jsonl", "yaml", "config"] : [values.target];
const HANG_MS = 20_000;
const HEAP_MB = 512;

/**
 * @param {string} target
 * @param {string} scratch
 */
async function fuzz(target, scratch) {
  const progress = new SharedArrayBuffer(4);
  const worker = new Worker(new URL("worker.mjs", import.meta.url), {
    workerData: { target, cases: Number(values.cases), seed: Number(values.seed), from: 0, scratch, progress },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  const at = new Int32Array(progress);
  return new Promise((resolve) => {
    let seen = -1;
    const watch = setInterval(() => {
      if (at[0] === seen)
        void worker.terminate().then(() => end(`case ${seen}: hangs for more than ${HANG_MS / 1000} s`));
      seen = at[0] ?? 0;
    }, HANG_MS);
    /** @param {string} failure */
    const end = (failure) => {
      clearInterval(watch);
      resolve({ accepted: 0, refused: 0, slowestMs: 0, peakBytes: 0, failures: [failure] });
    };
    worker.on("message", (figures) => {
      clearInterval(watch);
      resolve(figures);
    });
    worker.on("error", (error) => end(`case ${at[0]}: ended the thread: ${error.stack ?? error.message}`));
  });
}

const root = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "adastar-fuzz-"));
const scratch = join(root, "inner");
mkdirSync(scratch);
process.chdir(scratch);
try {
  for (const target of TARGETS) {
    const started = performance.now();
    const { accepted, refused, slowestMs, peakBytes, failures } = await fuzz(target, scratch);
    const outside = [
      ...readdirSync(root).filter((name) => name !== "inner"),
      ...readdirSync(scratch).filter((name) => !TARGETS.includes(name)),
    ];
    if (outside.length > 0) failures.push(`files outside of the folder: ${outside.join(", ")}`);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    console.log(
      `${target}: ${accepted + refused + failures.length} cases, ${accepted} read, ${refused} refused, failures: ${failures.length}; ` +
        `slowest ${slowestMs.toFixed(0)} ms, at most ${(peakBytes / 2 ** 20).toFixed(0)} MiB, ${seconds} s`,
    );
    for (const failure of failures) console.log(`  ${failure}`);
    if (failures.length > 0) process.exitCode = 1;
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
