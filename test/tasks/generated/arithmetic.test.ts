import { describe, expect, it } from "vitest";
import { arithmetic } from "../../../src/tasks/generated/arithmetic.js";
import { workedExamples } from "../../../src/tasks/generated/family.js";

describe("the ledger", () => {
  it("states right balances, and counts its hard entries", () => {
    const { train, test } = workedExamples(arithmetic);
    for (const { question, answer, difficulty } of [...train.slice(0, 500), ...test]) {
      const [, opening = "", entries = ""] = /^Balance (\d+)\. (.*)\?$/.exec(question) ?? [];
      const changes = entries.split(", ").map((entry) => Number(entry.split(" ")[1]));
      expect(changes.length).toBeGreaterThanOrEqual(2);
      expect(Number(opening) + changes.reduce((sum, change) => sum + change, 0)).toBe(Number(answer));
      expect(changes.filter((change) => Math.abs(change) >= 5).length).toBe(difficulty);
    }
  });

  const question = "Balance 27. Mon -9, Tue +4, Wed -5?";
  const right = "\nMon: 27-9=18\nTue: 18+4=22\nWed: 22-5=17\nThe answer is 17.";

  it.each([
    ["right", right, 3, null],
    ["a wrong sum", right.replace("=18", "=19"), 3, 0],
    ["a wrong start of a step", right.replace("18+4", "19+4"), 3, 1],
    ["a wrong operand", right.replace("22-5=17", "22-4=18"), 3, 2],
    ["a wrong sign", right.replace("18+4=22", "18-4=14"), 3, 1],
    ["a wrong day", right.replace("Tue", "Thu"), 3, 1],
    ["a missing step", right.replace("\nTue: 18+4=22", ""), 3, 1],
    ["a surplus step", right.replace("\nThe", "\nThu: 17+0=17\nThe"), 4, 3],
    ["nothing", "", 3, 0],
    ["two errors that cancel", "\nMon: 27-9=17\nTue: 17+4=22\nWed: 22-5=17\nThe answer is 17.", 3, 0],
  ])("checks %s", (_, output, steps, firstWrong) => {
    expect(arithmetic.check(output, question)).toEqual({ steps, firstWrong });
  });
});
