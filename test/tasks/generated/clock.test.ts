import { describe, expect, it } from "vitest";
import { clock } from "../../../src/tasks/generated/clock.js";
import { workedExamples } from "../../../src/tasks/generated/family.js";

describe("clock", () => {
  it("states the time after all changes, and counts its hard ones", () => {
    const { train, test } = workedExamples(clock);
    for (const { question, answer, difficulty } of [...train.slice(0, 500), ...test]) {
      const [, hour, minute, rest = ""] = /^(\d+):(\d\d)(.*)\?$/.exec(question) ?? [];
      const changes = Array.from(rest.matchAll(/ [a-g] ([+-]\d+)/g), ([, change]) => Number(change));
      expect(changes.length).toBeGreaterThanOrEqual(2);
      const after = new Date(Date.UTC(2000, 0, 15, Number(hour), Number(minute)));
      for (const change of changes) after.setUTCMinutes(after.getUTCMinutes() + change);
      expect(answer).toBe(after.toISOString().slice(11, 16).replace(/^0/, ""));
      expect(changes.filter((change) => Math.abs(change) >= 30).length).toBe(difficulty);
    }
  });

  const question = "0:10 c -35 d +50 e +5?";
  const right = "\nc: 0:10-35=23:35\nd: 23:35+50=0:25\ne: 0:25+5=0:30\nThe answer is 0:30.";

  it.each([
    ["right, over midnight", right, 3, null],
    ["a wrong minute", right.replace("=23:35", "=23:30"), 3, 0],
    ["a wrong hour", right.replace("=23:35", "=0:35"), 3, 0],
    ["a step that starts from another time", right.replace("23:35+50", "23:30+50"), 3, 1],
    ["another change", right.replace("0:25+5=0:30", "0:25+10=0:35"), 3, 2],
    ["another label", right.replace("d: ", "f: "), 3, 1],
    ["two errors that cancel", right.replace("=23:35\nd: 23:35+", "=23:30\nd: 23:30+"), 3, 0],
  ])("checks %s", (_, output, steps, firstWrong) => {
    expect(clock.check(output, question)).toEqual({ steps, firstWrong });
  });
});
