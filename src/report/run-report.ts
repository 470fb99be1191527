/** Runs as tables: for documents (Markdown, LaTeX) and for programs (CSV, JSON). */

import type { RunOverview } from "../run/directory/reader.js";
import type { IterationRecord } from "../run/events.js";
import { populationDeviation } from "../statistics/descriptive.js";
import { wilsonInterval } from "../statistics/proportion.js";
import { type CsvCell, csvText } from "./csv.js";
import { ABSENT, formatDuration, formatFixed, formatFlops, formatPercent } from "./format.js";
import type { ReportedRun } from "./html/reported-run.js";
import { iterationTable } from "./run-table.js";
import { renderLatex, renderMarkdown, type Table } from "./tables.js";

interface TitledTable {
  readonly title: string;
  readonly table: Table;
}

/** One row a run, with the best accuracy's interval as chance with so many test questions leaves it. */
export function runsTable(runs: readonly ReportedRun[]): Table {
  const numbers = ["seed", "iterations", "base", "best", "95 % interval", "FLOPs", "time", "SD of training frequency"];
  return {
    columns: [
      ...["run", "status", "method", "task", "model"].map((header) => ({ header })),
      ...numbers.map((header) => ({ header, align: "right" as const })),
    ],
    rows: runs.map(({ overview, records, frequency }) => {
      const interval = bestInterval(overview);
      return [
        overview.name,
        overview.status.kind,
        overview.method,
        overview.task,
        overview.model ?? ABSENT,
        String(overview.seed),
        `${overview.iterations} of ${overview.planned}`,
        formatPercent(overview.baseAccuracy),
        overview.baseAccuracy === null ? ABSENT : formatPercent(overview.bestAccuracy),
        interval === null ? ABSENT : `${formatPercent(interval.low)} to ${formatPercent(interval.high)}`,
        formatFlops(overview.flops.total),
        formatDuration(overview.seconds),
        records.length === 0 ? ABSENT : formatFixed(populationDeviation(frequency), 2),
      ];
    }),
  };
}

function bestInterval({ baseAccuracy, bestAccuracy, testObservations }: RunOverview) {
  if (baseAccuracy === null || testObservations === null) return null;
  return wilsonInterval(Math.round(bestAccuracy * testObservations), testObservations);
}

/** The summary of all runs, then the iterations of each. */
export function reportTables(runs: readonly ReportedRun[]): TitledTable[] {
  return [
    { title: "Runs", table: runsTable(runs) },
    ...runs.map(({ overview, records }) => ({
      title: `Iterations of ${overview.name}`,
      table: iterationTable(records, overview.baseAccuracy),
    })),
  ];
}

export function reportMarkdown(tables: readonly TitledTable[]): string {
  return tables.map(({ title, table }) => `## ${title}\n\n${renderMarkdown(table)}\n`).join("\n");
}

export function reportLatex(tables: readonly TitledTable[]): string {
  const blocks = tables.map(({ title, table }) => renderLatex(table, title));
  return `% Needs \\usepackage{booktabs}.\n${blocks.join("\n\n")}\n`;
}

/**
 * Figures of an iteration by column, unformatted: shares in [0, 1], FLOPs and seconds. Iteration 0 is the base model.
 */
const CSV_COLUMNS: Readonly<Record<string, (record: IterationRecord) => CsvCell>> = {
  test_accuracy: ({ testAccuracy }) => testAccuracy,
  test_finished: ({ testFinished }) => testFinished,
  target: ({ target }) => target,
  visited: ({ visited }) => visited,
  solved: ({ solved }) => solved,
  alpha: ({ alpha }) => alpha,
  popped: ({ popped }) => popped,
  kept: ({ kept }) => kept,
  ever_visited: ({ everVisited }) => everVisited ?? null,
  steps: ({ steps }) => steps,
  loss: ({ loss }) => loss,
  wrong_steps: ({ wrongSteps }) => wrongSteps,
  temperature: ({ temperature }) => temperature,
  sampled_tokens: ({ sampledTokens }) => sampledTokens,
  trained_tokens: ({ trainedTokens }) => trainedTokens,
  flops_sampling: ({ flops }) => flops.sampling,
  flops_training: ({ flops }) => flops.training,
  flops_wasted: ({ flops }) => flops.wasted,
  flops_total: ({ flops }) => flops.total,
  cumulative_flops: ({ cumulativeFlops }) => cumulativeFlops.total,
  seconds_visit: ({ seconds }) => seconds.visit,
  seconds_train: ({ seconds }) => seconds.train,
  seconds_evaluate: ({ seconds }) => seconds.evaluate,
};

/** One row a run and iteration. */
export function reportCsv(runs: readonly ReportedRun[]): string {
  const columns = Object.values(CSV_COLUMNS);
  const rows = runs.flatMap(({ overview: { name, method, task, seed, baseAccuracy }, records }) => {
    const base =
      baseAccuracy === null ? [] : [[name, method, task, seed, 0, baseAccuracy, ...columns.slice(1).map(() => null)]];
    return [
      ...base,
      ...records.map((record) => [name, method, task, seed, record.iteration, ...columns.map((cell) => cell(record))]),
    ];
  });
  return csvText(["run", "method", "task", "seed", "step", ...Object.keys(CSV_COLUMNS)], rows);
}

/** Everything that the tables and figures are made of. */
export function reportJson(runs: readonly ReportedRun[]): string {
  const plain = runs.map(({ overview, records, models, losses, frequency }) => ({
    ...overview,
    models,
    records,
    losses,
    trainingFrequency: {
      deviation: records.length === 0 ? null : populationDeviation(frequency),
      times: timesOf(frequency),
    },
  }));
  return `${JSON.stringify({ runs: plain }, null, 2)}\n`;
}

/** Observations by how often they were trained on. */
function timesOf(frequency: ArrayLike<number>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < frequency.length; i++) counts[frequency[i]] = (counts[frequency[i]] ?? 0) + 1;
  return counts;
}
