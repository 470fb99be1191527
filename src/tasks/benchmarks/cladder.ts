/**
 * CLadder 1.5 (Jin et al. 2023): formal causal questions in words, on all three rungs of the ladder of causation; yes
 * or no.
 */

import { shown, UserError } from "../../errors.js";
import type { Dataset, RawObservation } from "../datasets/dataset.js";
import { plainFormat } from "../prompt.js";
import { column, joinedColumns, type Row, textColumn } from "../sources/rows.js";
import type { Exemplar } from "../task.js";
import { yesNoVerifier } from "../verifiers/index.js";
import { TEST_IDS } from "./cladder-split.js";

const WORLD =
  "Imagine a self-contained, hypothetical world with only the following conditions, and without any unmentioned factors or causal relationships:";

const exemplars: readonly Exemplar[] = [
  {
    question: `${WORLD} Rain has a direct effect on traffic. The overall probability of rain is 40%. Without rain, the probability of a traffic jam is 20%. With rain, the probability of a traffic jam is 70%. Is a traffic jam more likely than no traffic jam overall?`,
    rationale:
      "P(jam) = 0.4 * 0.7 + 0.6 * 0.2 = 0.28 + 0.12 = 0.40. That is below 0.5, so a jam is less likely than no jam.",
    answer: "no",
  },
  {
    question: `${WORLD} Tea has a direct effect on sleep. For people who do not drink tea, the probability of good sleep is 65%. For people who drink tea, the probability of good sleep is 42%. Will drinking tea decrease the chance of good sleep?`,
    rationale:
      "Nothing confounds tea and sleep, so the effect is P(sleep | tea) - P(sleep | no tea) = 0.42 - 0.65 = -0.23. It is negative.",
    answer: "yes",
  },
  {
    question: `${WORLD} Age has a direct effect on training and health. Training has a direct effect on health. Method 1: We look directly at how training correlates with health in general. Method 2: We look at this correlation case by case according to age. To understand how training affects health, is it more correct to use the Method 1 than Method 2?`,
    rationale:
      "Age affects both training and health, so it is a confounder. To block that path we must look at each age apart, which is Method 2.",
    answer: "no",
  },
  {
    question: `${WORLD} Talent has a direct effect on fame. Luck has a direct effect on fame. For famous people, the correlation between talent and luck is -0.3. If we look at famous people, does it mean that talent does not affect luck?`,
    rationale:
      "Fame is a common effect of talent and luck. Looking at famous people only makes them correlate, though neither affects the other.",
    answer: "yes",
  },
  {
    question: `${WORLD} The switch has a direct effect on the lamp. The lamp has a direct effect on the room. We know that the switch being on causes the lamp to be on, and the lamp being on causes a bright room. Would the room be bright if the switch were off instead of on?`,
    rationale: "With the switch off the lamp is off. Without the lamp the room is not bright.",
    answer: "no",
  },
  {
    question: `${WORLD} Diet has a direct effect on weight. The overall probability of a diet is 50%. The probability of a diet and low weight is 30%. The probability of no diet and low weight is 10%. Is the chance of low weight larger when observing a diet?`,
    rationale:
      "P(low | diet) = 0.30 / 0.50 = 0.60. P(low | no diet) = 0.10 / 0.50 = 0.20. The first is larger by 0.40.",
    answer: "yes",
  },
  {
    question: `${WORLD} Study has a direct effect on skill. Skill has a direct effect on grade. For people who do not study, the probability of skill is 30%. For people who study, the probability of skill is 80%. For people without skill, the probability of a good grade is 25%. For people with skill, the probability of a good grade is 75%. Does study positively affect the grade through skill?`,
    rationale:
      "Study raises the probability of skill by 0.80 - 0.30 = 0.50. Skill raises the probability of a good grade by 0.75 - 0.25 = 0.50. The effect through skill is 0.50 * 0.50 = 0.25, which is positive.",
    answer: "yes",
  },
  {
    question: `${WORLD} The vaccine has a direct effect on illness. For people without the vaccine, the probability of illness is 48%. For people with the vaccine, the probability of illness is 11%. For people with the vaccine, would illness be less likely if they had not had it?`,
    rationale:
      "Without the vaccine their probability of illness would be 0.48, and with it it is 0.11. Illness would be more likely, not less.",
    answer: "no",
  },
];

/** Releases name the columns `question` and `answer`, or `prompt` and `label`; some keep world and conditions apart. */
function observation(row: Row): RawObservation {
  const asked = textColumn(row, "question", "prompt");
  // The test-*.csv files on the hub end with the conditions. Any answer to those would be as good as another.
  if (!asked.includes("?")) {
    throw new UserError(`${row.where}: expected a text that ends in a question, got ${shown(asked.slice(-60))}`);
  }
  return {
    question: `${joinedColumns(row, "background", "given_info")} ${asked}`.trimStart(),
    answer: textColumn(row, "answer", "label"),
  };
}

export const cladder: Dataset = {
  name: "cladder",
  description: "CLadder 1.5: causal questions; the answer is yes or no",
  defaults: {},
  format: plainFormat(),
  exemplars,
  verifier: yesNoVerifier(),
  maxTokens: 300,
  rationalize: true,
  idColumns: ["id", "question_id"],
  hub: "causal-nlp/CLadder",
  train: [["train"]],
  test: ["test"],
  whole: { names: ["full_v1.5_default"], isTest: (row) => TEST_IDS.has(Number(column(row, "id"))) },
  observation,
};
