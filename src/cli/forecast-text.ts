/** A forecast as text. */

import { ABSENT, formatCount, formatDuration, formatFlops, formatPercent } from "../report/format.js";
import { renderPairs, renderText } from "../report/tables.js";
import type { Forecast, IterationForecast } from "../run/oneshot/forecast.js";

const COLUMNS: readonly (readonly [header: string, cell: (one: IterationForecast) => string])[] = [
  ["iteration", ({ iteration }) => String(iteration)],
  ["βᵗ", ({ target }) => (target === null ? ABSENT : formatCount(target))],
  ["m", ({ visited }) => formatCount(visited)],
  ["samples", ({ draws }) => formatCount(draws)],
  ["tokens sampled", ({ sampledTokens }) => formatCount(sampledTokens)],
  ["steps", ({ steps }) => formatCount(steps)],
  ["tokens trained", ({ trainedTokens }) => formatCount(trainedTokens)],
  ["FLOPs", ({ flops }) => formatFlops(flops.total)],
  ["time", ({ seconds }) => formatDuration(seconds)],
];

export function forecastText({ calibration, iterations, flops, seconds, memory, prompts }: Forecast): string {
  // A method that trains on gold answers samples nothing.
  const samples = prompts.sampling !== null;
  const table = renderText({
    columns: COLUMNS.map(([header]) => ({ header, align: "right" })),
    rows: iterations.map((one) => COLUMNS.map(([, cell]) => cell(one))),
  });
  const totals = renderPairs([
    [
      "training cost",
      `${formatFlops(flops.total)} (sampling ${formatFlops(flops.sampling)}, training ${formatFlops(flops.training)})`,
    ],
    ["time", formatDuration(seconds)],
    ["memory", `${formatCount(memory / 2 ** 20)} MiB while calibrating; a run needs at least as much`],
    [
      "measured with",
      `${calibration.samples} samples${samples ? `, ${formatPercent(calibration.solveRate)} of those for training correct` : ""}`,
    ],
  ]);
  const shown = [
    ["Prompt while sampling", prompts.sampling],
    ["Prompt with a hint", prompts.hinted],
    [`Training example, with ${samples ? "a sample of the base model" : "the gold answer"}`, prompts.training],
    ["Prompt while testing", prompts.test],
  ].flatMap(([title, text]) => (text === null ? [] : [`${title}:\n${framed(text)}`]));
  const remark = samples
    ? "Assumes that the model stays as it is. A model that improves visits fewer observations for as many samples."
    : "Samples are drawn for testing only.";
  return [...shown, table, totals, remark].join("\n\n");
}

function framed(text: string): string {
  return text
    .split("\n")
    .map((line) => `  │ ${line}`)
    .join("\n");
}
