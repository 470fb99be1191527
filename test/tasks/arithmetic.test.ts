import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ARITHMETIC_VOCABULARY,
  arithmeticExamples,
  arithmeticFormat,
  arithmeticTask,
  checkLedger,
  pretrainingExamples,
} from "../../src/tasks/arithmetic.js";
import { selfCheck } from "../../src/tasks/self-check.js";

const task = arithmeticTask();
const { train, test } = arithmeticExamples();

/** Cuts greedily by the longest token; throws where no token fits. */
function tokens(text: string): string[] {
  const byLength = ARITHMETIC_VOCABULARY.toSorted((a, b) => b.length - a.length);
  const cut: string[] = [];
  for (let at = 0; at < text.length; ) {
    const token = byLength.find((candidate) => text.startsWith(candidate, at));
    if (token === undefined) throw new Error(`no token at ${JSON.stringify(text.slice(at))}`);
    cut.push(token);
    at += token.length;
  }
  return cut;
}

describe("the generated task", () => {
  it("has enough observations, none of them twice", () => {
    expect(task.train.length).toBeGreaterThanOrEqual(3000);
    expect(task.test.length).toBeGreaterThanOrEqual(500);
    const questions = [...task.train, ...task.test].map((observation) => observation.question);
    expect(new Set(questions).size).toBe(questions.length);
  });

  it("is the same for the same seed and another for another", () => {
    expect(arithmeticTask().train).toEqual(task.train);
    expect(arithmeticTask({ taskSeed: 7 }).train[0]).not.toEqual(task.train[0]);
    expect(arithmeticTask({ trainSize: 50 }).test).toEqual(task.test);
    expect(arithmeticTask({ trainSize: 50 }).train).toEqual(task.train.slice(0, 50));
  });

  it("has right solutions, written in its form", () => {
    for (const { question, rationale, answer, difficulty } of [...train.slice(0, 500), ...test]) {
      const [, opening = "", entries = ""] = /^Balance (\d+)\. (.*)\?$/.exec(question) ?? [];
      const changes = entries.split(", ").map((entry) => Number(entry.split(" ")[1]));
      expect(changes.length).toBeGreaterThanOrEqual(2);
      expect(Number(opening) + changes.reduce((sum, change) => sum + change, 0)).toBe(Number(answer));
      expect(changes.filter((change) => Math.abs(change) >= 5).length).toBe(difficulty);
      expect(checkLedger(arithmeticFormat.completion(rationale, answer), question)).toEqual({
        steps: changes.length,
        firstWrong: null,
      });
    }
  });

  it("spreads over all difficulties", () => {
    for (const difficulty of [1, 2, 3, 4, 5]) {
      expect(task.test.filter((observation) => observation.difficulty === difficulty).length).toBeGreaterThan(10);
    }
  });

  it("can be written with its vocabulary, hinted prompts too", () => {
    for (const { question, rationale, answer } of test) {
      const prompt = arithmeticFormat.prompt({ question });
      const completion = arithmeticFormat.completion(rationale, answer);
      // Prompt and completion may be encoded apart.
      expect([...tokens(prompt), ...tokens(completion)]).toEqual(tokens(prompt + completion));
      expect(tokens(completion).length).toBeLessThan(task.maxTokens);
      tokens(arithmeticFormat.hintedPrompt({ question, answer }));
    }
    expect(new Set(ARITHMETIC_VOCABULARY).size).toBe(ARITHMETIC_VOCABULARY.length);
  });

  it("verifies every gold answer and no other", () => {
    const rows = task.train.length + task.test.length;
    expect(selfCheck(task)).toMatchObject({ rows, goldVerified: rows, wrongAccepted: 0, duplicates: 0, failures: [] });
  });
});

describe("checking a rationale", () => {
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
  ])("%s", (_, output, steps, firstWrong) => {
    expect(checkLedger(output, question)).toEqual({ steps, firstWrong });
  });

  it("finds any changed digit", () => {
    const positions = Array.from(right.matchAll(/\d(?=[\s\S]*\nThe)/g), (match) => match.index);
    fc.assert(
      fc.property(fc.constantFrom(...positions), fc.integer({ min: 1, max: 9 }), (at, shift) => {
        const changed = (Number(right[at]) + shift) % 10;
        const output = `${right.slice(0, at)}${changed}${right.slice(at + 1)}`;
        expect(checkLedger(output, question).firstWrong).not.toBeNull();
      }),
    );
  });
});

describe("pretraining examples", () => {
  it("hold none of the task's questions, and few hard entries", () => {
    const known = new Set([...train, ...test].map((example) => example.question));
    const examples = pretrainingExamples(1, 3000);
    expect(examples.filter((example) => known.has(example.question))).toEqual([]);
    const entries = examples.flatMap((example) => example.rationale.split("\n")).length;
    const hard = examples.reduce((sum, example) => sum + example.difficulty, 0);
    expect(hard / entries).toBeGreaterThan(0.07);
    expect(hard / entries).toBeLessThan(0.11);
    for (const { question, rationale } of examples) expect(checkLedger(rationale, question).firstWrong).toBeNull();
  });

  it("depend on the seed alone, and leave out what is excluded", () => {
    const examples = pretrainingExamples(3, 100);
    expect(pretrainingExamples(3, 50)).toEqual(examples.slice(0, 50));
    expect(pretrainingExamples(4, 100)).not.toEqual(examples);
    const exclude = new Set(examples.map((example) => example.question));
    for (const { question } of pretrainingExamples(3, 100, { exclude })) expect(exclude.has(question)).toBe(false);
  });
});
