import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Observation, Verifier } from "../../../src/tasks/task.js";
import { choiceVerifier, exactVerifier, numberVerifier, yesNoVerifier } from "../../../src/tasks/verifiers/index.js";
import {
  add,
  divide,
  formatRational,
  multiply,
  parseDecimal,
  rational,
} from "../../../src/tasks/verifiers/rational.js";

const options = ["a dog", "vitamin C", "New York", "New York City"].map((text, i) => ({
  label: "ABCD"[i] ?? "",
  text,
}));
const VERIFIERS: readonly [string, Verifier, Pick<Observation, "answer" | "options">][] = [
  ["number", numberVerifier({ units: true, percent: true }), { answer: "12" }],
  ["choice", choiceVerifier(), { answer: "B", options }],
  ["yes-no", yesNoVerifier(), { answer: "yes" }],
  ["exact", exactVerifier(), { answer: "blue whale" }],
];

/** Any text, lone surrogates included. */
const utf16 = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 })
  .map((units) => String.fromCharCode(...units));

/** Texts that make an expression with nested repetition run for minutes. */
const LONG_OUTPUTS: readonly string[] = [
  ...[
    "the answer is ",
    "the answer is 1, ",
    "answer ",
    "answers answer: ",
    "answer is not ",
    "9",
    "1,",
    "1,234",
    "1-",
    "1 / ",
    "1 \n",
    "1.",
    " ",
    "\n",
    "\\boxed{",
    "\\frac{1}",
    "\\frac{",
    "(A) ",
    "A\n",
    "yes,",
    "*",
    "#",
    "$",
    "The answer is New York ",
    "New York ",
  ].map((piece) => piece.repeat(Math.ceil(100_000 / piece.length))),
  `1${" ".repeat(99_999)}1`,
  `The answer is ${"(".repeat(99_000)}`,
  `The answer is B${" ".repeat(99_000)}`,
];

/** 1234567 → 1,234,567 */
function grouped(digits: string, separator: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, separator);
}

/** Every way in which the digits of a non-negative integer may be written. */
const WRITINGS: readonly ((digits: string) => string)[] = [
  (digits) => digits,
  (digits) => grouped(digits, ","),
  (digits) => grouped(digits, "{,}"),
  (digits) => grouped(digits, "\u202f"),
  (digits) => `${digits}.0`,
  (digits) => `${grouped(digits, ",")}.00`,
  (digits) => `00${digits}`,
  (digits) => `${digits}/1`,
  (digits) => `\\frac{${digits}}{1}`,
  (digits) => `${digits}e0`,
  (digits) => `${digits[0]}.${digits.slice(1)}0e${digits.length - 1}`,
  (digits) => digits.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit))),
];
const WRAPPINGS: readonly ((number: string) => string)[] = [
  (number) => number,
  (number) => `**${number}**`,
  (number) => `\\boxed{${number}}`,
  (number) => `$\\boxed{${number}}$`,
  (number) => `"${number}"`,
  (number) => `(${number})`,
  (number) => `${number} apples`,
  (number) => `${number}%`,
  (number) => `\\(${number}\\)`,
];
const SIGNS = { "-": ["-", "−", "-$", "$-", "negative "], "": ["", "+", "$", "€ "] } as const;

const writing = fc.record({
  value: fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
  write: fc.constantFrom(...WRITINGS),
  wrap: fc.constantFrom(...WRAPPINGS),
  sign: fc.nat(),
  rationale: fc.constantFrom("", "3 + 4 = 7. ", "The answer is 5. ", "So 20-15 = 5, and "),
});

function written({
  value,
  write,
  wrap,
  sign,
  rationale,
}: typeof writing extends fc.Arbitrary<infer T> ? T : never): string {
  const signs: readonly string[] = value < 0n ? SIGNS["-"] : SIGNS[""];
  const digits = (value < 0n ? -value : value).toString();
  return `${rationale}the answer is ${wrap(`${signs[sign % signs.length]}${write(digits)}`)}.`;
}

describe("numbers", () => {
  const verifier = numberVerifier({ units: true, percent: true });

  it("verify in any accepted writing", () => {
    fc.assert(
      fc.property(writing, (chosen) => {
        const verdict = verifier.verify(written(chosen), { answer: String(chosen.value) });
        expect(verdict).toEqual({ strict: "correct", lenient: "correct", extracted: String(chosen.value) });
      }),
      { numRuns: 1000 },
    );
  });

  it("do not verify when the value is another one", () => {
    fc.assert(
      fc.property(writing, fc.bigInt({ min: -1000n, max: 1000n }), (chosen, difference) => {
        fc.pre(difference !== 0n);
        const gold = String(chosen.value + difference);
        expect(verifier.verify(written(chosen), { answer: gold })).toMatchObject({ strict: "wrong", lenient: "wrong" });
      }),
      { numRuns: 500 },
    );
  });

  it("compare decimals and fractions exactly", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -9999, max: 9999 }),
        fc.integer({ min: 1, max: 9999 }),
        fc.nat(5),
        (a, b, places) => {
          const fraction = verifier.verify(`The answer is ${a}/${b}.`, { answer: `${a}/${b}` });
          expect(fraction.strict).toBe("correct");
          const decimal = (a / 10 ** places).toFixed(places);
          expect(verifier.verify(`The answer is ${decimal}.`, { answer: `${a}/${10 ** places}` }).strict).toBe(
            "correct",
          );
          expect(verifier.verify(`The answer is ${decimal}1.`, { answer: `${a}/${10 ** places}` }).strict).toBe(
            "wrong",
          );
        },
      ),
    );
  });

  it("a list, a subtraction and a range of different numbers state none", () => {
    fc.assert(
      fc.property(
        fc.nat(99_999),
        fc.nat(99_999),
        fc.constantFrom(", ", " and ", " or ", " to ", "-", " - ", " "),
        (a, b, join) => {
          fc.pre(a !== b);
          for (const gold of [a, b, -b, a - b]) {
            const text = `The answer is ${a}${join}${b}.`;
            expect(verifier.verify(text, { answer: String(gold) })).toMatchObject({ strict: "none", lenient: "none" });
          }
        },
      ),
    );
  });
});

