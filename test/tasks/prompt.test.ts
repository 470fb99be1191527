import { describe, expect, it } from "vitest";
import { bracketed, fewShotPrefix, plainFormat } from "../../src/tasks/prompt.js";

const options = [
  { label: "A", text: "red" },
  { label: "B", text: "blue" },
];

describe("the plain form", () => {
  it("puts question, options and answer on lines of their own", () => {
    const format = plainFormat({ writeAnswer: bracketed });
    expect(format.prompt({ question: "Which?", options })).toBe("Q: Which?\n(A) red (B) blue\nA:");
    expect(format.completion("The sky is blue.", "B")).toBe(" The sky is blue. The answer is (B).");
    expect(format.prompt({ question: "How many?" })).toBe("Q: How many?\nA:");
  });

  it("gives the answer away in the hinted form, and only there", () => {
    const format = plainFormat();
    const observation = { question: "How many?", answer: "42" };
    expect(format.hintedPrompt(observation)).toBe("Q: How many?\nHint: The answer is 42.\nA:");
    expect(format.prompt(observation)).not.toContain("42");
  });

  it("splits prompt and completion where a byte-level tokenizer splits", () => {
    for (const format of [plainFormat(), plainFormat({ gap: "\n" })]) {
      expect(format.prompt({ question: "How many?" })).toMatch(/\S$/);
      expect(format.completion("3 + 4 = 7.", "7")).toMatch(/^\s\S/);
      // Fine-tuning on answers alone (SFT).
      expect(format.completion("", "7")).toMatch(/^\sThe answer is 7\.$/);
    }
  });

  it("joins exemplars so that a prompt follows directly", () => {
    const format = plainFormat();
    const exemplars = [
      { question: "1 + 1?", rationale: "1 + 1 = 2.", answer: "2" },
      { question: "2 + 2?", rationale: "2 + 2 = 4.", answer: "4" },
    ];
    expect(fewShotPrefix(format, exemplars) + format.prompt({ question: "3 + 3?" })).toBe(
      "Q: 1 + 1?\nA: 1 + 1 = 2. The answer is 2.\n\nQ: 2 + 2?\nA: 2 + 2 = 4. The answer is 4.\n\nQ: 3 + 3?\nA:",
    );
    expect(fewShotPrefix(format, exemplars, true)).toContain("Q: 1 + 1?\nHint: The answer is 2.\nA: 1 + 1 = 2.");
    expect(fewShotPrefix(format, [])).toBe("");
  });
});
