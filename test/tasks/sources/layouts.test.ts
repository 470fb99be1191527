import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../../src/errors.js";
import { TEST_IDS } from "../../../src/tasks/benchmarks/cladder-split.js";
import { filesOfSplit } from "../../../src/tasks/datasets/split-names.js";
import { openTask } from "../../../src/tasks/registry.js";
import type { Task } from "../../../src/tasks/task.js";

const PARQUET = fileURLToPath(new URL("../../fixtures/data/", import.meta.url));

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "adastar-layouts-"));
});
afterAll(() => rm(root, { recursive: true }));

async function folder(files: Readonly<Record<string, readonly unknown[] | string>>): Promise<string> {
  const path = await mkdtemp(join(root, "set-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(
      join(path, name),
      typeof content === "string" ? content : content.map((row) => JSON.stringify(row)).join("\n"),
    );
  }
  return path;
}

const answers = (task: Task) => [task.train.map(({ answer }) => answer), task.test.map(({ answer }) => answer)];
const own = (...numbers: readonly number[]) => numbers.map((n) => ({ question: `Which number is ${n}?`, answer: n }));
const gsm = (...numbers: readonly number[]) => numbers.map((n) => ({ question: `Say ${n}.`, answer: `#### ${n}` }));

describe("files of a split", () => {
  const where = "here";
  it.each<[string[], string, string[]]>([
    [["train.jsonl", "test.jsonl", "README.md"], "train", ["train.jsonl"]],
    [["TRAIN.CSV"], "train", ["TRAIN.CSV"]],
    [["trainer_state.json", "training.jsonl", "retrain.jsonl"], "train", []],
    [["test500.jsonl"], "test", ["test500.jsonl"]],
    [["train_rand_split.jsonl"], "train", ["train_rand_split.jsonl"]],
    [
      ["ARC-Challenge-Train.jsonl", "ARC-Challenge-Train.csv", "ARC-Challenge-Test.jsonl"],
      "train",
      ["ARC-Challenge-Train.jsonl"],
    ],
    [["test_train_overlap.jsonl", "train.jsonl"], "train", ["train.jsonl"]],
    [
      ["train-00001-of-00002.parquet", "train-00000-of-00002.parquet"],
      "train",
      ["train-00000-of-00002.parquet", "train-00001-of-00002.parquet"],
    ],
    [["train-00000-of-00001-0123456789abcdef.parquet"], "train", ["train-00000-of-00001-0123456789abcdef.parquet"]],
    [["full_v1.5_default.csv", "full_v1_5_default.csv"], "full_v1.5_default", ["full_v1.5_default.csv"]],
  ])("among %j for %s: %j", (names, split, expected) => {
    expect(filesOfSplit(names, split, { where })).toEqual(expected);
  });

  it.each<[string[], RegExp]>([
    [["train.jsonl", "train_2.jsonl"], /expected one file train\* in here, got train\.jsonl and train_2\.jsonl/],
    [["train-00000-of-00002.parquet"], /expected parts 0 to 1 of train-\* in here, got train-00000/],
    [["train-00000-of-00002.parquet", "train-00000-of-00002-0123456789abcdef.parquet"], /expected parts 0 to 1/],
    [["train-00000-of-00001.parquet", "train-00000-of-00002.parquet"], /expected parts/],
    [["train.parquet", "train-00000-of-00001.parquet"], /expected one file train\*/],
  ])("%j is not clear", (names, message) => {
    expect(() => filesOfSplit(names, "train", { where })).toThrow(UserError);
    expect(() => filesOfSplit(names, "train", { where })).toThrow(message);
  });
});

