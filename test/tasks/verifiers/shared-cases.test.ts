/**
 * Cases from public bug reports, kept outside of the repository: what is right by the lenient reading, and what by
 * neither.
 */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type VerifierKind, verifierOf } from "../../../src/tasks/verifiers/index.js";

const FILE = fileURLToPath(new URL("../../../../shared/cases/grade.jsonl", import.meta.url));

interface Case {
  readonly id: string;
  readonly kind: string;
  readonly verifier: VerifierKind;
  readonly answer: string;
  readonly output: string;
  readonly verdict: "correct" | "not";
  readonly options?: readonly string[];
}

const cases: readonly Case[] = existsSync(FILE)
  ? readFileSync(FILE, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
  : [];

describe("cases beside the repository", () => {
  it.skipIf(cases.length > 0)(`are not there (looked for ${FILE})`, () => expect(cases).toEqual([]));

  it.each(cases.map((row) => [`${row.id}, ${row.kind}: ${JSON.stringify(row.output)}`, row] as const))(
    "%s",
    (_, row) => {
      const options = row.options?.map((text, i) => ({ label: "ABCDEFGH".charAt(i), text }));
      const observation = options === undefined ? { answer: row.answer } : { answer: row.answer, options };
      const { strict, lenient } = verifierOf(row.verifier).verify(row.output, observation);
      if (row.verdict === "correct") expect(lenient).toBe("correct");
      else expect([strict, lenient]).not.toContain("correct");
    },
  );
});
