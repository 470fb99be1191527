/** A comparison as files: a page that puts the tables together, a picture, and the figures. */

import type { ComparedRun } from "../../analysis/compared-runs.js";
import type { FailedRun } from "../../analysis/comparison-runs.js";
import { lineChart } from "../chart.js";
import { csvText } from "../csv.js";
import { formatFlops, formatPercent } from "../format.js";
import { renderLatex, renderMarkdown, type Table } from "../tables.js";
import type { Comparison } from "./compare.js";
import { learningCurves } from "./learning-curves.js";
import { sharedIterationsText } from "./shared-iterations.js";
import {
  budgetRangeText,
  earlyStopTable,
  frequencyTable,
  manyComparisonsNote,
  seedTable,
  targetTable,
  wholeBudgetTable,
  wrongStepsTable,
} from "./tables.js";

/** Files of a report by name. */
export type ReportFiles = Readonly<Record<string, string>>;

/** The plot begins by this much accuracy below the base model. */
const ROOM_BELOW = 0.05;
/** Hexadecimal digits of a digest that points.csv keeps: enough to tell models apart. */
const DIGEST_DIGITS = 12;

export interface ReportContext {
  readonly runs: readonly ComparedRun[];
  readonly failed: readonly Pick<FailedRun, "run" | "reason">[];
  /** Names of runs that have not come to their end yet. */
  readonly missing: readonly string[];
  /** What was run, for the heading: task, model, seeds. */
  readonly setting: readonly (readonly [label: string, value: string])[];
  /** The command that makes this report again. */
  readonly command: string;
}

/** report.md, tables.tex, curves.svg, curves.csv (means), points.csv (every model of every run), comparison.json. */
export function reportFiles(comparison: Comparison, context: ReportContext): ReportFiles {
  const { budget, budgetRange } = comparison;
  const curves = learningCurves(context.runs, budget * Math.max(1, budgetRange[1]));
  const means = [...curves].flatMap(([method, curve]) =>
    curve.map(({ flops, mean, low, high }) => [method, flops, mean, low, high]),
  );
  return {
    "report.md": reportPage(comparison, context),
    "tables.tex": latexTables(comparison),
    "curves.svg": curvesChart(curves, comparison),
    "curves.csv": csvText(["method", "flops", "accuracy", "low", "high"], means),
    "points.csv": pointsFile(context.runs),
    "comparison.json": `${JSON.stringify({ ...comparison, failed: context.failed, missing: context.missing }, null, 2)}\n`,
  };
}

function curvesChart(curves: ReturnType<typeof learningCurves>, { budget, budgetRange }: Comparison): string {
  return lineChart(
    [...curves].map(([name, curve]) => ({
      name,
      points: curve.map(({ flops, mean, low, high }) => ({ x: flops, y: mean, low, high })),
    })),
    {
      title: "Test accuracy by training FLOPs, mean over seeds with 95 % intervals",
      xLabel: `training FLOPs (line: budget; grey: ${budgetRangeText(budgetRange)} of it)`,
      yLabel: "test accuracy",
      formatX: formatFlops,
      formatY: (share) => formatPercent(share),
      // A method that ruins the model would press all others together.
      floor: Math.min(...[...curves.values()].map(([base]) => base.mean)) - ROOM_BELOW,
      steps: true,
      ...(budget > 0 ? { mark: { at: budget, from: budget * budgetRange[0], to: budget * budgetRange[1] } } : {}),
    },
  );
}

function pointsFile(runs: readonly ComparedRun[]): string {
  const header = ["method", "seed", "iteration", "flops", "sampling_flops", "unshared_flops", "accuracy"];
  const rows = runs.flatMap(({ method, seed, testQuestions, points }) =>
    points.map((model) => [
      method,
      seed,
      model.iteration,
      model.flops,
      model.samplingFlops,
      model.unsharedFlops,
      model.accuracy,
      testQuestions,
      model.weights?.slice(0, DIGEST_DIGITS) ?? "",
    ]),
  );
  return csvText([...header, "test_questions", "weights"], rows);
}

function latexTables(comparison: Comparison): string {
  const tables: [string, Table | null][] = [
    ["Accuracy over the whole budget", wholeBudgetTable(comparison)],
    [`FLOPs to reach ${formatPercent(comparison.target)}`, targetTable(comparison)],
    ["Accuracy and cost at early stop", earlyStopTable(comparison)],
    ["How evenly observations were trained on", frequencyTable(comparison)],
    ["Right answers after wrong steps, by iteration", wrongStepsTable(comparison)],
  ];
  const blocks = tables.flatMap(([caption, table]) => (table === null ? [] : [renderLatex(table, caption)]));
  return `% Needs \\usepackage{booktabs}.\n${blocks.join("\n\n")}\n`;
}

