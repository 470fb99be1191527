import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { type GradedRow, GradeTally, gradeFile } from "../../src/tasks/grade.js";
import { openVerifier } from "../../src/tasks/registry.js";
import type { TaskOptions } from "../../src/tasks/task-options.js";

const lines = (rows: readonly unknown[]) =>
  rows.map((row) => `${typeof row === "string" ? row : JSON.stringify(row)}\n`);

async function graded(options: TaskOptions, rows: readonly unknown[]): Promise<GradedRow[]> {
  const content = Readable.from(lines(rows).map((line) => Buffer.from(line)));
  const all: GradedRow[] = [];
  for await (const row of gradeFile("outputs", openVerifier(options), content)) all.push(row);
  return all;
}

async function failure(options: TaskOptions, rows: readonly unknown[]): Promise<string> {
  const error: unknown = await graded(options, rows).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

const colours = ["red", "blue", "green"];

describe("every task judges rows without its data", () => {
  it.each<[string, Record<string, unknown>, object]>([
    [
      "gsm8k",
      { answer: "1,234", output: " So 1,000 + 234. The answer is $1234.00." },
      { strict: "correct", lenient: "correct", extracted: "1234" },
    ],
    ["gsm8k", { answer: "5", output: "#### 5" }, { strict: "none", lenient: "correct", extracted: "5" }],
    ["svamp", { answer: 33.0, output: "The answer is 3." }, { strict: "wrong", lenient: "wrong", extracted: "3" }],
    ["svamp", { answer: "33.0", output: "" }, { strict: "none", lenient: "none", extracted: null }],
    [
      "arithmetic",
      { answer: "7", output: "\nMon: 3+4=7\nThe answer is 7." },
      { strict: "correct", lenient: "correct", extracted: "7" },
    ],
    [
      "arc_challenge",
      { answer: "B", output: "The answer is (B).", options: colours },
      { strict: "correct", lenient: "correct", extracted: "B" },
    ],
    [
      "arc_challenge",
      { answer: "2", output: "The answer is (2).", options: { label: ["1", "2", "3"], text: colours } },
      { strict: "correct", lenient: "correct", extracted: "2" },
    ],
    [
      "commonsense_qa",
      { answer: "blue", output: "The answer is red.", options: colours.map((text, i) => ({ label: "ABC"[i], text })) },
      { strict: "none", lenient: "wrong", extracted: "A" },
    ],
    [
      "commonsense_qa",
      { answer: "C", output: "The answer is (C).", options: null },
      { strict: "correct", lenient: "correct", extracted: "C" },
    ],
    ["cladder", { answer: "yes", output: "The answer is no." }, { strict: "wrong", lenient: "wrong", extracted: "no" }],
    [
      "anli_r1",
      { answer: 1, output: "The answer is neutral." },
      { strict: "correct", lenient: "correct", extracted: "neutral" },
    ],
    [
      "anli_r1",
      { answer: "c", output: "The answer is entailment." },
      { strict: "wrong", lenient: "wrong", extracted: "entailment" },
    ],
    [
      "gsm8k",
      { answer: "She has 3 * 6 = <<3*6=18>>18.\n#### 18", output: "The answer is 18." },
      { strict: "correct", lenient: "correct", extracted: "18" },
    ],
  ])("%s: %j", async (task, row, verdict) => {
    expect(await graded({ task }, [{ id: "a", ...row }])).toEqual([{ id: "a", ...verdict }]);
  });

  it("own kinds of answers as well", async () => {
    const rows = [{ id: 1, answer: "Paris", output: "The answer is paris." }];
    expect(await graded({ task: "jsonl", verifier: "exact" }, rows)).toMatchObject([{ id: 1, strict: "correct" }]);
  });
});

describe("rows", () => {
  it("come back in order with their ids as they are, blank lines and further columns aside", async () => {
    const row = { answer: "1", output: "The answer is 1.", model: "x", logprobs: [1, 2] };
    const all = await graded({ task: "gsm8k" }, [{ id: "b", ...row }, "", { id: 7, ...row }, { id: "b", ...row }]);
    expect(all.map(({ id }) => id)).toEqual(["b", 7, "b"]);
    expect(Object.keys(all[0] ?? {})).toEqual(["id", "strict", "lenient", "extracted"]);
  });

  const good = { id: "a", answer: "1", output: "The answer is 1." };
  it.each<[string, unknown, RegExp]>([
    ["no JSON", "{not json", /^outputs, row 2: expected one JSON object a line/],
    ["no object", [1], /^outputs, row 2: expected an object/],
    ["no id", { ...good, id: undefined }, /^outputs, row 2: expected a column "id"/],
    ["an id that is none", { ...good, id: { a: 1 } }, /^outputs, row 2: expected a text or a number in "id"/],
    ["no answer", { ...good, answer: undefined }, /^outputs, row 2: expected a column "answer"/],
    ["no output", { ...good, output: undefined }, /^outputs, row 2: expected a column "output"/],
    [
      "an output of another kind",
      { ...good, output: ["The answer is 1."] },
      /^outputs, row 2: expected a text in "output"/,
    ],
    [
      "a gold answer that is no number",
      { ...good, answer: "seven" },
      /^outputs, row 2: expected a number as the answer/,
    ],
    ["an empty gold answer", { ...good, answer: " " }, /^outputs, row 2: expected a text in "answer"/],
    ["options of no known shape", { ...good, options: "red" }, /^outputs, row 2: expected answer options/],
  ])("with %s are an error that names file and row", async (_, row, message) => {
    expect(await failure({ task: "gsm8k" }, [good, row, good])).toMatch(message);
  });

  it("of a choice task need a gold answer among the options", async () => {
    const row = { id: "a", answer: "D", output: "The answer is (A).", options: colours };
    expect(await failure({ task: "arc_challenge" }, [row])).toMatch(
      /row 1: expected one of A, B, C as the answer, got "D"/,
    );
  });

  it("are read no faster than they are judged", async () => {
    let pieces = 0;
    async function* content() {
      for (; pieces < 1000; pieces++) yield Buffer.from(`${JSON.stringify(good)}\n`.repeat(10));
    }
    const rows = gradeFile("outputs", openVerifier({ task: "gsm8k" }), content());
    for (let row = 0; row < 95; row++) expect((await rows.next()).value).toMatchObject({ strict: "correct" });
    expect(pieces).toBeLessThanOrEqual(10);
    await rows.return(undefined);
  });
});

it("totals count both readings, where they agree, and what failed", () => {
  const tally = new GradeTally();
  const verdict = { extracted: null } as const;
  tally.add({ ...verdict, strict: "correct", lenient: "correct" });
  tally.add({ ...verdict, strict: "none", lenient: "correct" });
  tally.add({ ...verdict, strict: "wrong", lenient: "wrong", failure: "it threw" });
  expect(tally.totals()).toEqual({
    rows: 3,
    strict: { correct: 1, wrong: 1, none: 1 },
    lenient: { correct: 2, wrong: 1, none: 0 },
    agree: 2,
    failures: 1,
  });
});
