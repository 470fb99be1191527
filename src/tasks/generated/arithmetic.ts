/**
 * The default task: a running balance over a few days, generated from a seed.
 *
 *     Q: Balance 27. Mon -9, Tue +4?
 *     A:
 *     Mon: 27-9=18
 *     Tue: 18+4=22
 *     The answer is 22.
 *
 * Each step depends on the one before only and has its day as a label, so a very small model can learn it, a person can
 * read it, and a program can check it. An entry is hard if its operand is 5 to 9 and easy if it is 1 to 4.
 */

import { numberVerifier } from "../verifiers/index.js";
import { checkSteps, eachWith, everyDifficulty, type Family } from "./family.js";

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;

/** Balances stay in [0, MAX_BALANCE]. */
const MAX_BALANCE = 99;
const MIN_ENTRIES = 2;
const MAX_ENTRIES = 5;

const OPENING = /^Balance (\d+)\. /;
const ENTRY = /([A-Z][a-z]{2}) ([+-]\d+)/g;
const STEP = /^[A-Z][a-z]{2}: /;

export const arithmetic: Family = {
  name: "arithmetic",
  description: "a running balance of 2 to 5 entries, with steps that a program checks (generated)",
  starter: "starter",
  vocabulary: [
    ..."0123456789",
    ..."+-=,.?",
    " +",
    " -",
    "Q: Balance ",
    "\nA:",
    "\nThe answer is ",
    ...DAYS.map((day) => ` ${day}`),
    ...DAYS.map((day) => `\n${day}: `),
  ],
  hardShare: 0.09,
  verifier: numberVerifier,
  example(draw, hardShare) {
    const below = (limit: number) => Math.floor(draw() * limit);
    const count = MIN_ENTRIES + below(MAX_ENTRIES - MIN_ENTRIES + 1);
    const hard = hardShare === null ? everyDifficulty(count, draw) : eachWith(hardShare, count, draw);
    const firstDay = below(DAYS.length);
    let balance = below(MAX_BALANCE + 1);
    const opening = balance;
    const entries: string[] = [];
    const steps: string[] = [];
    for (let place = 0; place < count; place++) {
      const day = DAYS[(firstDay + place) % DAYS.length];
      const operand = hard.has(place) ? 5 + below(5) : 1 + below(4);
      const wanted = draw() < 0.5 ? operand : -operand;
      const inRange = balance + wanted >= 0 && balance + wanted <= MAX_BALANCE;
      const change = inRange ? wanted : -wanted;
      const signed = change < 0 ? `${change}` : `+${change}`;
      entries.push(`${day} ${signed}`);
      steps.push(`${day}: ${balance}${signed}=${balance + change}`);
      balance += change;
    }
    return {
      question: `Balance ${opening}. ${entries.join(", ")}?`,
      rationale: steps.join("\n"),
      answer: `${balance}`,
      difficulty: hard.size,
    };
  },
  /** Checks for every step its label, the balance it starts from, its operand and its result. */
  check(output, question) {
    let balance = Number(OPENING.exec(question)?.[1]);
    const expected = Array.from(question.matchAll(ENTRY), ([, day, signed]) => {
      const before = balance;
      balance += Number(signed);
      return `${day}: ${before}${signed}=${balance}`;
    });
    return checkSteps(
      output.split("\n").filter((line) => STEP.test(line)),
      expected,
    );
  },
};
