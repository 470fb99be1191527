/**
 * The study behind docs/evidence: methods against each other at equal compute, several seeds each, in settings that differ in one thing at a time.
 *
 *   npm run build && node bench/evidence.mjs [--only large-n,powers] [--seeds 10] [--out evidence] [--record]
 *
 * Every setting is one or more `adastar compare` commands, which are shown and can be typed by hand. What is finished is reused and what was interrupted
 * goes on, so the study may be stopped at any time and started again. `--record` copies the reports, without the runs, to docs/evidence.
 * `--list` shows what would be run and what it may cost at most. `--miniature` tries the whole study on the simulated learner in minutes; its figures say
 * nothing about a real model and are never recorded.
 */

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    seeds: { type: "string", default: "10" },
    jobs: { type: "string" },
    out: { type: "string" },
    "svamp-data": { type: "string" },
    "svamp-model": { type: "string" },
    record: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    miniature: { type: "boolean", default: false },
  },
});

const root = resolve(import.meta.dirname, "..");
const main = join(root, "dist", "cli", "main.js");
const FILES = ["report.md", "curves.svg", "curves.csv", "points.csv", "comparison.json"];

/** AdaSTaR, and methods that visit everything with as many tries. */
const TWO_TRIES = "adastar,star,star-acc,star-acc-full";
const ABLATIONS = "adastar,adastar-no-curriculum,adastar-no-winrate,adastar-priority-flipped,star-acc";

/** What the settings that change one part have in common: N = 4,000 is 12 times β¹ = 320, and enough FLOPs for some iterations of everything. */
const PARTS = { "train-size": 4000, steps: 40, "max-flops": 2e12 };

/**
 * Settings by name. `flags` are those of `adastar compare`; a setting's folder is its name. All on the default task and the bundled starter model
 * unless they say otherwise. β¹ = 8 · steps.
 */
const SETTINGS = {
  // So few observations that eleven tries of each fit the budget twice.
  all: { flags: { methods: "all", "train-size": 500, steps: 40, probes: 32, "max-flops": 2e12 } },
  // N = 10,000 is 16 times β¹, as in the paper's larger benchmarks: an iteration of AdaSTaR visits a small part of the data.
  "large-n": { flags: { methods: TWO_TRIES, "train-size": 10_000, steps: 80, "max-flops": 5e12 } },
  // N = 2,000 is 3 times β¹: an iteration visits most of the data, whatever the order.
  "small-n": { flags: { methods: TWO_TRIES, "train-size": 2000, steps: 80, "max-flops": 3e12 } },
  ablations: { flags: { methods: ABLATIONS, ...PARTS } },
  "power-1": { flags: { methods: "adastar", "curriculum-power": 1, ...PARTS } },
  "power-4": { flags: { methods: "adastar", "curriculum-power": 4, ...PARTS } },
  "tries-4": { flags: { methods: "adastar,star-acc", tries: 4, ...PARTS } },
  "always-4": { flags: { methods: "adastar,star-acc", tries: 4, retry: "always", ...PARTS } },
  svamp: {
    needs: ["svamp-data", "svamp-model"],
    flags: { task: "svamp", methods: "adastar,star-acc", "max-flops": 5e15 },
  },
};

/** The same commands in small, on the simulated learner. */
const MINIATURE = {
  engine: "scripted",
  "train-size": 300,
  "test-size": 100,
  steps: 5,
  "learning-rate": 1e-3,
  "max-flops": 3e11,
};

const chosen = values.only === undefined ? Object.keys(SETTINGS) : values.only.split(",");
const unknown = chosen.filter((name) => !Object.hasOwn(SETTINGS, name));
if (unknown.length > 0) fail(`expected settings among ${Object.keys(SETTINGS).join(", ")}, got ${unknown.join(", ")}`);
if (values.record && values.miniature) fail("expected real figures to record, got --miniature");
if (!existsSync(main)) fail(`expected the built command, got no ${relative(process.cwd(), main)}: npm run build`);
const out = resolve(values.out ?? (values.miniature ? "evidence-miniature" : "evidence"));

let failures = 0;
for (const name of chosen) {
  const setting = SETTINGS[name];
  const missing = (setting.needs ?? []).filter((option) => values[option] === undefined);
  if (missing.length > 0) {
    console.error(`${name}: left out, for want of ${missing.map((option) => `--${option}`).join(" and ")}`);
    continue;
  }
  const folder = join(out, name);
  const args = argumentsOf(setting, folder);
  console.error(`\n${name}: adastar ${args.join(" ")}`);
  if (values.list) {
    tellCost(args);
    continue;
  }
  const { status } = spawnSync(process.execPath, [main, ...args], { stdio: "inherit" });
  if (status !== 0) {
    console.error(`${name}: ended with code ${status}`);
    failures++;
    // 130 and 143: stopped by the user, who wants none of the rest either.
    if (status === null || status > 128) break;
  } else if (values.record) {
    record(name, folder);
  }
}
process.exitCode = failures === 0 ? 0 : 1;

function argumentsOf({ flags, needs = [] }, folder) {
  const of = needs.length === 0 ? {} : { data: values["svamp-data"], model: values["svamp-model"] };
  const small = values.miniature && needs.length === 0 ? MINIATURE : {};
  const all = { ...flags, ...of, ...small, seeds: values.seeds, out: relative(process.cwd(), folder) || "." };
  if (values.jobs !== undefined) all.jobs = values.jobs;
  return ["compare", ...Object.entries(all).flatMap(([flag, value]) => [`--${flag}`, String(value)])];
}

/** An upper bound but for what a run's last iteration goes beyond the budget. */
function tellCost(args) {
  const of = (flag) => args[args.indexOf(`--${flag}`) + 1];
  const listed = spawnSync(process.execPath, [main, "methods", "--json"], { encoding: "utf8" });
  const methods = of("methods") === "all" ? JSON.parse(listed.stdout).length : of("methods").split(",").length;
  const runs = methods * Number(of("seeds"));
  console.error(
    `  ${runs} runs of about ${Number(of("max-flops")).toExponential(1)} FLOPs, ${(runs * of("max-flops")).toExponential(1)} in all`,
  );
}

function record(name, folder) {
  const target = join(root, "docs", "evidence", name);
  mkdirSync(target, { recursive: true });
  for (const file of FILES) copyFileSync(join(folder, file), join(target, file));
  console.error(`${name}: recorded in ${relative(process.cwd(), target)}`);
}

function fail(message) {
  console.error(`evidence: ${message}`);
  process.exit(2);
}
