import { expect, test } from "vitest";
import { iterationTable, modelLabel, summaryPairs } from "../../src/report/run-table.js";
import { renderMarkdown, renderText } from "../../src/report/tables.js";
import { displayWidth } from "../../src/report/width.js";
import { iteration, summary } from "../cli/events.js";

const records = [iteration(1).record, { ...iteration(2).record, loss: null }];

test("the closing table has the base model, then a row an iteration", () => {
  expect(renderText(iterationTable(records, 0.5))).toBe(
    [
      "iteration      m      α  popped  |D₊|  train loss  test accuracy       FLOPs",
      "─────────  ─────  ─────  ──────  ────  ──────────  ─────────────  ──────────",
      "     base      –      –       –     –           –         50.0 %           –",
      "        1    500  0.620     192   320      0.5000         62.5 %  2.00 TFLOP",
      "        2  1,000  0.620     384   320           –         75.0 %  2.00 TFLOP",
    ].join("\n"),
  );
  expect(iterationTable(records, null).rows).toHaveLength(2);
});

test("wrong steps are a column where the task can check them, and the table fits 80 cells then too", () => {
  const checked = iterationTable([{ ...iteration(1).record, wrongSteps: 0.034 }, iteration(2).record], 0.5);
  expect(checked.columns.at(-1)?.header).toBe("wrong steps");
  expect(checked.rows.map((row) => row.at(-1))).toEqual(["–", "3.4 %", "–"]);
  for (const line of renderText(checked, 80).split("\n")) expect(displayWidth(line)).toBeLessThanOrEqual(80);
  expect(renderMarkdown(checked)).toContain("\\|D₊\\|");
});

test("the summary says what came out, gains and losses alike", () => {
  const best = (accuracy: number, at: number) =>
    new Map(summaryPairs({ ...summary, bestAccuracy: accuracy, bestIteration: at })).get("best accuracy");
  expect(best(0.75, 2)).toBe("75.0 % (iteration 2, +25.0 points)");
  expect(best(0.45, 1)).toBe("45.0 % (iteration 1, −5.0 points)");
  expect(best(0.5, 0)).toBe("50.0 % (the base model)");
  expect(new Map(summaryPairs(summary)).get("training cost")).toBe(
    "4.00 TFLOP (sampling 3.00 TFLOP, training 1.00 TFLOP)",
  );
});

test("a model is named with its size", () => {
  expect(modelLabel({ name: "smollm2", parameters: 134_515_008 })).toBe("smollm2 (135M parameters)");
});
