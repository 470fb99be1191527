/**
 * A custom task through the whole loop: reading Roman numerals. A task is observations, a prompt form and a
 * verifier.
 *
 * Run it with Node 22.18 or newer: `node examples/own-task.ts [CHECKPOINT_DIR]`. Without a checkpoint a simulated
 * learner takes the model's place, so it is over in a moment.
 */

import { loadConfig, numberVerifier, type Observation, plainFormat, startRun, type Task } from "adastar";

const NUMERALS = [
  [100, "C"],
  [90, "XC"],
  [50, "L"],
  [40, "XL"],
  [10, "X"],
  [9, "IX"],
  [5, "V"],
  [4, "IV"],
  [1, "I"],
] as const;

function roman(value: number): string {
  for (const [size, numeral] of NUMERALS) if (value >= size) return numeral + roman(value - size);
  return "";
}

function observation(value: number): Observation {
  const numeral = roman(value);
  return {
    id: numeral,
    question: `Which number is ${numeral}?`,
    answer: String(value),
    difficulty: Math.floor(numeral.length / 3),
  };
}

const values = Array.from({ length: 199 }, (_, i) => i + 1);

const romanNumerals: Task = {
  name: "roman-numerals",
  description: "Reading Roman numerals from 1 to 199",
  train: values.filter((value) => value % 5 !== 0).map(observation),
  test: values.filter((value) => value % 5 === 0).map(observation),
  format: plainFormat(),
  // Put before the question while sampling, so that the model sees how to write a solution.
  exemplars: [
    { question: "Which number is XIV?", rationale: "X is 10 and IV is 4. 10 + 4 = 14.", answer: "14" },
    { question: "Which number is LXI?", rationale: "L is 50, X is 10 and I is 1. 50 + 10 + 1 = 61.", answer: "61" },
  ],
  verifier: numberVerifier(),
  maxTokens: 64,
  rationalize: false,
};

const [model] = process.argv.slice(2);
const { config } = loadConfig({
  flags: {
    ...(model === undefined ? { engine: "scripted" } : { model }),
    iterations: 4,
    batchSize: 4,
    steps: 10,
    seed: 1,
  },
});

const summary = await startRun(
  config,
  (event) => {
    if (event.kind === "base") console.log(`base model: ${(100 * event.testAccuracy).toFixed(1)} %`);
    if (event.kind === "iteration") {
      const { iteration, visited, testAccuracy } = event.record;
      console.log(`iteration ${iteration}: visited ${visited}, test accuracy ${(100 * testAccuracy).toFixed(1)} %`);
    }
  },
  { task: romanNumerals },
);
console.log(`The model is in ${summary.checkpoint}`);
