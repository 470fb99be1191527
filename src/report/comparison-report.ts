/** A comparison as tables, files of figures, and a page that puts them together. */

import type { ComparedRun } from "../analysis/compared-runs.js";
import type { FailedRun } from "../analysis/comparison-runs.js";
import type { Estimate } from "../statistics/statistics.js";
import { lineChart } from "./chart.js";
import { type Comparison, learningCurves, type MethodResult } from "./comparison.js";
import { ABSENT, formatFixed, formatFlops, formatPercent, formatPoints } from "./format.js";
import { renderMarkdown, type Table } from "./tables.js";

/** Files of a report by name. */
export type ReportFiles = Readonly<Record<string, string>>;

/** Of accuracy, below the base model. */
const ROOM_BELOW = 0.05;

export interface ReportContext {
  readonly runs: readonly ComparedRun[];
  readonly failed: readonly FailedRun[];
  /** Names of runs that have not come to their end yet. */
  readonly missing: readonly string[];
  /** What was run, for the heading: task, model, seeds. */
  readonly setting: readonly (readonly [label: string, value: string])[];
  /** The command that makes this report again. */
  readonly command: string;
}

/** Accuracy, iteration and cost at early stop, as in the paper's main table. */
export function resultTable({ methods, mostAccurateBaseline }: Comparison): Table {
  const shares = methods.some(({ flops, unsharedFlops }) => unsharedFlops !== flops.mean);
  return {
    columns: [
      { header: "method" },
      { header: "accuracy", align: "right" },
      { header: "95 % interval", align: "right" },
      { header: "iteration", align: "right" },
      { header: "PFLOPs", align: "right" },
      { header: "of it sampling", align: "right" },
      // As the paper counts; the same where there are no worked examples to share.
      ...(shares ? [{ header: "PFLOPs unshared", align: "right" } as const] : []),
      { header: "FLOPs saved", align: "right" },
      { header: "95 % interval", align: "right" },
      { header: "accuracy gained", align: "right" },
      { header: "95 % interval", align: "right" },
      { header: "seeds", align: "right" },
    ],
    rows: methods.map((result) => [
      result.method === mostAccurateBaseline
        ? `${result.method} (most accurate ${result.baseline ? "baseline" : "method"})`
        : result.method,
      ...estimated(result.accuracy, formatPercent),
      formatFixed(result.iteration, 1),
      petaflops(result.flops.mean),
      formatPercent(result.samplingShare, 0),
      ...(shares ? [petaflops(result.unsharedFlops)] : []),
      ...estimated(result.flopsSaved, formatPercent),
      ...estimated(result.accuracyGained, formatPoints),
      result.pairs > 0 && result.pairs < result.seeds.length
        ? `${result.seeds.length}, ${result.pairs} in pairs`
        : String(result.seeds.length),
    ]),
  };
}

/** Accuracy of the latest models at the end of the budget, and on average over it. */
export function wholeBudgetTable({ methods }: Comparison): Table {
  const figures = ["last accuracy", "gained", "average accuracy", "gained"];
  return {
    columns: [
      { header: "method" },
      ...figures.flatMap(
        (header) =>
          [
            { header, align: "right" },
            { header: "95 % interval", align: "right" },
          ] as const,
      ),
    ],
    rows: methods.map((result) => [
      result.method,
      ...estimated(result.finalAccuracy, formatPercent),
      ...estimated(result.finalAccuracyGained, formatPoints),
      ...estimated(result.averageAccuracy, formatPercent),
      ...estimated(result.averageAccuracyGained, formatPoints),
    ]),
  };
}

/** FLOPs until the target accuracy was first reached. */
export function targetTable({ methods }: Comparison): Table {
  return {
    columns: [
      { header: "method" },
      { header: "seeds that reached it", align: "right" },
      { header: "median FLOPs", align: "right" },
      { header: "mean, at most the budget", align: "right" },
      { header: "95 % interval", align: "right" },
      { header: "FLOPs saved", align: "right" },
      { header: "95 % interval", align: "right" },
    ],
    rows: methods.map(({ method, reachedTarget, seeds, flopsToTarget, flopsUntilTarget, flopsUntilTargetSaved }) => [
      method,
      `${reachedTarget} of ${seeds.length}`,
      flopsToTarget === null ? "half or more never did" : formatFlops(flopsToTarget),
      ...estimated(flopsUntilTarget, formatFlops),
      ...estimated(flopsUntilTargetSaved, formatPercent),
    ]),
  };
}