function reportPage(comparison: Comparison, { failed, missing, setting, command }: ReportContext): string {
  const parts = [
    "# Comparison",
    setting.map(([label, value]) => `- ${label}: ${value}`).join("\n"),
    missing.length > 0 &&
      `**Not complete.** Runs that have not come to their end are in no figure. The command below continues them: ${missing.join(", ")}.`,
    `Made by:\n\n\`\`\`sh\n${command}\n\`\`\``,
    ...headline(comparison),
    ...earlyStop(comparison),
    failed.length > 0 && "## Runs that failed",
    failed.length > 0 && "They are in no figure.",
    failed.map(({ run, reason }) => `- ${run}: ${reason}`).join("\n"),
    ...shared(comparison),
    ...training(comparison),
    "## Seeds",
    renderMarkdown(seedTable(comparison)),
  ];
  return `${parts.filter((part) => part !== false && part !== null && part !== "").join("\n\n")}\n`;
}

type Part = string | null | false;

function headline(comparison: Comparison): Part[] {
  const { budget, budgetRange, target, reference } = comparison;
  const complete = budgetRange[1] >= 1.2 - 1e-9;
  return [
    "## Accuracy over the whole budget",
    `Every run counts up to ${formatFlops(budget)} of training. _Average accuracy_ is the area under accuracy over FLOPs up to there, divided by the budget. A model counts from the cost at which it was finished; between two models the curve stays level while accuracy rises and falls in a straight line. _Gained_ is against ${reference}, paired by seed. The column _budget ${budgetRangeText(budgetRange)}_ has the least and the greatest gain while the budget moves over that range.${complete ? "" : " Some runs went no further, so the range ends there."} Intervals are over seeds: Student's t, widened towards the longer tail.`,
    renderMarkdown(wholeBudgetTable(comparison)),
    manyComparisonsNote(comparison, "wholeBudget"),
    withoutIterations(comparison),
    `## FLOPs to reach ${formatPercent(target)}`,
    "Counts of right answers are compared, with half a question of tolerance. Seeds that did not reach the target within the budget count as infinite in the median and as the whole budget in the mean, so that their means and savings are bounds (≥, ≤). Where such seeds are on both sides, the saving is not determined.",
    renderMarkdown(targetTable(comparison)),
    manyComparisonsNote(comparison, "target"),
    "## Learning curves",
    "![Test accuracy by training FLOPs](curves.svg)",
    "A name with ↓ falls below the plot. Figures: [curves.csv](curves.csv) (means), [points.csv](points.csv) (every model of every run). Tables for LaTeX: [tables.tex](tables.tex).",
  ];
}

function earlyStop(comparison: Comparison): Part[] {
  return [
    "## At early stop",
    "As in the paper's main table, every run is stopped at its best test accuracy within the budget; iteration 0 is the base model. This choice by test accuracy flatters every method, those with many iterations more, and the figures hang on where an iteration happens to end: compare the last column. Worked examples that samples share count as often as they were computed; _unshared_ is the cost had every sample computed them itself. _FLOPs saved_ is not given where the best of a seed is its base model.",
    renderMarkdown(earlyStopTable(comparison)),
    manyComparisonsNote(comparison, "earlyStop"),
  ];
}

function shared({ shared: pairs }: Comparison): Part[] {
  if (pairs.length === 0) return [];
  return [
    "## Runs that begin alike",
    "These have the same model after each of their first iterations, so their results are not independent.",
    pairs.map((pair) => `- ${sharedIterationsText(pair)}`).join("\n"),
  ];
}

function training(comparison: Comparison): Part[] {
  const wrongSteps = wrongStepsTable(comparison);
  return [
    "## How evenly observations were trained on",
    "Standard deviation of the number of times that an observation was trained on, the share of those that never were, how many of those that an iteration trained on the one before had trained on as well, and how much of the least and of the most trained quarter is still there three iterations later (chance: 25 %).",
    renderMarkdown(frequencyTable(comparison)),
    wrongSteps !== null && "## Right answers after wrong steps",
    wrongSteps !== null &&
      "Share of the samples trained on whose rationale has a wrong step, by iteration; a program checks every step.",
    wrongSteps !== null && renderMarkdown(wrongSteps),
  ];
}

/** Methods whose first iteration costs more than the budget. */
function withoutIterations({ methods }: Comparison): Part {
  const none = methods.filter(({ seeds }) => seeds.every(({ iterations }) => iterations === 0));
  return (
    none.length > 0 &&
    `Within this budget ${none.map(({ method }) => method).join(", ")} finished no iteration: the figures are those of the base model.`
  );
}
