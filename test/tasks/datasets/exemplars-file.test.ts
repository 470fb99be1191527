import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readExemplars } from "../../../src/tasks/datasets/exemplars-file.js";
import { bracketed, plainFormat } from "../../../src/tasks/prompt.js";
import { choiceVerifier, numberVerifier } from "../../../src/tasks/verifiers/index.js";

const root = mkdtempSync(join(tmpdir(), "adastar-exemplars-"));
afterAll(() => rmSync(root, { recursive: true }));

let count = 0;
function file(...rows: readonly object[]): string {
  const path = join(root, `exemplars-${count++}.jsonl`);
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join("\n"));
  return path;
}

const sums = { format: plainFormat(), verifier: numberVerifier() };
const choices = { format: plainFormat({ writeAnswer: bracketed }), verifier: choiceVerifier() };
const row = { question: "3 + 4?", rationale: "3 + 4 = 7.", answer: "7.0" };

describe("worked examples from a file", () => {
  it("have their answers in canonical form", async () => {
    const second = { ...row, answer: 7 };
    expect(await readExemplars(file(row, second), sums)).toEqual([row, row].map((one) => ({ ...one, answer: "7" })));
  });

  it("have options where there are any", async () => {
    const asked = { question: "Which?", rationale: "Grass is green.", answer: "green", options: ["red", "green"] };
    const options = [
      { label: "A", text: "red" },
      { label: "B", text: "green" },
    ];
    expect(await readExemplars(file(asked), choices)).toEqual([{ ...asked, answer: "B", options }]);
  });

  it.each<[string, object, RegExp]>([
    ["without a rationale", { ...row, rationale: undefined }, /row 2: expected a column "rationale"/],
    ["with a column that is not read", { ...row, solution: "x" }, /row 2: expected no columns but .*, got "solution"/],
    ["with an answer of another kind", { ...row, answer: "seven" }, /row 2: expected a number as the answer/],
    [
      "whose rationale goes on to another question, so that its answer is lost",
      { ...row, rationale: "3 + 4 = 7. Q: 1 + 1?" },
      /row 2: expected a worked example that verifies, got "3 \+ 4 = 7\. Q: 1 \+ 1\? The answer is 7\.", whose verdict is none/,
    ],
  ])("%s are refused", async (_, bad, message) => {
    await expect(readExemplars(file(row, bad), sums)).rejects.toThrow(message);
  });

  it("are at least one", async () => {
    await expect(readExemplars(file(), sums)).rejects.toThrow(/expected worked examples/);
  });
});
