import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, describe, expect, test, vi } from "vitest";
import { adastar } from "./in-process.js";

const root = mkdtempSync(join(tmpdir(), "adastar-grade-"));
afterAll(() => rmSync(root, { recursive: true }));

let count = 0;
function file(...rows: readonly object[]): string {
  const path = join(root, `outputs-${count++}.jsonl`);
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return path;
}

const rows = [
  { id: "a", answer: "7", output: "The answer is 7." },
  { id: "b", answer: "7", output: "Answer: 7" },
  { id: 3, answer: "7", output: "The answer is 8." },
  { id: "d", answer: "7", output: "I cannot tell." },
];
const verdicts = [
  '{"id":"a","strict":"correct","lenient":"correct","extracted":"7"}',
  '{"id":"b","strict":"none","lenient":"correct","extracted":"7"}',
  '{"id":3,"strict":"wrong","lenient":"wrong","extracted":"8"}',
  '{"id":"d","strict":"none","lenient":"none","extracted":null}',
];

describe("grade", () => {
  test("prints one verdict a row, in order, and totals for people beside them", async () => {
    const { code, stdout, stderr } = await adastar(["grade", "--task", "gsm8k", file(...rows)]);
    expect(code).toBe(0);
    expect(stdout).toBe(`${verdicts.join("\n")}\n`);
    expect(stderr).toMatch(/^4 outputs +correct +wrong +none$/m);
    expect(stderr).toMatch(/^strict +1 \(25\.0 %\) +1 \(25\.0 %\) +2 \(50\.0 %\)$/m);
    expect(stderr).toMatch(/^lenient +2 \(50\.0 %\) +1 \(25\.0 %\) +1 \(25\.0 %\)$/m);
    expect(stderr).toMatch(/^Both agree on 3 \(75\.0 %\)\.$/m);
  });

  test("--json: the totals are one line of JSON on standard error, the rows are as they were", async () => {
    const { stdout, stderr } = await adastar(["grade", "--task", "gsm8k", file(...rows), "--json"]);
    expect(stdout).toBe(`${verdicts.join("\n")}\n`);
    expect(stderr).toMatch(/^\{.*\}\n$/);
    expect(JSON.parse(stderr)).toEqual({
      rows: 4,
      strict: { correct: 1, wrong: 1, none: 2 },
      lenient: { correct: 2, wrong: 1, none: 1 },
      agree: 3,
      failures: 0,
    });
  });

  test("- is standard input", async () => {
    const stdin = Readable.from(rows.map((row) => Buffer.from(`${JSON.stringify(row)}\n`)));
    vi.spyOn(process, "stdin", "get").mockReturnValue(stdin as typeof process.stdin);
    const { code, stdout } = await adastar(["grade", "--verifier", "number", "-"]);
    expect([code, stdout]).toEqual([0, `${verdicts.join("\n")}\n`]);
  });

  test("a row that cannot be judged ends it with 2, after the rows before it", async () => {
    const path = file(rows[0] ?? {}, { ...rows[1], answer: "seven" }, rows[2] ?? {});
    const { code, stdout, stderr } = await adastar(["grade", "--task", "gsm8k", path]);
    expect([code, stdout]).toEqual([2, `${verdicts[0]}\n`]);
    expect(stderr).toBe(
      `adastar: ${path}, row 2: expected a number as the answer, such as 12, -3, 1,250.5 or 3/4, got "seven"\n`,
    );
  });

  test.each<[string, () => string[], RegExp]>([
    ["neither task nor verifier", () => [file(...rows)], /expected --task NAME .* or --verifier KIND, got neither/],
    [
      "a file that is not there",
      () => ["--task", "gsm8k", join(root, "nowhere.jsonl")],
      /expected a readable UTF-8 file, got .*nowhere/,
    ],
    ["an empty file", () => ["--task", "gsm8k", file()], /expected rows with outputs in .*, got none/],
    [
      "a verifier that a task does not take",
      () => ["--task", "gsm8k", "--verifier", "choice", file(...rows)],
      /verifier: expected an option of task gsm8k/,
    ],
    [
      "a time limit for the task's own verifier",
      () => ["--task", "gsm8k", "--verifier-timeout", "2", file(...rows)],
      /verifierTimeout: expected an option of task gsm8k/,
    ],
    [
      "a verifier of no kind",
      () => ["--verifier", "numbers", file(...rows)],
      /verifier: expected one of number, choice, yes-no, exact, or the path of a \.js or \.mjs module/,
    ],
  ])("%s is refused", async (_, args, message) => {
    const { code, stdout, stderr } = await adastar(["grade", ...args()]);
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([2, ""]);
  });

  test("a verifier of one's own judges; its failures are shown and count as wrong", async () => {
    const path = join(root, "verifier.mjs");
    writeFileSync(
      path,
      "export function verify(output, { answer }) { if (output.includes('cannot')) for (;;); return output.includes(answer); }",
    );
    const { code, stdout, stderr } = await adastar([
      "grade",
      "--verifier",
      path,
      "--verifier-timeout",
      "0.5",
      file(...rows),
    ]);
    expect(code).toBe(0);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { id: "a", strict: "correct", lenient: "correct", extracted: null },
      { id: "b", strict: "correct", lenient: "correct", extracted: null },
      { id: 3, strict: "wrong", lenient: "wrong", extracted: null },
      { id: "d", strict: "wrong", lenient: "wrong", extracted: null, failure: "verify gave no answer within 0.5 s" },
    ]);
    expect(stderr).toMatch(/^The verifier failed on 1 \(25\.0 %\); these count as wrong\.$/m);
  });
});
