/** One measurement of bench/engine.mjs, in a process of its own: prints {"tokensPerSecond","peakMiB"}. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeNewCheckpoint } from "../dist/engine/checkpoint/checkpoint.js";
import { newLlama } from "../dist/engine/checkpoint/model-config.js";
import { wordTokenizer } from "../dist/engine/checkpoint/word-tokenizer.js";
import { initialWeights } from "../dist/engine/onnx/initialize.js";
import { openOnnxEngine } from "../dist/engine/onnx/onnx-engine.js";

const task = JSON.parse(process.argv[2]);
const folder = mkdtempSync(join(tmpdir(), "adastar-bench-"));
const config = newLlama({
  vocabularySize: task.vocabulary,
  width: task.width,
  layers: task.layers,
  heads: task.heads,
  keyValueHeads: task.keyValueHeads,
  headDim: task.width / task.heads,
  mlpWidth: task.mlpWidth,
  contextLength: 1024,
});
/** In a function, so that its copy of the weights does not count as the engine's memory. */
async function writeRandomCheckpoint() {
  const words = Array.from({ length: task.vocabulary - 1 }, (_, i) => `${i.toString(36)} `);
  const { tokenizerJson, tokenizerConfig } = wordTokenizer(words, { end: "<end>" });
  const weights = initialWeights(config, 1);
  await writeNewCheckpoint(folder, { config, weights, dtype: "float32", tokenizerJson, tokenizerConfig });
}
await writeRandomCheckpoint();
const engine = await openOnnxEngine({ model: folder });
rmSync(folder, { recursive: true });

const token = (i) => 1 + ((i * 7919) % (task.vocabulary - 1));
const sequence = (length, seed) => Array.from({ length }, (_, i) => token(seed * 131 + i));
const OPTIMIZER = { kind: "adamw", learningRate: 1e-5, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

async function sampleOnce(round) {
  const requests = Array.from({ length: task.batch }, (_, i) => ({
    name: `${i}`,
    prompt: sequence(task.prompt, round * task.batch + i),
    seed: i,
  }));
  const params = { prefix: [], temperature: 1, topP: 0.9, maxTokens: task.fresh, stop: [] };
  let tokens = 0;
  for await (const sample of engine.sample(requests, params)) tokens += sample.generatedTokens;
  return tokens;
}

async function trainOnce() {
  const examples = Array.from({ length: task.batch }, (_, i) => ({
    name: `${i}`,
    tokens: sequence(task.length, i),
    completionStart: task.length - task.completion,
  }));
  return (await engine.trainStep(examples, OPTIMIZER)).tokens;
}

const rates = [];
for (let round = -2; round < task.repeats; round++) {
  const start = performance.now();
  const tokens = await (task.job === "sample" ? sampleOnce(round + 2) : trainOnce());
  if (round >= 0) rates.push((tokens / (performance.now() - start)) * 1000);
}
rates.sort((a, b) => a - b);
console.log(
  JSON.stringify({ tokensPerSecond: rates[rates.length >> 1], peakMiB: process.resourceUsage().maxRSS / 1024 }),
);
await engine.close();
