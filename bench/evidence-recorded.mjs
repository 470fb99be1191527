/**
 * The recorded settings of the study: their runs from points.csv, and their reports made anew from those with today's
 * statistics.
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compareMethods } from "../dist/report/comparison/compare.js";
import { reportFiles } from "../dist/report/comparison/page.js";

/** Of every generated task's test, unless points.csv has the number. */
const TEST_QUESTIONS = 500;
/** Figures of what was trained on. They need the runs' logs, which are not recorded, so they are carried over. */
const SEED_TRAINING = ["trainingFrequencySd", "neverTrained", "repeated", "leastTrainedStay", "mostTrainedStay"];
const METHOD_TRAINING = [...SEED_TRAINING, "wrongSteps"];

/**
 * Settings that have been recorded, compared anew under their recorded budget.
 *
 * @param folder docs/evidence
 */
export function recordedSettings(folder, settings) {
  return Object.entries(settings).flatMap(([name, setting]) => {
    const path = join(folder, name, "comparison.json");
    if (!existsSync(path)) return [];
    const recorded = JSON.parse(readFileSync(path, "utf8"));
    const runs = readRuns(join(folder, name, "points.csv"), recorded);
    const comparison = withTraining(compareMethods(runs, { budget: recorded.budget }), recorded);
    return [{ name, setting, comparison, runs, recorded }];
  });
}

/** Writes a setting's report and figures anew. points.csv, which they are made from, stays as it is. */
export function recompute(folder, { name, comparison, runs, recorded }) {
  const { failed, missing } = recorded;
  const { setting, command } = heading(readFileSync(join(folder, name, "report.md"), "utf8"));
  const files = reportFiles(comparison, { runs, failed, missing, setting, command });
  for (const [file, content] of Object.entries(files)) {
    if (file !== "points.csv") writeFileSync(join(folder, name, file), content);
  }
}

function readRuns(path, { methods }) {
  const [header, ...lines] = readFileSync(path, "utf8").trim().split("\n");
  const names = header.split(",");
  const rows = lines.map((line) => Object.fromEntries(line.split(",").map((value, i) => [names[i], value])));
  const runs = new Map();
  for (const row of rows) {
    const key = `${row.method} ${row.seed}`;
    if (!runs.has(key)) runs.set(key, []);
    runs.get(key).push(row);
  }
  return [...runs.values()].map((models) => ({
    method: models[0].method,
    seed: Number(models[0].seed),
    baseline: methods.find(({ method }) => method === models[0].method).baseline,
    testQuestions: Number(models[0].test_questions ?? TEST_QUESTIONS),
    points: models.map((model) => ({
      iteration: Number(model.iteration),
      flops: Number(model.flops),
      samplingFlops: Number(model.sampling_flops),
      unsharedFlops: Number(model.unshared_flops),
      accuracy: Number(model.accuracy),
      wrongSteps: null,
      weights: model.weights || null,
    })),
    frequencies: [],
  }));
}

function withTraining(comparison, recorded) {
  return {
    ...comparison,
    methods: comparison.methods.map((result) => {
      const known = recorded.methods.find(({ method }) => method === result.method);
      return {
        ...result,
        ...parts(known, METHOD_TRAINING),
        seeds: result.seeds.map((seed) => ({
          ...seed,
          ...parts(
            known.seeds.find((other) => other.seed === seed.seed),
            SEED_TRAINING,
          ),
        })),
      };
    }),
  };
}

function parts(of, keys) {
  return Object.fromEntries(keys.map((key) => [key, of[key]]));
}

/** What was run and by which command, from a report that has it. */
function heading(report) {
  const [, list, command] = /^# Comparison\n\n((?:- .*\n)+)[\s\S]*?```sh\n(.*)\n```/.exec(report);
  const setting = list
    .trim()
    .split("\n")
    .map((line) => /^- ([^:]+): (.*)$/.exec(line).slice(1));
  return { setting, command };
}
