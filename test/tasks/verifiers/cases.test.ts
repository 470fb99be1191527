import { describe, expect, it } from "vitest";
import { verifierOf } from "../../../src/tasks/verifiers/index.js";
import { type CaseGroup, type Expected, NUMBER_CASES } from "./number-cases.js";
import { NUMBER_FORM_CASES } from "./number-form-cases.js";
import { TEXT_CASES } from "./text-cases.js";

const VERDICTS: Readonly<Record<Expected, readonly [strict: string, lenient: string]>> = {
  strict: ["correct", "correct"],
  lenient: ["none", "correct"],
  none: ["none", "none"],
  wrong: ["", "wrong"],
};

describe.each<CaseGroup>([...NUMBER_CASES, ...NUMBER_FORM_CASES, ...TEXT_CASES])(
  "$kind, $why",
  ({ kind, options, rows }) => {
    const labelled = options?.map((text, i) => ({ label: "ABCDEFGH".charAt(i), text }));

    it.each(rows)("%j, gold %s: %s", (output, gold, expected) => {
      const observation = labelled === undefined ? { answer: gold } : { answer: gold, options: labelled };
      const { strict, lenient } = verifierOf(kind).verify(output, observation);
      const [wantedStrict, wantedLenient] = VERDICTS[expected];
      expect(lenient).toBe(wantedLenient);
      if (expected === "wrong") expect(strict).not.toBe("correct");
      else expect(strict).toBe(wantedStrict);
    });
  },
);
