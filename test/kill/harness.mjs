/**
 * Kills a run with SIGKILL, again and again, resumes it until it is done, and compares what it leaves with an
 * uninterrupted run, byte for byte. Half of the kills come at random instants, half right before a step that the store
 * takes on the disk, over all kinds of steps in turn. After each kill, a reader of the directory must find the run
 * interrupted rather than running.
 *
 *     npm run test:kill -- --kills 200 [--seed 1]
 */

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { uniform } from "../../dist/algorithm/random.js";
import { RunReader } from "../../dist/run/directory/reader.js";
import { differences, essence } from "./essence.mjs";

const CHILD = fileURLToPath(new URL("child.mjs", import.meta.url));
/** Each run is killed at every n-th kind of step, beginning with another one. */
const STRIDE = 5;

const { values } = parseArgs({
  options: { kills: { type: "string", default: "200" }, seed: { type: "string", default: "1" } },
});
const wanted = Number(values.kills);
const seed = Number(values.seed);
let drawn = 0;
const random = () => uniform(seed, drawn++);

/**
 * @param {readonly string[]} args
 * @param {number} [afterMs] when to kill it
 * @returns {Promise<{ done: boolean, site: string }>} with the step that it killed itself at, if it did
 */
function live(args, afterMs) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    let site = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      site += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
    const timer = afterMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), afterMs);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve({ done: true, site });
      else if (signal === "SIGKILL") resolve({ done: false, site });
      else reject(new Error(`expected the run to go on or be killed, got exit code ${code}:\n${said}`));
    });
  });
}

/**
 * How the run stands for a reader of its directory, right after its process ended.
 *
 * @param {string} dir
 */
function statusOf(dir) {
  return existsSync(join(dir, "config.yaml")) ? RunReader.open(dir).status.kind : "none yet";
}

const scratch = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "adastar-kill-"));
const figures = { kills: 0, atRandom: 0, aimed: 0, resumes: 0, runs: 0, differences: 0, misread: 0 };
/** @type {Set<string>} */
const hit = new Set();
const started = performance.now();
try {
  const trace = join(scratch, "trace");
  const before = performance.now();
  await live([join(scratch, "whole"), "--trace", trace]);
  const wallMs = performance.now() - before;
  const expected = essence(join(scratch, "whole"));
  const sites = [...new Set(readFileSync(trace, "utf8").split("\n"))];
  const calls = readFileSync(trace, "utf8").split("\n").length;
  console.log(`uninterrupted: ${(wallMs / 1000).toFixed(1)} s, ${calls} steps on the disk, ${sites.length} kinds`);

  while (figures.kills < wanted) {
    const dir = join(scratch, `run-${figures.runs}`);
    let aims = sites.filter((_, i) => i % STRIDE === figures.runs % STRIDE);
    let life = 0;
    for (let done = false; !done; life++) {
      const enough = figures.kills >= wanted;
      const aimed = !enough && life % 2 === 0;
      const args = aimed ? aims.flatMap((site) => ["--at", site]) : [];
      const torn = aimed && random() < 0.5 ? ["--torn"] : [];
      const outcome = await live([dir, ...args, ...torn], enough || aimed ? undefined : random() * wallMs);
      done = outcome.done;
      const seen = statusOf(dir);
      // A run that is killed between its last entry and its end is finished.
      const expectedKinds = done ? ["finished"] : ["none yet", "interrupted", "finished"];
      if (!expectedKinds.includes(seen)) {
        figures.misread++;
        console.log(`${dir}: expected a reader to find it ${expectedKinds.join(" or ")}, got ${seen}`);
      }
      if (done) continue;
      figures.kills++;
      if (outcome.site === "") figures.atRandom++;
      else {
        figures.aimed++;
        hit.add(outcome.site);
        aims = aims.filter((site) => site !== outcome.site);
      }
    }
    figures.resumes += life - 1;
    figures.runs++;
    const differing = differences(expected, essence(dir));
    if (differing.length > 0) {
      figures.differences++;
      console.log(`run ${figures.runs} differs from the uninterrupted one in ${differing.join(", ")}`);
    }
    rmSync(dir, { recursive: true, force: true });
  }
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `${figures.kills} kills (${figures.atRandom} at random instants, ${figures.aimed} aimed, at ${hit.size} of ${sites.length} kinds of steps), ` +
      `${figures.resumes} resumes, ${figures.runs} runs, differences: ${figures.differences}, misread: ${figures.misread}, ${seconds.toFixed(0)} s`,
  );
  if (figures.differences > 0 || figures.misread > 0) process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
