import { describe, expect, it } from "vitest";
import type { Verifier } from "../../../src/tasks/task.js";
import { choiceVerifier, exactVerifier, numberVerifier, yesNoVerifier } from "../../../src/tasks/verifiers/index.js";
import { CHOICE_TRAPS, EXACT_TRAPS, NUMBER_TRAPS, type Trap, YES_NO_TRAPS } from "./traps.js";

const TABLES: readonly [string, Verifier, readonly Trap[]][] = [
  ["number", numberVerifier({ units: true }), NUMBER_TRAPS],
  ["choice", choiceVerifier(), CHOICE_TRAPS],
  ["yes-no", yesNoVerifier(), YES_NO_TRAPS],
  ["exact", exactVerifier(), EXACT_TRAPS],
];

for (const [kind, verifier, traps] of TABLES) {
  describe(kind, () => {
    for (const { output, gold, strict, lenient, why, options } of traps) {
      it(`${why}: ${JSON.stringify(output.slice(0, 80))}, gold ${gold}`, () => {
        const verdict = verifier.verify(output, options === undefined ? { answer: gold } : { answer: gold, options });
        expect({ strict: verdict.strict, lenient: verdict.lenient }).toEqual({ strict, lenient });
        expect(verdict.extracted === null).toBe(verdict.lenient === "none");
      });
    }
  });
}
