/**
 * A run of a second with a real model: a tiny random Llama, and a verifier that takes some of what it babbles for
 * right.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadConfig, resumeRun, startRun } from "../../dist/index.js";

const model = fileURLToPath(new URL("../fixtures/tiny-llama", import.meta.url));

/** @param {number} from @param {number} count */
function sums(from, count) {
  return Array.from({ length: count }, (_, i) => ({
    id: `sum-${from + i}`,
    question: `${from + i}+1?`,
    answer: String(from + i + 1),
  }));
}

/** @type {import("../../dist/index.js").Task} */
const task = {
  name: "babble",
  description: "short sums for a model with a short context",
  train: sums(0, 16),
  test: sums(20, 4),
  format: {
    prompt: ({ question }) => question,
    hintedPrompt: ({ question, answer }) => `${question}${answer} `,
    completion: (rationale, answer) => `${rationale}=${answer}`,
    separator: ", ",
    stop: ["e"],
  },
  exemplars: [{ question: "5+1?", rationale: "so", answer: "6" }],
  verifier: {
    canonical: (answer) => answer,
    // An even number of characters: a random model manages that now and then.
    verify: (output) => {
      const found = output.length % 2 === 0 ? "correct" : "wrong";
      return { strict: found, lenient: found, extracted: String(output.length) };
    },
  },
  maxTokens: 24,
  rationalize: true,
};

const settings = {
  model,
  iterations: 3,
  batchSize: 2,
  steps: 4,
  checkpointSteps: 2,
  samplingBatch: 4,
  learningRate: 1e-3,
  threads: 1,
};

/**
 * Starts the run in `runDir`, or goes on with it.
 *
 * @param {string} runDir
 * @param {{ onDiskStep?: (step: string, path: string) => void, listener?: import("../../dist/index.js").Listener }}
 * [options]
 */
export async function go(runDir, { onDiskStep, listener = () => {} } = {}) {
  const options = { task, ...(onDiskStep === undefined ? {} : { onDiskStep }) };
  if (existsSync(join(runDir, "config.yaml"))) return resumeRun(runDir, listener, options);
  const { config } = loadConfig({ flags: { ...settings, runDir } });
  return startRun(config, listener, options);
}
