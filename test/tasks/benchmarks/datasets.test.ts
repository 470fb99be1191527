import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../../src/errors.js";
import { openTask, TASKS, taskEntry } from "../../../src/tasks/registry.js";
import type { Task } from "../../../src/tasks/task.js";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "adastar-tasks-"));
});
afterAll(() => rm(root, { recursive: true }));

/** A folder with these files; rows are written as .jsonl, text as it is. */
async function folder(files: Readonly<Record<string, readonly unknown[] | string>>): Promise<string> {
  const path = await mkdtemp(join(root, "set-"));
  for (const [name, content] of Object.entries(files)) {
    await writeFile(
      join(path, name),
      typeof content === "string" ? content : content.map((row) => JSON.stringify(row)).join("\n"),
    );
  }
  return path;
}

async function refusal(opened: Promise<Task>): Promise<string> {
  const error: unknown = await opened.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

const row = { question: "3 + 4?", answer: "7" };
const test = [{ question: "1 + 1?", answer: "2" }];
const arcRow = {
  id: "a",
  question: "Which?",
  choices: { text: ["red", "blue", "green", "grey"], label: ["1", "2", "3", "4"] },
  answerKey: "2",
};

describe("public shapes", () => {
  it("SVAMP: joined or apart, 33.0 for 33", async () => {
    const data = await folder({
      "train.jsonl": [{ ID: "chal-1", Body: "There are 30 pens.", question: "And 3 more?", answer: "33.0" }],
      "test.jsonl": [{ ID: "chal-2", Body: "b", Question: "q", question_concat: "b  q", Answer: 33.0 }],
    });
    const task = await openTask({ task: "svamp", data });
    expect(task.train).toEqual([{ id: "chal-1", question: "There are 30 pens. And 3 more?", answer: "33" }]);
    expect(task.test).toEqual([{ id: "chal-2", question: "b q", answer: "33" }]);
    expect([task.maxTokens, task.rationalize]).toEqual([130, false]);
  });

  it("GSM8K: the answer behind the last mark, thousands separators and all", async () => {
    const data = await folder({
      "train.jsonl": [{ question: "q", answer: "#### is the mark\n40*27 = 1080\n#### 1,080" }],
      "test.jsonl": [{ question: "q", answer: "#### -5" }],
    });
    const task = await openTask({ task: "gsm8k", data });
    expect([task.train[0]?.answer, task.test[0]?.answer]).toEqual(["1080", "-5"]);
    const bad = await folder({ "train.jsonl": [{ question: "q", answer: "seven" }], "test.jsonl": test });
    expect(await refusal(openTask({ task: "gsm8k", data: bad }))).toMatch(/train\.jsonl, row 1: expected .*####/);
  });

  it("ARC: labels 1 to 4 become letters, validation joins training", async () => {
    const data = await folder({
      "train.jsonl": [arcRow],
      "validation.jsonl": [
        { ...arcRow, id: "b", choices: { text: ["x", "y", "z"], label: ["A", "B", "C"] }, answerKey: "C" },
      ],
      "test.jsonl": [
        {
          ...arcRow,
          id: "c",
          question: {
            stem: "Which?",
            choices: [
              { label: "A", text: "x" },
              { label: "B", text: "y" },
            ],
          },
          choices: null,
          answerKey: "A",
        },
      ],
    });
    const task = await openTask({ task: "arc_challenge", data });
    expect(task.train.map(({ id, answer, options }) => [id, answer, options?.length])).toEqual([
      ["a", "B", 4],
      ["b", "C", 3],
    ]);
    expect(task.format.prompt(task.train[0] ?? row)).toBe("Q: Which?\n(A) red (B) blue (C) green (D) grey\nA:");
    expect(task.test[0]).toMatchObject({ question: "Which?", answer: "A" });
    const bad = await folder({ "train.jsonl": [{ ...arcRow, answerKey: "A" }], "test.jsonl": [arcRow] });
    expect(await refusal(openTask({ task: "arc_challenge", data: bad }))).toMatch(
      /row 1: expected one of 1, 2, 3, 4 in "answerKey", got "A"/,
    );
  });

  it("CommonsenseQA: the validation split is the test split", async () => {
    const nested = {
      id: "a",
      answerKey: "B",
      question: {
        stem: "Where?",
        choices: [
          { label: "A", text: "x" },
          { label: "B", text: "y" },
        ],
      },
    };
    const data = await folder({
      "train.jsonl": [nested],
      "dev.jsonl": [nested, { ...nested, id: "b" }],
      "test500.jsonl": [nested],
    });
    const task = await openTask({ task: "commonsense_qa", data });
    expect([task.train[0]?.answer, task.test.length]).toEqual(["B", 2]);
  });

  it("CLadder: other column names, conditions kept apart", async () => {
    const data = await folder({
      "train.jsonl": [{ id: 1, given_info: "X affects Y.", question: "Does it?", answer: "yes" }],
      "test.jsonl": [{ id: 2, prompt: "Does it?", label: "No" }],
    });
    const task = await openTask({ task: "cladder", data });
    expect(task.train[0]).toEqual({ id: "1", question: "X affects Y. Does it?", answer: "yes" });
    expect(task.test[0]?.answer).toBe("no");
  });

  it("ANLI: labels as integers, words or letters; at most 10,000 training rows", async () => {
    const rows = [0, "1", "contradiction", "e"].map((label, i) => ({
      uid: `u${i}`,
      premise: "p",
      hypothesis: "h",
      label,
    }));
    const many = Array.from({ length: 10_001 }, (_, i) => ({
      uid: `u${i}`,
      premise: "p",
      hypothesis: "h",
      label: i % 3,
    }));
    const task = await openTask({
      task: "anli_r1",
      data: await folder({ "train_r1.jsonl": many, "test.jsonl": rows }),
    });
    expect(task.test.map((observation) => observation.answer)).toEqual([
      "entailment",
      "neutral",
      "contradiction",
      "entailment",
    ]);
    expect(task.train.length).toBe(10_000);
    expect(task.verifier.verify("The answer is a contradiction.", { answer: "2" }).strict).toBe("correct");
    expect(task.verifier.verify("The answer is neutral or contradiction.", { answer: "2" }).lenient).toBe("none");
    const bad = await folder({ "train.jsonl": [{ premise: "p", hypothesis: "h", label: 3 }], "test.jsonl": rows });
    expect(await refusal(openTask({ task: "anli_r1", data: bad }))).toMatch(
      /row 1: expected one of entailment, neutral, contradiction .*got "3"/,
    );
  });
});

describe("own data", () => {
  it("takes two files, whatever the columns are called", async () => {
    const data = await folder({
      "a.jsonl": [{ q: "3 + 4?", a: 7, id: 5 }],
      "b.json": JSON.stringify([{ q: "x", a: "1e1" }]),
    });
    const task = await openTask({
      data: join(data, "a.jsonl"),
      eval: join(data, "b.json"),
      questionField: "q",
      answerField: "a",
    });
    expect(task.name).toBe("jsonl");
    expect(task.train).toEqual([{ id: "5", question: "3 + 4?", answer: "7" }]);
    expect(task.test).toEqual([{ id: "1", question: "x", answer: "10" }]);
  });

  it.each([
    [["red", "blue"], "blue"],
    [{ A: "red", B: "blue" }, "B"],
    [{ label: ["A", "B"], text: ["red", "blue"] }, "(B)"],
    [
      [
        { label: "A", text: "red" },
        { label: "B", text: "blue" },
      ],
      "b",
    ],
  ])("reads options written as %j", async (options, answer) => {
    const data = await folder({
      "train.jsonl": [{ question: "q", answer, options }],
      "test.jsonl": [{ question: "q", answer, options }],
    });
    const task = await openTask({ data, verifier: "choice" });
    expect(task.train[0]).toMatchObject({
      answer: "B",
      options: [
        { label: "A", text: "red" },
        { label: "B", text: "blue" },
      ],
    });
  });

  it("compares yes and no, and text, where asked", async () => {
    const data = await folder({
      "train.jsonl": [{ question: "q", answer: true }],
      "test.jsonl": [{ question: "q", answer: "No" }],
    });
    expect((await openTask({ data, verifier: "yes-no" })).train[0]?.answer).toBe("yes");
    expect((await openTask({ data, verifier: "exact" })).test[0]?.answer).toBe("No");
  });

  it("keeps line separators of Unicode within a row, skips blank lines, takes a byte order mark", async () => {
    const lines = `\ufeff${JSON.stringify({ question: "a\u2028b", answer: "1" })}\r\n\n${JSON.stringify(row)}\n`;
    const task = await openTask({ data: await folder({ "train.jsonl": lines, "test.jsonl": test }) });
    expect(task.train.map(({ id, question }) => [id, question])).toEqual([
      ["1", "a\u2028b"],
      ["3", "3 + 4?"],
    ]);
  });
});

describe("refusals name what was expected and where", () => {
  it.each([
    [
      "a missing column",
      [row, { question: "q" }],
      /train\.jsonl, row 2: expected a column "answer", got columns question/,
    ],
    ["an empty answer", [{ ...row, answer: " " }], /row 1: expected a text in "answer", got " "/],
    ["an answer that is no number", [row, row, { ...row, answer: "seven" }], /row 3: expected a number .*got "seven"/],
    [
      "an answer of several numbers",
      [row, row, { ...row, answer: "7 or 8" }],
      /row 3: expected a number .*got "7 or 8"; --verifier exact would compare such answers as text/,
    ],
    [
      "duplicate ids",
      [{ ...row, id: "x" }, row, { ...row, id: "x" }],
      /row 3: expected ids that differ, got "x" again \(first in .*row 1\)/,
    ],
    ["a list as a row", [[1]], /row 1: expected an object with named columns, got \[1\]/],
    [
      "a row that is no JSON",
      '{"question": "q", "answer": "1"}\n{"question"',
      /row 2: expected one JSON object a line/,
    ],
    ["no rows", "\n", /expected rows in .*train\.jsonl, got none/],
  ])("%s", async (_, rows, message) => {
    const data = await folder({ "train.jsonl": rows, "test.jsonl": test });
    expect(await refusal(openTask({ data }))).toMatch(message);
  });

  it("an answer that its own statement would not verify", async () => {
    const data = await folder({ "train.jsonl": [{ ...row, answer: "See Q: 3" }], "test.jsonl": test });
    expect(await refusal(openTask({ data, verifier: "exact" }))).toMatch(
      /row 1: expected an answer that verifies when it is stated, got "See Q: 3", which reads as "See"/,
    );
    const long = await folder({ "train.jsonl": [{ ...row, answer: "long ".repeat(80) }], "test.jsonl": test });
    expect(await refusal(openTask({ data: long, verifier: "exact" }))).toMatch(
      /row 1: expected an answer of at most 250 char/,
    );
  });

  it("files and folders", async () => {
    const data = await folder({ "train.jsonl": [row], "test.jsonl": test, "train_2.jsonl": [row], "notes.txt": "" });
    const train = join(data, "train.jsonl");
    expect(await refusal(openTask({ data }))).toMatch(/expected one file train\*.*got train\.jsonl and train_2\.jsonl/);
    expect(await refusal(openTask({ data: train }))).toMatch(/expected a test file in eval/);
    expect(await refusal(openTask({ data: join(data, "none") }))).toMatch(/which does not exist/);
    expect(await refusal(openTask({ data: train, eval: join(data, "none.jsonl") }))).toMatch(/none\.jsonl/);
    expect(await refusal(openTask({ data: train, eval: join(data, "notes.txt") }))).toMatch(
      /ending in \.jsonl, \.json, \.parquet or \.csv, got .*notes\.txt/,
    );
    const text = await folder({ "train.txt": "", "test.txt": "" });
    expect(await refusal(openTask({ task: "svamp", data: text }))).toMatch(
      /expected train\* and test\* or dev\* \(\.jsonl, .*\) in .*, got test\.txt, train\.txt/,
    );
    expect(await refusal(openTask({ task: "jsonl" }))).toMatch(/jsonl: expected its rows in data.*got nothing/);
    expect(await refusal(openTask({ task: "svamp", data: await folder({}) }))).toMatch(/got an empty folder/);
  });

  it("a file that is not UTF-8", async () => {
    const data = await folder({ "test.jsonl": test });
    await writeFile(join(data, "train.jsonl"), Uint8Array.from([0x7b, 0xff, 0xfe, 0x7d]));
    expect(await refusal(openTask({ data }))).toMatch(/expected a readable UTF-8 file, got .*train\.jsonl/);
  });

  it("options that make no sense", async () => {
    for (const [options, message] of [
      [["only one"], /at least two options/],
      [["a", ""], /options with label and text/],
      [
        [
          { label: "A", text: "x" },
          { label: "A", text: "y" },
        ],
        /different labels/,
      ],
      ["a b", /expected answer options/],
      [{ label: ["A"], text: ["x", "y"] }, /expected answer options/],
    ] as const) {
      const data = await folder({ "train.jsonl": [{ ...row, options }], "test.jsonl": test });
      expect(await refusal(openTask({ data, verifier: "choice" }))).toMatch(message);
    }
  });

  it("options of the task that it does not read", () => {
    expect(() => taskEntry({ task: "svamp", data: "x", verifier: "exact" })).toThrow(
      /verifier: expected an option of task svamp \(data, eval\)/,
    );
    expect(() => taskEntry({ task: "arithmetic", data: "x" })).toThrow(/data: expected an option of task arithmetic/);
    expect(() => taskEntry({ task: "svmap" })).toThrow(/expected one of arithmetic, .*svamp, .*jsonl, got "svmap"/);
    expect(taskEntry({ task: "svamp", data: "x", verifier: null }).name).toBe("svamp");
    expect(taskEntry().name).toBe("arithmetic");
  });
});

/** Worked examples of each benchmark, as many as the paper gives. */
const EXEMPLARS = { svamp: 8, gsm8k: 8, arc_challenge: 6, commonsense_qa: 7, cladder: 8, anli_r1: 8 };

describe("exemplars", () => {
  it.each(Object.entries(EXEMPLARS))("%s has %i, and each verifies as written", async (name, count) => {
    const rows: Record<string, unknown> = {
      svamp: { Body: "b", question: "q", answer: "1" },
      gsm8k: { question: "q", answer: "#### 1" },
      arc_challenge: arcRow,
      commonsense_qa: arcRow,
      cladder: { id: 1, question: "q?", answer: "yes" },
      anli_r1: { premise: "p", hypothesis: "h", label: 0 },
    };
    const task = await openTask({
      task: name,
      data: await folder({ "train.jsonl": [rows[name]], "test.jsonl": [rows[name]] }),
    });
    expect(task.exemplars.length).toBe(count);
    for (const exemplar of task.exemplars) {
      const written = task.format.completion(exemplar.rationale, exemplar.answer);
      expect(task.verifier.verify(written, exemplar)).toEqual({
        strict: "correct",
        lenient: "correct",
        extracted: exemplar.answer,
      });
    }
  });
});

describe("the list of tasks", () => {
  it("begins with the default and ends with own data", () => {
    expect(TASKS.map((entry) => entry.name)).toEqual(["arithmetic", "clock", ...Object.keys(EXEMPLARS), "jsonl"]);
  });
});
