import fc from "fast-check";
import { expect, test } from "vitest";
import { lengthTable } from "../../src/report/length-table.js";

const lengths = fc.uniqueArray(fc.tuple(fc.nat(5000), fc.integer({ min: 1, max: 1000 })), {
  selector: ([length]) => length,
});

test("every prompt is counted once, in few ranges that follow on each other", () => {
  fc.assert(
    fc.property(lengths, lengths, (train, test) => {
      fc.pre(train.length + test.length > 0);
      const { rows } = lengthTable({ unit: "tokens", train: new Map(train), test: new Map(test) });
      const sum = (cells: readonly (string | undefined)[]) =>
        cells.reduce((total, cell) => total + Number(cell?.replaceAll(",", "")), 0);
      const total = (all: readonly (readonly [number, number])[]) => all.reduce((sum, [, count]) => sum + count, 0);
      expect(sum(rows.map((row) => row[1]))).toBe(total(train));
      expect(sum(rows.map((row) => row[2]))).toBe(total(test));
      expect(rows.length).toBeLessThanOrEqual(11);
      const starts = rows.map((row) => Number(row[0]?.split("–")[0]?.replaceAll(",", "")));
      expect(new Set(starts.slice(1).map((start, i) => start - (starts[i] ?? 0))).size).toBeLessThanOrEqual(1);
      expect(Math.max(...rows.map((row) => row[3]?.length ?? 0))).toBe(30);
    }),
  );
});

test("reads well", () => {
  const table = lengthTable({ unit: "words", train: new Map([[3, 10]]), test: new Map([[25, 20]]) });
  expect(table.columns.map(({ header }) => header)).toEqual(["words", "training", "test", ""]);
  expect(table.rows[0]).toEqual(["0–4", "10", "0", "█".repeat(15)]);
  expect(table.rows.at(-1)).toEqual(["25–29", "0", "20", "█".repeat(30)]);
  expect(lengthTable({ unit: "words", train: new Map([[7, 1]]), test: new Map() }).rows).toEqual([
    ["7", "1", "0", "█".repeat(30)],
  ]);
  expect(lengthTable({ unit: "words", train: new Map(), test: new Map() }).rows).toEqual([]);
});
