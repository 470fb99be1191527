/**
 * Tokens a second and memory of the embedded engine, sampling and training, beside transformers on PyTorch with the
 * same shapes.
 *
 *   npm run build && node bench/engine.mjs [--python PATH] [--dtypes float32,bfloat16] [--sizes 5M,135M] [--rounds 3]
 *
 * `--python` names an interpreter with torch and transformers; without it, only this engine is measured. Each figure
 * comes from a fresh process (bench/engine-worker.mjs or bench/engine_reference.py) that runs its step a few times
 * untimed, then timed, and prints its median; the processes of both sides take turns, and the table shows the median of
 * the rounds. Weights are random: speed does not depend on them.
 */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    python: { type: "string" },
    dtypes: { type: "string", default: "float32,bfloat16" },
    sizes: { type: "string", default: "5M,135M" },
    rounds: { type: "string", default: "3" },
  },
});

/**
 * SmolLM2-135M's own shape, and a small one. Sampling: prompts of 32 tokens, 32 new ones each. Training: the last
 * tokens carry the loss.
 */
const SHAPES = {
  "5M": {
    model: { vocabulary: 512, width: 256, layers: 6, heads: 4, keyValueHeads: 4, mlpWidth: 704 },
    sample: { batch: 64, prompt: 32, fresh: 32, repeats: 5 },
    train: { batch: 16, length: 64, completion: 40, repeats: 9 },
  },
  "135M": {
    model: { vocabulary: 49152, width: 576, layers: 30, heads: 9, keyValueHeads: 3, mlpWidth: 1536 },
    sample: { batch: 64, prompt: 32, fresh: 32, repeats: 1 },
    train: { batch: 8, length: 128, completion: 48, repeats: 3 },
  },
};

const folder = import.meta.dirname;
const sides = [
  { name: "adastar fp32", command: [process.execPath, join(folder, "engine-worker.mjs")], options: {} },
  ...(values.python === undefined
    ? []
    : values.dtypes.split(",").map((dtype) => ({
        name: `PyTorch ${dtype}`,
        command: [values.python, join(folder, "engine_reference.py")],
        options: { dtype },
      }))),
];

for (const size of values.sizes.split(",")) {
  for (const job of ["sample", "train"]) {
    const results = new Map(sides.map(({ name }) => [name, []]));
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const { name, command, options } of sides) {
        const task = JSON.stringify({ job, ...SHAPES[size].model, ...SHAPES[size][job], ...options });
        const { stdout, stderr, status } = spawnSync(command[0], [...command.slice(1), task], { encoding: "utf8" });
        if (status !== 0) throw new Error(`${name} failed: ${stderr}`);
        results.get(name).push(JSON.parse(stdout.trim().split("\n").at(-1)));
      }
    }
    for (const [name, runs] of results) {
      const median = (key) => runs.map((run) => run[key]).sort((a, b) => a - b)[runs.length >> 1];
      const rate = Math.round(median("tokensPerSecond")).toLocaleString("en");
      const range = runs.map((run) => Math.round(run.tokensPerSecond)).join(", ");
      console.log(
        `${size} ${job.padEnd(6)} ${name.padEnd(16)} ${rate.padStart(8)} tokens/s  (${range})  ${Math.round(median("peakMiB"))} MiB`,
      );
    }
  }
}
