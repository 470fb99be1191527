/**
 * What durability costs: the default run, with the time spent in every fsync, in every write of the run directory and
 * in digests measured inside it; and the same run with fsync doing nothing.
 *
 *     npm run build && node bench/durability.mjs [--iterations 2] [--folder DIR]
 */

import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { iterations: { type: "string", default: "2" }, folder: { type: "string", default: tmpdir() } },
});

/** Milliseconds and calls by what was done. @type {Map<string, { ms: number, calls: number }>} */
let spent = new Map();
let durable = true;

/** @param {string} what @param {number} since */
function count(what, since) {
  const so = spent.get(what) ?? { ms: 0, calls: 0 };
  spent.set(what, { ms: so.ms + performance.now() - since, calls: so.calls + 1 });
}

/**
 * Replaces a function of node:fs by one that is timed.
 *
 * @param {Record<string, any>} owner
 * @param {string} name
 * @param {string} what
 */
function time(owner, name, what) {
  const original = owner[name];
  owner[name] = function (/** @type {unknown[]} */ ...args) {
    if (what === "fsync" && !durable) return name === "sync" ? Promise.resolve() : undefined;
    const since = performance.now();
    const result = original.apply(this, args);
    if (!(result instanceof Promise)) {
      count(what, since);
      return result;
    }
    return result.finally(() => count(what, since));
  };
}

time(fs, "fsyncSync", "fsync");
for (const name of ["writeSync", "renameSync", "mkdirSync", "rmSync", "ftruncateSync"]) time(fs, name, "writes");
const probe = await fs.promises.open(join(values.folder, `.probe-${process.pid}`), "w");
const fileHandle = Object.getPrototypeOf(probe);
await probe.close();
fs.rmSync(join(values.folder, `.probe-${process.pid}`));
time(fileHandle, "sync", "fsync");
time(fileHandle, "write", "writes");
// What imports by name from now on gets the timed functions.
syncBuiltinESMExports();
const { loadConfig, startRun } = await import("../dist/index.js");

/** @returns {Promise<number>} seconds */
async function run() {
  const runDir = join(values.folder, `adastar-durability-${process.pid}-${durable}`);
  const { config } = loadConfig({ flags: { runDir, iterations: Number(values.iterations) } });
  spent = new Map();
  const since = performance.now();
  await startRun(config, () => {});
  const seconds = (performance.now() - since) / 1000;
  fs.rmSync(runDir, { recursive: true });
  return seconds;
}

for (durable of [true, false]) {
  const seconds = await run();
  const parts = [...spent].map(([what, { ms, calls }]) => `${what} ${ms.toFixed(0)} ms in ${calls} calls`);
  const share = [...spent.values()].reduce((sum, { ms }) => sum + ms, 0) / seconds / 10;
  console.log(
    `fsync ${durable ? "on" : "off"}: ${seconds.toFixed(1)} s; ${parts.join(", ")}; together ${share.toFixed(2)} % of the run`,
  );
}