describe("copies of hub releases", () => {
  it.each([
    ["gsm8k", "gsm8k", [["6", "80", "1400"], ["2200"]]],
    ["gsm8k", "gsm8k/main", [["6", "80", "1400"], ["2200"]]],
    ["svamp", "svamp", [["30", "30"], ["30"]]],
    ["arc_challenge", "arc", [["A", "B"], ["E"]]],
    ["commonsense_qa", "commonsense_qa", [["B"], ["D"]]],
    [
      "anli_r1",
      "anli",
      [
        ["entailment", "neutral", "contradiction"],
        ["entailment", "neutral", "contradiction"],
      ],
    ],
  ])("%s from %s", async (name, path, expected) => {
    expect(answers(await openTask({ task: name, data: join(PARQUET, path) }))).toEqual(expected);
  });

  it("the hub's own conversion to Parquet: a folder a split", async () => {
    const data = await folder({
      "main/train/0000.jsonl": gsm(1),
      "main/train/0001.jsonl": gsm(2),
      "main/test/0000.jsonl": gsm(3),
    });
    const task = await openTask({ task: "gsm8k", data });
    expect(answers(task)).toEqual([["1", "2"], ["3"]]);
    // Rows without ids of their own are counted through all files, and named by file and row.
    expect(task.train.map(({ id }) => id)).toEqual(["1", "2"]);
    expect(task.source?.where("train", 1)).toBe(`${join(data, "main/train/0001.jsonl")}, row 1`);
    expect(task.source?.where("test", 0)).toBe(`${join(data, "main/test/0000.jsonl")}, row 1`);
  });

  it("the cache of Python's client, whose files are links", async () => {
    const blobs = await folder({ x: gsm(1), y: gsm(2) });
    const data = await folder({});
    await symlink(join(blobs, "x"), join(data, "train.jsonl"));
    await symlink(join(blobs, "y"), join(data, "test.jsonl"));
    expect(answers(await openTask({ task: "gsm8k", data }))).toEqual([["1"], ["2"]]);
  });
});

describe("the original releases", () => {
  it("GSM8K: the dialogues beside it are left out", async () => {
    const data = await folder({
      "train.jsonl": gsm(1),
      "train_socratic.jsonl": gsm(2),
      "test.jsonl": gsm(3),
      "test_socratic.jsonl": gsm(4),
      "example_model_solutions.jsonl": gsm(5),
    });
    expect(answers(await openTask({ task: "gsm8k", data }))).toEqual([["1"], ["3"]]);
  });

  it("ANLI: three rounds in folders, the premise is called context", async () => {
    const rows = [{ uid: "a", context: "p", hypothesis: "h", label: "n", model_label: "e" }];
    const data = await folder({
      "R1/train.jsonl": rows,
      "R1/dev.jsonl": rows,
      "R1/test.jsonl": rows,
      "R2/train.jsonl": [],
    });
    expect(answers(await openTask({ task: "anli_r1", data }))).toEqual([["neutral"], ["neutral"]]);
  });

  it("CommonsenseQA: the test file without answers is not read while there is another", async () => {
    const choices = ["A", "B"].map((label) => ({ label, text: label }));
    const row = { id: "a", answerKey: "B", question: { stem: "q", choices } };
    const data = await folder({
      "train_rand_split.jsonl": [row],
      "dev_rand_split.jsonl": [row],
      "test_rand_split_no_answers.jsonl": [{ ...row, answerKey: undefined }],
    });
    expect(answers(await openTask({ task: "commonsense_qa", data }))).toEqual([["B"], ["B"]]);
  });

  it("CLadder: background, conditions and question make up the text", async () => {
    const row = { question_id: 1, background: "World.", given_info: "", question: "Why?", answer: "yes" };
    const data = await folder({
      "train.json": JSON.stringify([row]),
      "test.jsonl": [{ ...row, given_info: "P = 1." }],
    });
    const task = await openTask({ task: "cladder", data });
    expect([task.train[0]?.question, task.test[0]?.question]).toEqual(["World. Why?", "World. P = 1. Why?"]);
  });
});