describe("rationals", () => {
  it("are a field, and their one writing reads back", () => {
    const arbitrary = fc.tuple(
      fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }),
      fc.bigInt({ min: 1n, max: 10n ** 6n }),
    );
    fc.assert(
      fc.property(arbitrary, arbitrary, ([a, b], [c, d]) => {
        const [x, y] = [rational(a, b), rational(c, d)];
        if (x === null || y === null) throw new Error("denominators are positive");
        expect(add(x, y)).toEqual(rational(a * d + c * b, b * d));
        expect(multiply(x, y)).toEqual(rational(a * c, b * d));
        expect(divide(x, y)).toEqual(rational(a * d, b * c));
        const [whole, divisor] = formatRational(x).replace("-", "").split("/");
        const read = parseDecimal(whole ?? "");
        const back =
          divisor === undefined || read === null ? read : divide(read, { numerator: BigInt(divisor), denominator: 1n });
        expect(back).toEqual(rational(a < 0n ? -a : a, b));
      }),
    );
  });
});

describe("choices", () => {
  const forms: readonly ((label: string, text: string) => string)[] = [
    (label) => `(${label})`,
    (label) => label,
    (label) => `**${label}**`,
    (label) => `\\boxed{${label}}`,
    (label) => `option ${label}`,
    (label, text) => `${label}) ${text}`,
    (label, text) => `(${label}) ${text}`,
    (label) => `${label}, because it is so`,
  ];

  it("verify in any accepted form, and only for their own label", () => {
    fc.assert(
      fc.property(fc.nat(3), fc.nat(3), fc.constantFrom(...forms), (said, gold, form) => {
        const { label, text } = options[said] ?? { label: "", text: "" };
        const output = `It must be so. The answer is ${form(label, text)}.`;
        const verdict = choiceVerifier().verify(output, { answer: "ABCD"[gold] ?? "", options });
        expect(verdict.strict).toBe(said === gold ? "correct" : "wrong");
      }),
    );
  });
});

describe("choices, whatever the options say", () => {
  const optionText = fc.oneof(
    fc.constantFrom("one-half of it", "a/b", "C++ (2)", "[x]{2}", "50 %", "$5.00", "x^2 | y*", "\\d", "What?", ""),
    fc.string({ maxLength: 20 }),
  );

  it("reads outputs that mention them, and never throws", () => {
    fc.assert(
      fc.property(
        fc.array(optionText, { minLength: 2, maxLength: 5 }),
        fc.nat(4),
        fc.constantFrom("", "The answer is ", "So it is "),
        (texts, place, lead) => {
          const all = texts.map((text, i) => ({ label: "ABCDE"[i] ?? "", text }));
          const said = all[place % all.length]?.text ?? "";
          const verdict = choiceVerifier().verify(`${lead}${said}.`, { answer: "A", options: all });
          expect(["correct", "wrong", "none"]).toContain(verdict.lenient);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("finds an option with a hyphen by its text", () => {
    const hyphenated = ["They have each gained one-half of it", "None of it"].map((text, i) => ({
      label: "AB"[i] ?? "",
      text,
    }));
    const output = "I think they have each gained one-half of it in the end";
    expect(choiceVerifier().verify(output, { answer: "A", options: hyphenated })).toMatchObject({
      strict: "none",
      lenient: "correct",
    });
  });
});

describe.each(VERIFIERS)("%s, whatever the output", (_, verifier, observation) => {
  const verdictOn = (output: string) => verifier.verify(output, observation);
  const pieces = fc.constantFrom(
    ..."the answer is |The answer is |Answer: |####|\\boxed{|}|\\frac{1}{2}|\\frac|A|B| (C) |a dog|yes|no|not |12|-|,|.|1,234|1/2|e9|%|$|*|\n|Q:|½|１|\ud800|or |and |=|million|^|{,}|\\,".split(
      "|",
    ),
  );

  it("never throws, and states an answer exactly when lenient does", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          utf16,
          fc.array(pieces, { maxLength: 40 }).map((all) => all.join("")),
        ),
        (output) => {
          const verdict = verdictOn(output);
          expect(verdict.extracted === null).toBe(verdict.lenient === "none");
          if (verdict.strict !== "none") expect(verdict.lenient).toBe(verdict.strict);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("does not look behind the next question", () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 20 }), fc.array(pieces, { maxLength: 20 }), (own, next) => {
        const output = own.join("").replaceAll("Q:", "");
        expect(verdictOn(`${output}\nQ: ${next.join("")}`)).toEqual(verdictOn(`${output}\n`));
      }),
    );
  });

  // A reading that goes over the text again for each of its places takes minutes here: the runner's time-out is the
  // limit.
  it("reads 100,000 characters of anything without running away", () => {
    for (const output of LONG_OUTPUTS) expect(["correct", "wrong", "none"]).toContain(verdictOn(output).lenient);
  });
});
