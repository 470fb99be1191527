/** What holds for every generated task. */

import { describe, expect, it } from "vitest";
import {
  generatedFormat,
  generatedTask,
  pretrainingExamples,
  workedExamples,
} from "../../../src/tasks/generated/family.js";
import { FAMILIES } from "../../../src/tasks/registry.js";
import { selfCheck } from "../../../src/tasks/verifiers/self-check.js";

/** Cuts greedily by the longest token; throws where no token fits. */
function cut(text: string, vocabulary: readonly string[]): string[] {
  const byLength = vocabulary.toSorted((a, b) => b.length - a.length);
  const tokens: string[] = [];
  for (let at = 0; at < text.length; ) {
    const token = byLength.find((candidate) => text.startsWith(candidate, at));
    if (token === undefined) throw new Error(`no token at ${JSON.stringify(text.slice(at))}`);
    tokens.push(token);
    at += token.length;
  }
  return tokens;
}

describe.each(FAMILIES)("$name", (family) => {
  const task = generatedTask(family);
  const { train, test } = workedExamples(family);

  it("has enough observations, none of them twice", () => {
    expect(task.train.length).toBeGreaterThanOrEqual(3000);
    expect(task.test.length).toBeGreaterThanOrEqual(500);
    const questions = [...task.train, ...task.test].map((observation) => observation.question);
    expect(new Set(questions).size).toBe(questions.length);
  });

  it("is the same for the same seed and another for another", () => {
    expect(generatedTask(family).train).toEqual(task.train);
    expect(generatedTask(family, { taskSeed: 7 }).train[0]).not.toEqual(task.train[0]);
    expect(generatedTask(family, { trainSize: 50 }).test).toEqual(task.test);
    expect(generatedTask(family, { trainSize: 50 }).train).toEqual(task.train.slice(0, 50));
  });

  it("has solutions that its own check finds right, and finds wrong under another question", () => {
    for (const [i, { question, rationale, answer }] of test.entries()) {
      const steps = rationale.split("\n").length;
      const output = generatedFormat.completion(rationale, answer);
      expect(family.check(output, question)).toEqual({ steps, firstWrong: null });
      expect(family.check(output, train[i].question).firstWrong).not.toBeNull();
    }
  });

  it("finds a step that is missing, one too many, and nothing at all", () => {
    for (const { question, rationale } of test.slice(0, 50)) {
      const lines = rationale.split("\n");
      expect(family.check(lines.slice(1).join("\n"), question)).toMatchObject({ firstWrong: 0 });
      expect(family.check([...lines, lines[0]].join("\n"), question)).toEqual({
        steps: lines.length + 1,
        firstWrong: lines.length,
      });
      expect(family.check("", question)).toEqual({ steps: lines.length, firstWrong: 0 });
    }
  });

  it("finds any changed digit of a step", () => {
    for (const { question, rationale } of test.slice(0, 100)) {
      for (const { index: at } of rationale.matchAll(/\d/g)) {
        for (const shift of [1, 5, 9]) {
          const digit = (Number(rationale[at]) + shift) % 10;
          const changed = `${rationale.slice(0, at)}${digit}${rationale.slice(at + 1)}`;
          expect(family.check(changed, question).firstWrong).not.toBeNull();
        }
      }
    }
  });

  it("spreads over all difficulties, and pretraining is mostly easy", () => {
    for (const difficulty of [2, 3, 4, 5]) {
      expect(test.filter((example) => example.difficulty === difficulty).length).toBeGreaterThan(10);
    }
    const hardShare = (examples: readonly { difficulty: number; rationale: string }[]) =>
      examples.reduce((sum, { difficulty }) => sum + difficulty, 0) /
      examples.flatMap(({ rationale }) => rationale.split("\n")).length;
    expect(hardShare(train)).toBeGreaterThan(0.5);
    const mixed = workedExamples(family, { hardShare: 0.2, trainSize: 2000 });
    expect(hardShare(mixed.train)).toBeCloseTo(0.2, 1);
    expect(mixed.test).toEqual(test);
    expect(hardShare(pretrainingExamples(family, 1, 3000))).toBeCloseTo(family.hardShare, 1);
    expect(hardShare(pretrainingExamples(family, 1, 3000, { hardShare: 0.4 }))).toBeCloseTo(0.4, 1);
    expect(hardShare(pretrainingExamples(family, 1, 300, { hardShare: 0 }))).toBe(0);
  });

  it("can be written with its vocabulary, hinted prompts too", () => {
    const { vocabulary } = family;
    for (const { question, rationale, answer } of test) {
      const prompt = generatedFormat.prompt({ question });
      const completion = generatedFormat.completion(rationale, answer);
      // Prompt and completion may be encoded apart.
      expect([...cut(prompt, vocabulary), ...cut(completion, vocabulary)]).toEqual(
        cut(prompt + completion, vocabulary),
      );
      expect(cut(completion, vocabulary).length).toBeLessThan(task.maxTokens);
      cut(generatedFormat.hintedPrompt({ question, answer }), vocabulary);
    }
    expect(new Set(vocabulary).size).toBe(vocabulary.length);
  });

  it("verifies every gold answer and no other", () => {
    const rows = task.train.length + task.test.length;
    expect(selfCheck(task)).toMatchObject({ rows, goldVerified: rows, wrongAccepted: 0, duplicates: 0, failures: [] });
  });

  it("is pretrained on none of its own questions, by the seed alone, and without what is excluded", () => {
    const known = new Set([...train, ...test].map((example) => example.question));
    const examples = pretrainingExamples(family, 3, 2000);
    expect(examples.filter((example) => known.has(example.question))).toEqual([]);
    for (const { question, rationale } of examples) expect(family.check(rationale, question).firstWrong).toBeNull();
    expect(pretrainingExamples(family, 3, 50)).toEqual(examples.slice(0, 50));
    expect(pretrainingExamples(family, 4, 50)).not.toEqual(examples.slice(0, 50));
    const exclude = new Set(examples.map((example) => example.question));
    for (const { question } of pretrainingExamples(family, 3, 100, { exclude })) {
      expect(exclude.has(question)).toBe(false);
    }
  });
});
