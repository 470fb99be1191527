/**
 * How fast the read side opens a large run: the program's own writers make the folder of a run of N observations and T
 * iterations, with as many draws an iteration as asked for, and it is read then.
 *
 *     npm run build && node bench/reader.mjs [--observations 1000000] [--iterations 100] [--draws 2000]
 */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { methodNamed } from "../dist/algorithm/methods.js";
import { writeQueue } from "../dist/algorithm/queue-format.js";
import { loadConfig } from "../dist/index.js";
import { RunReader } from "../dist/run/directory/reader.js";
import { journaledSettings } from "../dist/run/directory/run-config.js";
import { RunStore } from "../dist/run/directory/store.js";

const { values } = parseArgs({
  options: {
    observations: { type: "string", default: "1000000" },
    iterations: { type: "string", default: "100" },
    draws: { type: "string", default: "2000" },
  },
});
const observations = Number(values.observations);
const iterations = Number(values.iterations);
const draws = Number(values.draws);

/** @template T @param {string} what @param {() => T | Promise<T>} work */
async function timed(what, work) {
  const start = performance.now();
  const result = await work();
  console.log(`${what.padEnd(64)} ${(performance.now() - start).toFixed(1).padStart(9)} ms`);
  return result;
}

/** @param {string} dir */
function makeRun(dir) {
  const { config } = loadConfig({ flags: { engine: "scripted", task: "arithmetic", iterations, runDir: dir } });
  const store = RunStore.create(dir, config);
  const { journal } = store;
  const flops = { sampling: 3, sharedPrefix: 1, prompt: 1, generation: 1, samplingUnshared: 4, wasted: 0, probes: 0 };
  const all = { ...flops, training: 2, total: 5 };
  const result = {
    observations: 1000,
    correct: 500,
    accuracy: 0.5,
    strictAccuracy: 0.5,
    lenientAccuracy: 0.5,
    finished: 1,
    promptTokens: 1,
    generatedTokens: 1,
    flops: 1,
  };
  journal.append({
    kind: "opened",
    format: 1,
    settings: journaledSettings(config),
    data: "d",
    weights: "w",
    canary: [],
    model: {
      name: "made-up",
      parameters: 1,
      trainableParameters: 1,
      nonEmbeddingParameters: 1,
      layers: 1,
      attentionWidth: 1,
      contextLength: 1024,
      vocabularySize: 100,
    },
    method: methodNamed("adastar"),
  });
  journal.append({ kind: "evaluated", iteration: 0, result, logs: [], seconds: 1 });
  const lastSampled = new Uint32Array(observations);
  const correct = new Uint8Array(observations);
  const drawn = new Uint8Array(observations);
  for (let t = 1; t <= iterations; t++) {
    const samples = Array.from({ length: draws }, (_, i) => {
      const observation = ((t - 1) * draws + i) % observations;
      lastSampled[observation] = t;
      drawn[observation] = 2;
      correct[observation] = i % 3;
      return {
        wave: Math.floor(i / 64),
        observation,
        id: `train-${observation}`,
        gold: "42",
        tokens: Array.from({ length: 60 }, (__, j) => (i * j) % 100),
        text: `Mon: ${i}+1=${i + 1}\n`.repeat(8),
        stop: "end",
        prefixTokens: 200,
        promptTokens: 30,
        generatedTokens: 60,
        strict: "correct",
        lenient: "correct",
        extracted: "42",
        correct: true,
        attempt: 1,
        hinted: false,
      };
    });
    store.log(t, "samples").append(samples, { durable: false });
    const steps = Array.from({ length: 40 }, (_, i) => ({
      step: i + 1,
      learningRate: 1e-5,
      loss: 1,
      gradientNorm: 1,
      tokens: 500,
      completionTokens: 400,
      flops: 1,
    }));
    store.log(t, "training").append(steps, { durable: false });
    const kept = store.writeKept(
      t,
      samples.slice(0, 320).map(({ observation, id, attempt, hinted, tokens, text }) => ({
        observation,
        id,
        attempt,
        hinted,
        tokens,
        text,
      })),
    );
    const figures = {
      target: 320,
      visited: draws,
      solved: draws / 2,
      alpha: 0.5,
      kept: 320,
      wrongSteps: null,
      temperature: 1,
      sampledTokens: 1,
    };
    journal.append({
      kind: "visited",
      iteration: t,
      result: { ...figures, draws, balance: null, flops },
      kept,
      logs: [],
      seconds: 1,
    });
    journal.append({
      kind: "trained",
      iteration: t,
      result: { steps: 40, loss: 1, tokens: 1, completionTokens: 1, flops: 2 },
      checkpoint: { folder: `checkpoints/${t}`, weights: "w", files: [] },
      canary: [],
      logs: [],
      seconds: 1,
    });
    journal.append({ kind: "evaluated", iteration: t, result, logs: [], seconds: 1 });
    const queue = store.writeQueue(
      t,
      writeQueue({
        key: ["lastSampled", "winRate"],
        tieSeed: 1,
        statistics: { lastSampled, correct, drawn },
        visited: null,
      }),
    );
    const record = {
      ...figures,
      iteration: t,
      popped: draws,
      steps: 40,
      loss: 1,
      testAccuracy: 0.5,
      accuracies: {},
      testFinished: 1,
      trainedTokens: 1,
      flops: all,
      cumulativeFlops: all,
      seconds: { visit: 1, train: 1, evaluate: 1 },
    };
    journal.append({ kind: "committed", iteration: t, record, queue });
  }
  store.close();
}

const scratch = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "adastar-reader-"));
const dir = join(scratch, "run");
try {
  console.log(`${observations} observations, ${iterations} iterations of ${draws} draws, Node ${process.version}`);
  await timed("made", () => makeRun(dir));
  const reader = await timed("open, summary, records", () => {
    const run = RunReader.open(dir);
    if (run.overview.iterations !== iterations || run.records.length !== iterations) throw new Error("not all there");
    return run;
  });
  await timed("refresh with nothing new", () => reader.refresh());
  await timed("optimizer steps of the last iteration", () => reader.steps(iterations));
  await timed("queue of one iteration, by observation", () => reader.queue(iterations));
  await timed("queue of one iteration, in cells", () => reader.queueCells(iterations));
  await timed("first page of one iteration's samples (its log is indexed)", () =>
    reader.samples(iterations, { from: 0, count: 50 }),
  );
  await timed("another page of it", () => reader.samples(iterations, { from: draws / 2, count: 50 }));
  await timed("history of an observation (all logs are indexed)", () => reader.history(7));
  await timed("history of another", () => reader.history(8));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
