/**
 * The study behind docs/evidence: methods against each other at equal compute, several seeds each, in settings that
 * differ in one thing at a time.
 *
 * npm run build && node bench/evidence.mjs [--only all,clock] [--seeds 10] [--out evidence] [--record]
 *
 * Every setting is one `adastar compare` command, which is shown and can be typed by hand. Finished runs are reused and
 * interrupted ones continue, so the study may be stopped and started again at any time. `--record` copies the reports,
 * without the runs, to docs/evidence. `--recompute` runs nothing: it makes the recorded reports anew from their
 * points.csv with today's statistics. `--list` shows what would be run and what it may cost at most. `--miniature`
 * tries the whole study on the simulated learner in minutes; its figures say nothing about a real model and are never
 * recorded.
 */

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    seeds: { type: "string" },
    jobs: { type: "string" },
    out: { type: "string" },
    "svamp-data": { type: "string" },
    "svamp-model": { type: "string" },
    record: { type: "boolean", default: false },
    recompute: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    miniature: { type: "boolean", default: false },
  },
});

const root = resolve(import.meta.dirname, "..");
const main = join(root, "dist", "cli", "main.js");
const EVIDENCE = join(root, "docs", "evidence");
const FILES = ["report.md", "tables.tex", "curves.svg", "curves.csv", "points.csv", "comparison.json"];

/** AdaSTaR, its stop without its order, and the two that visit everything and continue from the latest model. */
const FOUR = "adastar,adastar-random-order,star-acc,star-acc-full";

/** Shared by most settings; β¹ = 8 · 40 = 320, as in the paper. */
const DEFAULTS = { steps: 40, "max-flops": 1.4e12 };
/** `medium-n`, which AdaSTaR with other parts is compared with. */
const MEDIUM = { ...DEFAULTS, "train-size": 2000 };

/**
 * Settings by name. `flags` are those of `adastar compare`; `seeds` is their number unless --seeds says otherwise; a
 * setting's folder is its name; `beside` names the setting that is the same without the changes of this one. All use
 * the default task and the bundled starter model unless their flags say otherwise.
 */
const SETTINGS = {
  // Every method. N = 800 is 2.5 β¹, as the paper's SVAMP. Methods of five tries and more get through one iteration.
  all: { seeds: 10, flags: { methods: "all", ...DEFAULTS, "train-size": 800, "max-flops": 1.8e12, probes: 32 } },
  // N = 4,000 is 12.5 β¹: an iteration of AdaSTaR visits a small part of the data.
  "large-n": {
    seeds: 6,
    flags: { methods: `${FOUR},adastar-no-curriculum`, ...DEFAULTS, "train-size": 4000, "max-flops": 2.55e12 },
  },
  // Another family of arithmetic and a weaker base model (37 % instead of 57 %); N is 6.25 β¹.
  clock: { seeds: 5, flags: { task: "clock", methods: FOUR, ...MEDIUM } },
  // Between the first two: N is 6.25 β¹.
  "medium-n": { seeds: 6, flags: { methods: `${FOUR},adastar-no-curriculum`, ...MEDIUM } },
  // As the paper's budgets: far enough for the curves to flatten.
  generous: {
    seeds: 4,
    flags: { methods: "adastar,adastar-random-order,star-acc-full", ...MEDIUM, "max-flops": 4e12 },
  },
  // The curriculum's gate f(α) = αᵖ with other p than 2; 0 is no gate, which is adastar-no-curriculum.
  "power-1": { seeds: 3, beside: "medium-n", flags: { methods: "adastar", ...MEDIUM, "curriculum-power": 1 } },
  "power-4": { seeds: 3, beside: "medium-n", flags: { methods: "adastar", ...MEDIUM, "curriculum-power": 4 } },
  // K = 4 tries for what failed, and K = 1, instead of 2.
  "tries-4": { seeds: 3, beside: "medium-n", flags: { methods: "adastar", ...MEDIUM, tries: 4 } },
  "tries-1": { seeds: 3, beside: "medium-n", flags: { methods: "adastar", ...MEDIUM, tries: 1 } },
  // Nine in ten steps of training questions are easy, and the test is as hard as ever: does it help to prefer what is
  // hard?
  "mostly-easy": {
    seeds: 3,
    flags: {
      methods: "adastar,adastar-random-order,adastar-priority-flipped,star-acc-full",
      ...MEDIUM,
      "hard-share": 0.1,
    },
  },
  // A custom checkpoint and its data.
  svamp: {
    seeds: 3,
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

if (values.recompute) {
  await recomputeAll();
  process.exit(0);
}

let failures = 0;
for (const name of chosen) {
  const setting = SETTINGS[name];
  const missing = (setting.needs ?? []).filter((option) => values[option] === undefined);
  if (missing.length > 0) {
    console.error(`${name}: left out: it needs ${missing.map((option) => `--${option}`).join(" and ")}`);
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
if (values.record) await summarize();
process.exitCode = failures === 0 ? 0 : 1;

function argumentsOf({ flags, seeds, needs = [] }, folder) {
  const of = needs.length === 0 ? {} : { data: values["svamp-data"], model: values["svamp-model"] };
  const small = values.miniature && needs.length === 0 ? MINIATURE : {};
  const all = { ...flags, ...of, ...small, seeds: values.seeds ?? seeds, out: relative(process.cwd(), folder) || "." };
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
  const target = join(EVIDENCE, name);
  mkdirSync(target, { recursive: true });
  for (const file of FILES) copyFileSync(join(folder, file), join(target, file));
  console.error(`${name}: recorded in ${relative(process.cwd(), target)}`);
}

/** The modules import the built command, so they are loaded after it was found. */
async function summarize() {
  const { recordedSettings } = await import("./evidence-recorded.mjs");
  const { summaryPage } = await import("./evidence-summary.mjs");
  writeFileSync(join(EVIDENCE, "summary.md"), summaryPage(recordedSettings(EVIDENCE, SETTINGS)));
}

async function recomputeAll() {
  const { recompute, recordedSettings } = await import("./evidence-recorded.mjs");
  for (const setting of recordedSettings(EVIDENCE, SETTINGS)) {
    recompute(EVIDENCE, setting);
    console.error(`${setting.name}: made anew`);
  }
  await summarize();
}

function fail(message) {
  console.error(`evidence: ${message}`);
  process.exit(2);
}
