/**
 * What holds of every statement, however it is written: nothing unread is passed over, no sign is lost, no thinking
 * counts.
 */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Observation, Verifier } from "../../../src/tasks/task.js";
import { choiceVerifier, exactVerifier, numberVerifier, yesNoVerifier } from "../../../src/tasks/verifiers/index.js";

const numbers = numberVerifier({ units: true, percent: true });
const whole = fc.integer({ min: 2, max: 99_999 });

/** What changes a value and is no plain part of it, each with a `%` where a further number or name goes. */
const EXPRESSIONS = [
  "\\pi",
  "π",
  " pi",
  "x",
  "xy",
  " x",
  "^2",
  "²",
  "^{%}",
  "_{%}",
  "!",
  " + %",
  " - %",
  "-%",
  " * %",
  " \\cdot %",
  " × %",
  "/x",
  " / x",
  " \\div %",
  " ± %",
  " \\pm %",
  "\\sqrt{%}",
  " - \\sqrt{%}",
  " + \\frac{1}{x}",
  "(x + 1)",
  " or %",
  " and %",
  ", %",
  "; %",
  " to %",
  " \\text{ or } %",
  " < x",
  " \\le x \\le %",
  " ≤ %",
  " > %",
  " ≈ %",
  " mod %",
  " \\pmod{%}",
  " \\choose %",
  " squared",
  " factorial",
  " plus %",
  " minus x",
  " divided by %",
  " percent of %",
  " hours % minutes",
  " feet, % inches",
  " dollars and % cents",
  " apples or more",
  " if it rains, otherwise %",
  " because it rains; % because it does not",
  "|",
  "\\foo",
  "@%",
  " = x",
  "e",
  "i",
  " & %",
  ":%",
  " : %",
];
const WRAPPINGS: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `$${text}$`,
  (text) => `\\(${text}\\)`,
  (text) => `\\boxed{${text}}`,
  (text) => `**${text}**`,
];

describe("a number's statement", () => {
  it("with an expression after the number never states that number", () => {
    fc.assert(
      fc.property(
        whole,
        whole,
        fc.constantFrom(...EXPRESSIONS),
        fc.constantFrom(...WRAPPINGS),
        (value, other, expression, wrap) => {
          fc.pre(value !== other);
          const statement = wrap(`${value}${expression.replaceAll("%", String(other))}`);
          const { strict } = numbers.verify(`It is so. The answer is ${statement}.`, { answer: String(value) });
          expect(strict, statement).not.toBe("correct");
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("keeps its sign in every spelling", () => {
    const minus = fc.constantFrom(
      ..."-|- |−|− |–|— |﹣|－|minus |Minus |negative |-$|$-|- $|\\minus |-\\,|➖|-\u200b".split("|"),
    );
    const wraps: readonly ((sign: string, digits: string) => string)[] = [
      ...WRAPPINGS.map((wrap) => (sign: string, digits: string) => wrap(`${sign}${digits}`)),
      (sign, digits) => `(${sign}${digits})`,
      (sign, digits) => `${sign}\\boxed{${digits}}`,
      (sign, digits) => `x = ${sign}${digits}`,
    ];
    const leads = fc.constantFrom("The answer is ", "Answer: ", "#### ", "", "So it is equal to ");
    fc.assert(
      fc.property(whole, minus, fc.constantFrom(...wraps), leads, (value, sign, wrap, lead) => {
        const output = `${lead}${wrap(sign, String(value))}`;
        expect(numbers.verify(output, { answer: String(value) }).lenient, output).not.toBe("correct");
        if (lead !== "The answer is ") return;
        expect(numbers.verify(output, { answer: String(-value) }).lenient, output).toBe("correct");
      }),
      { numRuns: 2000 },
    );
  });
});

const options = ["warmer", "colder", "the same", "not at all"].map((text, i) => ({ label: "ABCD".charAt(i), text }));
const VERIFIERS: readonly [string, Verifier, Pick<Observation, "answer" | "options">][] = [
  ["number", numbers, { answer: "12" }],
  ["choice", choiceVerifier(), { answer: "B", options }],
  ["yes-no", yesNoVerifier(), { answer: "yes" }],
  ["exact", exactVerifier(), { answer: "blue whale" }],
];
const pieces = fc.constantFrom(
  ..."the answer is |The answer is |Answer: |####|\\boxed{|}|A|B| (C) |colder|not |yes|no|12|-|,|.|\n|Question:|blue whale| or |<|<b>|[".split(
    "|",
  ),
);
const texts = fc.array(pieces, { maxLength: 15 }).map((all) => all.join(""));

describe.each(VERIFIERS)("%s, with tags", (_, verifier, observation) => {
  const verdictOn = (output: string) => verifier.verify(output, observation);

  it("counts nothing inside thinking", () => {
    fc.assert(
      fc.property(texts, texts, fc.constantFrom("think", "thinking", "reasoning", "THINK"), (thinking, said, tag) => {
        expect(verdictOn(`<${tag}>${thinking}</${tag}>${said}`)).toEqual(verdictOn(said));
        expect(verdictOn(`${thinking}</${tag}>${said}`)).toEqual(verdictOn(said));
        expect(verdictOn(`<${tag}>${thinking}${said}`)).toEqual(verdictOn(""));
      }),
    );
  });

  it("counts the final channel only", () => {
    fc.assert(
      fc.property(texts, texts, (thinking, said) => {
        const analysis = `<|channel|>analysis<|message|>${thinking}<|end|>`;
        const final = `<|start|>assistant<|channel|>final<|message|>${said}<|return|>${thinking}`;
        expect(verdictOn(analysis + final)).toEqual(verdictOn(said));
        expect(verdictOn(analysis)).toEqual(verdictOn(""));
      }),
    );
  });

  it("counts what the last answer tag holds", () => {
    fc.assert(
      fc.property(texts, texts, texts, (before, held, after) => {
        fc.pre(held.trim() !== "");
        expect(verdictOn(`${before}<answer>${held}</answer>${after}`)).toEqual(verdictOn(held));
      }),
    );
  });

  it("reads the tags that it is given", () => {
    const other = verifier.withTags?.({ thinking: ["plan"], answer: ["final"] });
    const { answer } = observation;
    const output = `<plan>The answer is ${answer}.</plan>`;
    expect(other?.verify(output, observation).lenient).toBe("none");
    expect(verdictOn(output).lenient).not.toBe("none");
    expect(other?.verify(`<plan>hm</plan><final>${answer}</final>`, observation).lenient).toBe("correct");
    expect(other?.verify(`<think>The answer is ${answer}.</think>`, observation).lenient).not.toBe("none");
  });

  it("states nothing that is cut off by the end of the turn", () => {
    const ends =
      "<|im_end|>|</s>|<end_of_turn>|<|eot_id|>|<|return|>|<|endoftext|>|<|end|>|[INST]|<|user|>|<｜end▁of▁sentence｜>";
    for (const end of ends.split(/(?<=[>\]])\|(?=[<[])/)) {
      const output = `${end}The answer is ${observation.answer}.`;
      expect(verdictOn(`So.${output}`), end).toEqual(verdictOn("So."));
    }
  });
});