describe("CLadder's release in one piece", () => {
  const line = (id: number) => `${id},"X affects Y. Does it?",${id % 2 ? "yes" : "no"}`;
  const header = "id,prompt,label";

  it("is split as in the paper", async () => {
    expect([TEST_IDS.size, Math.min(...TEST_IDS), Math.max(...TEST_IDS), TEST_IDS.has(1002)]).toEqual([
      2023,
      8,
      31012,
      true,
    ]);
    const data = await folder({
      "data/full_v1.5_default.csv": [header, ...[4, 8, 28, 1002].map(line)].join("\n"),
      // As on the hub: other rows, and without their questions.
      "data/test-commonsense-v1.5.csv": [header, '1,"X affects Y.",yes'].join("\n"),
      "data/test-hard-v1.5.csv": [header, '2,"X affects Y.",yes'].join("\n"),
    });
    const task = await openTask({ task: "cladder", data });
    expect([task.train.map(({ id }) => id), task.test.map(({ id }) => id)]).toEqual([
      ["4", "28"],
      ["8", "1002"],
    ]);
  });

  it("a text without a question is refused", async () => {
    const data = await folder({ "train.csv": `${header}\n1,"X affects Y.",yes`, "test.csv": `${header}\n${line(2)}` });
    await expect(openTask({ task: "cladder", data })).rejects.toThrow(
      /train\.csv, row 1: expected a text that ends in a question/,
    );
  });
});

describe("own data", () => {
  it("comes in any form, with options as JSON in a cell", async () => {
    const data = await folder({
      "train.csv": 'question,answer,options\nWhich?,b,"[""a"",""b""]"\n',
      "test.json": JSON.stringify([{ question: "Which?", answer: "A", options: { A: "x", B: "y" } }]),
    });
    expect(answers(await openTask({ data, verifier: "choice" }))).toEqual([["B"], ["A"]]);
  });

  it("has at most as many options as there are letters", async () => {
    const options = Array.from({ length: 27 }, (_, i) => `option ${i}`);
    const data = await folder({ "train.jsonl": [{ question: "q", answer: "A", options }], "test.jsonl": [] });
    await expect(openTask({ data, verifier: "choice" })).rejects.toThrow(/row 1: expected at most 26 options/);
  });

  it("takes the test split from elsewhere", async () => {
    const data = await folder({ "train.jsonl": own(1, 2), "test.jsonl": own(3) });
    const other = await folder({ "data/dev.csv": "question,answer\nq,7\n" });
    expect(answers(await openTask({ data, eval: other }))).toEqual([["1", "2"], ["7"]]);
    expect(answers(await openTask({ data: join(data, "train.jsonl"), eval: data }))).toEqual([["1", "2"], ["3"]]);
  });

  it("is read only as far as it is asked for", async () => {
    const data = await folder({
      "train.jsonl": [...own(1, 2), { no: "row" }],
      "test.jsonl": [...own(3, 4), { no: "row" }],
    });
    expect(answers(await openTask({ data, trainLimit: 2, evalLimit: 1 }))).toEqual([["1", "2"], ["3"]]);
  });

  it("tells of every bad row where somebody listens", async () => {
    const data = await folder({
      "train.jsonl": [...own(1), { question: "q" }, { question: "q", answer: "x" }, { id: 1, ...own(5)[0] }, ...own(2)],
      "test.jsonl": own(3),
    });
    const refused: string[] = [];
    const task = await openTask({ data }, (refusal) => refused.push(refusal.message));
    expect(answers(task)).toEqual([["1", "2"], ["3"]]);
    expect(task.source?.where("train", 1)).toMatch(/train\.jsonl, row 5$/);
    expect(refused.map((message) => /row \d: expected [^,"]*/.exec(message)?.[0].trim())).toEqual([
      "row 2: expected a column",
      "row 3: expected a number as the answer",
      "row 4: expected ids that differ",
    ]);
  });

  it("a path that looks like a name on the hub", async () => {
    await expect(openTask({ data: join(root, "openai", "gsm8k") })).rejects.toThrow(
      /which does not exist; a data set on the Hugging Face hub is written hub:openai\/gsm8k/,
    );
    await expect(openTask({ data: join(root, "openai", "gsm8k.jsonl") })).rejects.toThrow(/which does not exist$/);
  });
});