/** How evenly observations were trained on (AdaSTaR, Figure 3 and Table 2). */
export function frequencyTable({ methods }: Comparison): Table {
  return {
    columns: [
      { header: "method" },
      { header: "SD of training frequency", align: "right" },
      { header: "never trained on", align: "right" },
      { header: "again the next iteration", align: "right" },
      { header: "least-trained quarter that stays", align: "right" },
      { header: "most-trained quarter that stays", align: "right" },
    ],
    rows: methods.map((result) => [
      result.method,
      formatFixed(result.trainingFrequencySd, 2),
      formatPercent(result.neverTrained),
      formatPercent(result.repeated),
      formatPercent(result.leastTrainedStay),
      formatPercent(result.mostTrainedStay),
    ]),
  };
}

/** Right answers after wrong steps in D₊, by iteration; null where no method's steps are checked. */
export function wrongStepsTable({ methods }: Comparison): Table | null {
  const checked = methods.filter(({ wrongSteps }) => wrongSteps.some((share) => share !== null));
  if (checked.length === 0) return null;
  const iterations = Math.max(...checked.map(({ wrongSteps }) => wrongSteps.length));
  const numbers = Array.from({ length: iterations }, (_, i) => i + 1);
  return {
    columns: [{ header: "method" }, ...numbers.map((t) => ({ header: String(t), align: "right" }) as const)],
    rows: checked.map(({ method, wrongSteps }) => [
      method,
      ...numbers.map((t) => formatPercent(wrongSteps[t - 1] ?? null)),
    ]),
  };
}

/** report.md, curves.svg, curves.csv (means), points.csv (every model of every run), comparison.json. */
export function reportFiles(comparison: Comparison, context: ReportContext): ReportFiles {
  const curves = learningCurves(context.runs, comparison.budget);
  const chart = lineChart(
    [...curves].map(([name, curve]) => ({
      name,
      points: curve.map(({ flops, mean, low, high }) => ({ x: flops, y: mean, low, high })),
    })),
    {
      title: "Test accuracy by training FLOPs, mean over seeds with 95 % intervals",
      xLabel: "training FLOPs",
      yLabel: "test accuracy",
      formatX: formatFlops,
      formatY: (share) => formatPercent(share),
      // A method that ruins the model would press all others together.
      floor: Math.min(...[...curves.values()].map(([base]) => base.mean)) - ROOM_BELOW,
      steps: true,
    },
  );
  const means = [...curves].flatMap(([method, curve]) =>
    curve.map(({ flops, mean, low, high }) => [method, flops, mean, low, high]),
  );
  const every = context.runs.flatMap(({ method, seed, points: models }) =>
    models.map((model) => [
      method,
      seed,
      model.iteration,
      model.flops,
      model.samplingFlops,
      model.unsharedFlops,
      model.accuracy,
    ]),
  );
  return {
    "report.md": reportPage(comparison, context),
    "curves.svg": chart,
    "curves.csv": csv(["method", "flops", "accuracy", "low", "high"], means),
    "points.csv": csv(["method", "seed", "iteration", "flops", "sampling_flops", "unshared_flops", "accuracy"], every),
    "comparison.json": `${JSON.stringify({ ...comparison, failed: context.failed, missing: context.missing }, null, 2)}\n`,
  };
}

