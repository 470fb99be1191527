/**
 * Damages one file of a run directory at a time, by cutting it at a random offset or flipping a random bit, and goes on
 * with the run. Each case must end as the undamaged run does, byte for byte, or be refused with a message that names
 * the file.
 *
 *     npm run test:damage -- --cases 500 [--seed 1]
 */

import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { uniform } from "../../dist/algorithm/random.js";
import { UserError } from "../../dist/index.js";
import { differences, essence } from "../kill/essence.mjs";
import { go } from "../kill/tiny-run.mjs";

const { values } = parseArgs({
  options: { cases: { type: "string", default: "500" }, seed: { type: "string", default: "1" } },
});
const cases = Number(values.cases);
const seed = Number(values.seed);
let drawn = 0;
/** @param {number} below */
const pick = (below) => Math.floor(uniform(seed, drawn++) * below);

class Stopped extends Error {}

/**
 * A run as it is right before the store takes a step for the first time.
 *
 * @param {string} dir
 * @param {(step: string, path: string) => boolean} at
 */
async function stoppedAt(dir, at) {
  const onDiskStep = (/** @type {string} */ step, /** @type {string} */ path) => {
    if (at(step, relative(dir, path))) throw new Stopped();
  };
  await go(dir, { onDiskStep }).catch((error) => {
    if (!(error instanceof Stopped)) throw error;
  });
  return dir;
}

/** @param {string} dir */
function filesOf(dir) {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/**
 * Changes a file of at least one byte; says how.
 *
 * @param {string} path
 */
function damage(path) {
  const bytes = readFileSync(path);
  const at = pick(bytes.length);
  if (pick(2) === 0) {
    truncateSync(path, at);
    return `cut to ${at} of ${bytes.length} bytes`;
  }
  const bit = pick(8);
  bytes[at] ^= 1 << bit;
  writeFileSync(path, bytes);
  return `bit ${bit} of byte ${at} flipped`;
}

const scratch = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "adastar-damage-"));
const figures = { repaired: 0, refused: 0, wrong: 0 };
/** @type {Set<string>} */
const touched = new Set();
const started = performance.now();
try {
  const states = [
    await stoppedAt(join(scratch, "finished"), () => false),
    await stoppedAt(
      join(scratch, "training"),
      (step, path) => step === "rename" && path === join("checkpoints", "0002"),
    ),
    await stoppedAt(
      join(scratch, "evaluating"),
      (step, path) => step === "fsync" && path === join("iterations", "0003", "evaluation.jsonl"),
    ),
    await stoppedAt(
      join(scratch, "saving"),
      (step, path) => step === "mkdir" && path === join("iterations", "0003", "training"),
    ),
  ];
  const expected = essence(states[0] ?? "");
  for (let n = 0; n < cases; n++) {
    const dir = join(scratch, `case-${n}`);
    const state = states[n % states.length] ?? "";
    cpSync(state, dir, { recursive: true });
    const files = filesOf(dir).filter((path) => readFileSync(path).length > 0);
    const path = files[pick(files.length)] ?? "";
    const name = relative(dir, path);
    const how = damage(path);
    touched.add(`${relative(scratch, state)} ${name}`);
    try {
      await go(dir);
      const differing = differences(expected, essence(dir));
      if (differing.length === 0) figures.repaired++;
      else {
        figures.wrong++;
        console.log(`${state}: ${name}, ${how}: went on, and ended with another ${differing.join(", ")}`);
      }
    } catch (error) {
      if (error instanceof UserError && error.message.includes(name)) figures.refused++;
      else {
        figures.wrong++;
        console.log(`${state}: ${name}, ${how}: ended with ${error instanceof Error ? error.stack : String(error)}`);
      }
    }
    rmSync(dir, { recursive: true, force: true });
  }
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `${cases} cases in ${touched.size} files: ${figures.repaired} repaired, ${figures.refused} refused by name, wrong: ${figures.wrong}, ${seconds.toFixed(0)} s`,
  );
  if (figures.wrong > 0) process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
