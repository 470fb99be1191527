/**
 * Arithmetic of another kind: a clock that is set forward and back, generated from a seed.
 *
 *     Q: 9:40 c +35 d -50?
 *     A:
 *     c: 9:40+35=10:15
 *     d: 10:15-50=9:25
 *     The answer is 9:25.
 *
 * Times are multiples of five minutes and wrap around at midnight. Every change has a letter as its label. A change of
 * 30 to 55 minutes is hard, one of 5 to 25 is easy.
 */

import { exactVerifier } from "../verifiers/index.js";
import { checkSteps, eachWith, everyDifficulty, type Family } from "./family.js";

const LABELS = ["a", "b", "c", "d", "e", "f", "g"] as const;

const MIN_CHANGES = 2;
const MAX_CHANGES = 5;
const DAY_MINUTES = 24 * 60;
/** All times and changes are multiples of it. */
const UNIT_MINUTES = 5;
const EASY_UNITS = 5;
const HARD_UNITS = 6;

const OPENING = /^(\d+):(\d\d) /;
const CHANGE = /([a-g]) ([+-]\d+)/g;
const STEP = /^[a-g]: /;

const changes = Array.from({ length: EASY_UNITS + HARD_UNITS }, (_, i) => (i + 1) * UNIT_MINUTES);

export const clock: Family = {
  name: "clock",
  description: "a time of day after 2 to 5 changes, with steps that a program checks (generated)",
  starter: "starter-clock",
  vocabulary: [
    ...Array.from({ length: 24 }, (_, hour) => `${hour}`),
    ...Array.from({ length: 60 / UNIT_MINUTES }, (_, i) => minutes(i * UNIT_MINUTES)),
    ...changes.flatMap((change) => [`+${change}`, `-${change}`]),
    ..."=.?",
    "Q: ",
    "\nA:",
    "\nThe answer is ",
    ...LABELS.map((label) => ` ${label} `),
    ...LABELS.map((label) => `\n${label}: `),
  ],
  hardShare: 0.05,
  verifier: exactVerifier,
  example(draw, hardShare) {
    const below = (limit: number) => Math.floor(draw() * limit);
    const count = MIN_CHANGES + below(MAX_CHANGES - MIN_CHANGES + 1);
    const hard = hardShare === null ? everyDifficulty(count, draw) : eachWith(hardShare, count, draw);
    const firstLabel = below(LABELS.length);
    let time = below(DAY_MINUTES / UNIT_MINUTES) * UNIT_MINUTES;
    const opening = time;
    const asked: string[] = [];
    const steps: string[] = [];
    for (let place = 0; place < count; place++) {
      const label = LABELS[(firstLabel + place) % LABELS.length];
      const size = (hard.has(place) ? EASY_UNITS + 1 + below(HARD_UNITS) : 1 + below(EASY_UNITS)) * UNIT_MINUTES;
      const change = draw() < 0.5 ? size : -size;
      asked.push(`${label} ${signed(change)}`);
      const [step, after] = stepOf(label, time, change);
      steps.push(step);
      time = after;
    }
    return {
      question: `${written(opening)} ${asked.join(" ")}?`,
      rationale: steps.join("\n"),
      answer: written(time),
      difficulty: hard.size,
    };
  },
  /** Checks for every step its label, the time it starts from, the change and the time after it. */
  check(output, question) {
    const [, hour, minute] = OPENING.exec(question) ?? [];
    let time = 60 * Number(hour) + Number(minute);
    const expected = Array.from(question.matchAll(CHANGE), ([, label, change]) => {
      const [step, after] = stepOf(label, time, Number(change));
      time = after;
      return step;
    });
    return checkSteps(
      output.split("\n").filter((line) => STEP.test(line)),
      expected,
    );
  },
};

/** A step as it is written, and the time after it, in minutes from midnight. */
function stepOf(label: string, time: number, change: number): readonly [string, number] {
  const after = (time + change + DAY_MINUTES) % DAY_MINUTES;
  return [`${label}: ${written(time)}${signed(change)}=${written(after)}`, after];
}

function written(time: number): string {
  return `${Math.floor(time / 60)}${minutes(time % 60)}`;
}

function minutes(count: number): string {
  return `:${String(count).padStart(2, "0")}`;
}

function signed(change: number): string {
  return change < 0 ? `${change}` : `+${change}`;
}
