/**
 * A report on runs as one HTML file: no script, nothing fetched, readable from a disk, in a mail and on paper. Whatever
 * a run contains is shown as text.
 */

import { comparedRuns } from "../../analysis/compared-runs.js";
import { compareMethods } from "../comparison/compare.js";
import { earlyStopTable, targetTable, wholeBudgetTable } from "../comparison/tables.js";
import { formatFlops, formatPercent } from "../format.js";
import { runsTable } from "../run-report.js";
import { iterationTable } from "../run-table.js";
import { escapeMarkup } from "../scale.js";
import type { Table } from "../tables.js";
import type { Figure } from "./figure.js";
import { CURVE_AXES, curveFigures, groupsOf, type RunGroup } from "./groups.js";
import type { ReportedRun } from "./reported-run.js";
import { runFigures } from "./run-figures.js";
import { STYLE } from "./style.js";

/** @param now when the report is made */
export function reportPage(runs: readonly ReportedRun[], now: Date): string {
  const groups = groupsOf(runs);
  const title = runs.length === 1 ? runs[0].overview.name : `${runs.length} runs`;
  const content = [
    `<h1>${escapeMarkup(title)}</h1>`,
    `<p class="soft">adastar report, ${now.toISOString().slice(0, 16).replace("T", " ")} UTC</p>`,
    tableMarkup(runsTable(runs), "All runs"),
    ...curvesSection(groups),
    ...comparisonSection(groups),
    ...runs.flatMap((run) => runSection(run, runs.length > 1)),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeMarkup(title)}</title>
<style>
${STYLE}</style>
</head>
<body>
<main>
${content.join("\n")}
</main>
</body>
</html>
`;
}

function curvesSection(groups: readonly RunGroup[]): string[] {
  const tested = groups.filter(({ runs }) => runs.every(({ models }) => models.length > 0));
  if (tested.length === 0) return ["<p>No model was tested yet: there is no learning curve to show.</p>"];
  const inputs = CURVE_AXES.map(
    (axis, i) =>
      `<input class="choice" type="radio" name="x" id="x${i}" aria-label="against ${CHOICES[axis]}"${i === 0 ? " checked" : ""}>`,
  );
  const labels = CURVE_AXES.map((axis, i) => `<label for="x${i}">${CHOICES[axis]}</label>`);
  const curves = curveFigures(tested).map((figure) => `<div class="curve">${figureMarkup(figure)}</div>`);
  return [
    "<h2>Learning curves</h2>",
    `<div>${inputs.join("")}<div class="tabs">${labels.join("")}</div><div class="curves">${curves.join("\n")}</div></div>`,
  ];
}

const CHOICES = { flops: "FLOPs", iteration: "iteration", seconds: "time" } as const;

/** At equal compute, for runs that began with the same data. */
function comparisonSection(groups: readonly RunGroup[]): string[] {
  if (groups.length < 2) return [];
  const heading = "<h2>Comparison at equal compute</h2>";
  const all = groups.flatMap(({ runs }) => runs);
  if (new Set(all.map(({ data }) => data)).size > 1) {
    return [heading, "<p>These runs have different observations or prompts, so their accuracies do not compare.</p>"];
  }
  if (all.some(({ records }) => records.length === 0)) {
    return [
      heading,
      "<p>Some of the runs have no finished iteration yet: there is no equal compute to compare at.</p>",
    ];
  }
  const compared = groups.flatMap(({ name, runs }) =>
    runs.flatMap(({ overview }) => comparedRuns(overview.runDir, name).slice(0, 1)),
  );
  const comparison = compareMethods(compared);
  const { budget, target, reference } = comparison;
  return [
    heading,
    `<p class="soft">Every run counts as far as ${formatFlops(budget)}, what the run that spent least has spent. Gains and savings are held against ${escapeMarkup(reference)}, paired by seed, with 95 % intervals over seeds.</p>`,
    tableMarkup(wholeBudgetTable(comparison), "Accuracy over the whole budget"),
    tableMarkup(targetTable(comparison), `FLOPs until ${formatPercent(target)}`),
    tableMarkup(earlyStopTable(comparison), "Accuracy and cost at early stop"),
  ];
}

function runSection(run: ReportedRun, named: boolean): string[] {
  const { overview, records } = run;
  const figures = runFigures(run).map(figureMarkup);
  return [
    `<h2>${escapeMarkup(named ? overview.name : "The run")}</h2>`,
    ...(records.length === 0
      ? ["<p>No iteration is finished yet. Make the report again when one is.</p>"]
      : [
          `<div class="figures">${figures.join("\n")}</div>`,
          tableMarkup(iterationTable(records, overview.baseAccuracy), "Iterations"),
        ]),
    `<p class="soft">${escapeMarkup(overview.runDir)}</p>`,
  ];
}

function figureMarkup({ title, note, svg, table }: Figure): string {
  return `<figure><figcaption><h3>${escapeMarkup(title)}</h3><p>${escapeMarkup(note)}</p></figcaption>
${svg}
<details><summary>Data as a table</summary>${tableMarkup(table, title)}</details></figure>`;
}

/** Regions that scroll can be reached by keyboard. */
function tableMarkup({ columns, rows }: Table, caption: string): string {
  const right = (i: number) => (columns[i].align === "right" ? ' class="right"' : "");
  const head = columns.map(({ header }, i) => `<th scope="col"${right(i)}>${escapeMarkup(header)}</th>`);
  const body = rows.map(
    (row) => `<tr>${row.map((cell, i) => `<td${right(i)}>${escapeMarkup(cell)}</td>`).join("")}</tr>`,
  );
  return `<div class="wide" role="region" tabindex="0" aria-label="${escapeMarkup(caption)}"><table>
<caption class="soft">${escapeMarkup(caption)}</caption>
<thead><tr>${head.join("")}</tr></thead>
<tbody>
${body.join("\n")}
</tbody></table></div>`;
}