function reportPage(comparison: Comparison, { failed, missing, setting, command }: ReportContext): string {
  const wrongSteps = wrongStepsTable(comparison);
  const parts = [
    "# Comparison",
    setting.map(([label, value]) => `- ${label}: ${value}`).join("\n"),
    ...(missing.length === 0
      ? []
      : [
          `**Not complete.** Runs that have not come to their end are in no figure, and the command below goes on with them: ${missing.join(", ")}.`,
        ]),
    `Made by:\n\n\`\`\`sh\n${command}\n\`\`\``,
    "## Accuracy and cost",
    `Every run counts up to ${formatFlops(comparison.budget)} of training and is stopped early at its best test accuracy, iteration 0 being the base model. FLOPs saved and accuracy gained are against the most accurate baseline, paired by seed; intervals are bootstrap over seeds. Worked examples that samples share count as often as they were computed; what they would have cost every sample is told as unshared, where there are any. The iteration is chosen by test accuracy, as in the paper, which flatters every method.`,
    renderMarkdown(resultTable(comparison)),
    ...withoutIterations(comparison),
    ...(failed.length === 0
      ? []
      : [
          "## Runs that failed",
          "They are in no figure.",
          failed.map(({ run, reason }) => `- ${run}: ${reason}`).join("\n"),
        ]),
    "## Without a choice of the iteration",
    "Accuracy of the last model within the budget, and that of the latest model on average over all costs from 0 to the budget (the area under the learning curve), against the most accurate baseline's.",
    renderMarkdown(wholeBudgetTable(comparison)),
    `## FLOPs to reach ${formatPercent(comparison.target)}`,
    "The median is over all seeds, those that never reached it counting as infinite. In the mean they count as the whole budget, which is less than they would have needed; FLOPs saved compares that mean with the most accurate baseline's, paired by seed.",
    renderMarkdown(targetTable(comparison)),
    "## Learning curves",
    "![Test accuracy by training FLOPs](curves.svg)",
    "A name with ↓ falls below the plot.",
    "Figures: [curves.csv](curves.csv) (means), [points.csv](points.csv) (every model of every run).",
    "## How evenly observations were trained on",
    "Standard deviation of the number of times that an observation was trained on, the share of those that never were, how many of those that an iteration trained on the one before had trained on as well, and how much of the least and of the most trained quarter is still there three iterations later (chance: 25 %).",
    renderMarkdown(frequencyTable(comparison)),
    ...(wrongSteps === null
      ? []
      : [
          "## Right answers after wrong steps",
          "Share of the samples trained on whose rationale has a wrong step, by iteration; a program checks every step.",
          renderMarkdown(wrongSteps),
        ]),
    "## Seeds",
    renderMarkdown(seedTable(comparison.methods)),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** Methods that the budget does not pay one iteration of. */
function withoutIterations({ methods }: Comparison): string[] {
  const none = methods.filter(({ seeds }) => seeds.every(({ iterations }) => iterations === 0));
  if (none.length === 0) return [];
  return [
    `Within this budget no iteration came to its end of ${none.map(({ method }) => method).join(", ")}: what stands there is the base model.`,
  ];
}

function seedTable(methods: readonly MethodResult[]): Table {
  return {
    columns: [
      { header: "method" },
      { header: "seed", align: "right" },
      { header: "accuracy", align: "right" },
      { header: "iteration", align: "right" },
      { header: "FLOPs", align: "right" },
    ],
    rows: methods.flatMap(({ method, seeds }) =>
      seeds.map(({ seed, accuracy, iteration, iterations, flops }) => [
        method,
        String(seed),
        formatPercent(accuracy),
        `${iteration} of ${iterations}`,
        formatFlops(flops),
      ]),
    ),
  };
}

/** A figure and its interval, where there is one. */
function estimated(
  estimate: Estimate | null,
  format: (value: number) => string,
): readonly [figure: string, interval: string] {
  if (estimate === null) return [ABSENT, ABSENT];
  const { mean, low, high } = estimate;
  return [format(mean), Number.isNaN(low) ? ABSENT : `${format(low)} to ${format(high)}`];
}

function petaflops(flops: number): string {
  return (flops / 1e15).toPrecision(3);
}

/** A figure that does not exist is left empty. */
function csv(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = (row: readonly (string | number)[]) => row.map((cell) => (Number.isNaN(cell) ? "" : cell));
  return [header, ...rows].map((row) => `${cells(row).join(",")}\n`).join("");
}
