import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../../src/errors.js";
import { openTask } from "../../../src/tasks/registry.js";
import type { Task } from "../../../src/tasks/task.js";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "adastar-own-data-"));
});
afterAll(() => rm(root, { recursive: true }));

let count = 0;
async function file(content: readonly unknown[] | string, extension = "jsonl"): Promise<string> {
  const path = join(root, `rows-${count++}.${extension}`);
  await writeFile(path, typeof content === "string" ? content : content.map((row) => JSON.stringify(row)).join("\n"));
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

const questions = (answers: readonly unknown[]) => answers.map((answer, i) => ({ question: `question ${i}?`, answer }));
const opened = async (rows: readonly unknown[], more: object = {}) => {
  const data = await file(rows);
  return openTask({ data, eval: data, ...more });
};

describe("columns that are not there", () => {
  it.each([
    [
      { Problem: "q", answer: 1 },
      'expected a column "question", got columns Problem, answer; perhaps --question-field "Problem"',
    ],
    [
      { question: "q", "Final Answer": 1 },
      'expected a column "answer", got columns question, Final Answer; perhaps --answer-field "Final Answer"',
    ],
    [{ a: "q", b: 1 }, 'expected a column "question", got columns a, b; name the right one with --question-field'],
    [
      { question: "q", answer: null, target: 2 },
      'expected a column "answer", got columns question, answer, target, where it is empty',
    ],
  ])("%j", async (row, message) => {
    expect(await refusal(opened([row]))).toContain(`row 1: ${message}`);
  });

  it("options, where they are asked for", async () => {
    const rows = [{ question: "q", answer: "A", choices: ["x", "y"] }];
    expect(await refusal(opened(rows, { verifier: "choice" }))).toContain('perhaps --options-field "choices"');
    expect((await opened(rows, { optionsField: "choices" })).train[0]?.options?.length).toBe(2);
  });

  it.each([
    [
      "question;answer\n1+1?;2\n",
      /expected commas as the delimiter between columns, got semicolons \(;\) in the header "question;answer"/,
    ],
    ["question\tanswer\n1+1?\t2\n", /got tabs in the header/],
    ["question|answer\n1+1?|2\n", /got bars \(\|\) in the header/],
  ])("%j: names the delimiter", async (text, message) => {
    const data = await file(text, "csv");
    expect(await refusal(openTask({ data, eval: data }))).toMatch(message);
  });
});

describe("the verifier", () => {
  const options = ["red", "blue"];
  it.each([
    ["number", questions([1, "2", "1,000", "3/4"]), "all 4 gold answers looked at are numbers"],
    ["yes-no", questions(["yes", "No", true]), "all 3 gold answers looked at are yes or no"],
    ["exact", questions(["Paris", "Rome", 3]), "all 3 gold answers looked at are text"],
    [
      "choice",
      questions(["A", "blue"]).map((row) => ({ ...row, options })),
      "all 2 gold answers looked at are the label or text of one of their options",
    ],
  ])("%s suits the gold answers, and is named", async (kind, rows, words) => {
    const task = await opened(rows);
    expect(task.source?.pinned.verifier).toBe(kind);
    expect(task.notices).toEqual([expect.stringContaining(`the verifier ${kind}: ${words}`)]);
    expect(task.train.length).toBe(rows.length);
  });

  it("is chosen by the same rows whatever the limits", async () => {
    const rows = questions([7, "Paris", "Rome", "Oslo"]);
    expect((await opened(rows, { trainLimit: 1 })).source?.pinned.verifier).toBe("exact");
  });

  it("that is asked for is used, and nothing is said about it", async () => {
    const task = await opened(questions([1, 2]), { verifier: "exact" });
    expect([task.notices, task.source?.pinned.verifier]).toEqual([undefined, undefined]);
  });

  it.each(["2\\pi", "5 or 6", "x + 1", "3/x", "1 - \\sqrt{2}"])(
    "a gold answer %j among numbers is refused by row, with what would suit",
    async (answer) => {
      const rows = questions([1, 2, 3, answer]);
      for (const more of [{}, { verifier: "number" }]) {
        expect(await refusal(opened(rows, more))).toMatch(
          /row 4: expected a number as the answer.* --verifier exact would compare such answers as text/,
        );
      }
      expect((await opened(rows, { verifier: "exact" })).train[3]?.answer).toBe(answer);
    },
  );
});

describe("one file in two parts", () => {
  const rows = questions(Array.from({ length: 400 }, (_, i) => i));
  const parts = async (given: readonly unknown[], evalShare: number) => {
    const { train, test } = await openTask({ data: await file(given), evalShare });
    return { train: train.map(({ question }) => question), test: test.map(({ question }) => question) };
  };

  it("has every row in one of them, and about the share asked for in the test", async () => {
    const { train, test } = await parts(rows, 0.1);
    expect([...train, ...test].sort()).toEqual(rows.map(({ question }) => question).sort());
    expect(test.length).toBeGreaterThan(20);
    expect(test.length).toBeLessThan(60);
  });

  it("goes by content: order, further rows, ids and answers move no row from one part to the other", async () => {
    const { test } = await parts(rows, 0.1);
    const others = questions(Array.from({ length: 100 }, () => 7)).map((row) => ({
      ...row,
      question: `new ${row.question}`,
    }));
    const changed = [...others, ...rows.toReversed().map((row, i) => ({ ...row, answer: 5, id: `id ${i}` }))];
    const after = await parts(changed, 0.1);
    expect(after.test.filter((question) => !question.startsWith("new")).sort()).toEqual(test.toSorted());
    const larger = await parts(rows, 0.3);
    expect(test.every((question) => larger.test.includes(question))).toBe(true);
  });

  it("asks no question in both", async () => {
    const { train, test } = await parts([...rows, ...rows], 0.25);
    expect(test.filter((question) => train.includes(question))).toEqual([]);
  });

  it("reports a bad row once", async () => {
    const refused: string[] = [];
    const data = await file([...rows.slice(0, 50), { prompt: "no question" }, { question: "no answer" }]);
    await openTask({ data, evalShare: 0.2, verifier: "number" }, ({ message }) => refused.push(message));
    expect(refused.map((message) => /row \d+/.exec(message)?.[0]).sort()).toEqual(["row 51", "row 52"]);
  });

  it("is refused beside a test set, and suggested where there is none", async () => {
    const data = await file(rows);
    expect(await refusal(openTask({ data, evalShare: 0.1, eval: data }))).toMatch(
      /evalShare: expected data without a test set/,
    );
    expect(await refusal(openTask({ data }))).toMatch(/give one with --eval, or --eval-share 0\.1/);
    expect(await refusal(openTask({ task: "svamp", data, evalShare: 0.1 }))).toMatch(
      /evalShare: expected an option of task svamp/,
    );
  });
});
