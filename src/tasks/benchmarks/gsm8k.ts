/**
 * GSM8K (Cobbe et al. 2021): grade-school mathematics in two to eight steps. Its own solutions are not shown to the
 * model.
 */

import { shown, UserError } from "../../errors.js";
import type { Dataset, RawObservation } from "../datasets/dataset.js";
import { plainFormat } from "../prompt.js";
import { type Row, textColumn } from "../sources/rows.js";
import type { Exemplar, Verifier } from "../task.js";
import { numberVerifier } from "../verifiers/index.js";

const exemplars: readonly Exemplar[] = [
  {
    question: "A baker makes 4 trays of 12 rolls and sells 31 rolls before noon. How many rolls are left?",
    rationale: "The baker makes 4 * 12 = 48 rolls. After selling 31 there are 48 - 31 = 17 rolls left.",
    answer: "17",
  },
  {
    question: "Tickets cost $9 for adults and $5 for children. How much do 3 adults and 4 children pay?",
    rationale:
      "The adults pay 3 * 9 = 27 dollars. The children pay 4 * 5 = 20 dollars. Together they pay 27 + 20 = 47 dollars.",
    answer: "47",
  },
  {
    question:
      "Ravi runs 6 kilometres every day from Monday to Friday and 11 kilometres on Saturday. How far does he run in 3 such weeks?",
    rationale:
      "From Monday to Friday he runs 5 * 6 = 30 kilometres. With Saturday he runs 30 + 11 = 41 kilometres a week. In 3 weeks he runs 3 * 41 = 123 kilometres.",
    answer: "123",
  },
  {
    question:
      "A coat costs $80. It is reduced by 25%, and then a coupon takes off another $10. What does the coat cost now?",
    rationale:
      "The reduction is 80 * 25 / 100 = 20 dollars, so the price is 80 - 20 = 60 dollars. With the coupon it is 60 - 10 = 50 dollars.",
    answer: "50",
  },
  {
    question: "Sofia is twice as old as Max. In 5 years Max will be 14. How old is Sofia now?",
    rationale: "Max is 14 - 5 = 9 years old now. Sofia is 2 * 9 = 18 years old.",
    answer: "18",
  },
  {
    question:
      "A tank holds 240 litres. One third of it is used in the morning and half of the rest in the evening. How many litres remain?",
    rationale:
      "In the morning 240 / 3 = 80 litres are used, which leaves 240 - 80 = 160. In the evening 160 / 2 = 80 litres are used, which leaves 160 - 80 = 80.",
    answer: "80",
  },
  {
    question: "A printer makes 15 pages a minute. How many minutes does it take for 4 reports of 45 pages each?",
    rationale: "The reports have 4 * 45 = 180 pages. At 15 pages a minute that takes 180 / 15 = 12 minutes.",
    answer: "12",
  },
  {
    question:
      "A school has 1,250 pupils. 14 classes of 25 are on a trip, and 60 pupils are ill. How many pupils are at school?",
    rationale:
      "On the trip are 14 * 25 = 350 pupils. With those who are ill 350 + 60 = 410 are away. At school are 1250 - 410 = 840 pupils.",
    answer: "840",
  },
];

const MARK = "####";

/** What follows the last `####` of a released solution; any other text as it is. */
function finalAnswer(solution: string): string {
  const mark = solution.lastIndexOf(MARK);
  return mark < 0 ? solution : solution.slice(mark + MARK.length);
}

const numbers = numberVerifier({ units: true, percent: true });

/** Outputs that are graded come with the gold answer alone, or with the whole released solution. */
const verifier: Verifier = { ...numbers, canonical: (answer) => numbers.canonical(finalAnswer(answer)) };

function observation(row: Row): RawObservation {
  const solution = textColumn(row, "answer");
  if (!solution.includes(MARK))
    throw new UserError(`${row.where}: expected a solution ending in "${MARK} number", got ${shown(solution)}`);
  return { question: textColumn(row, "question"), answer: finalAnswer(solution) };
}

export const gsm8k: Dataset = {
  name: "gsm8k",
  description: "GSM8K: grade-school mathematics in several steps; the answer is a number",
  defaults: {},
  format: plainFormat(),
  exemplars,
  verifier,
  maxTokens: 440,
  rationalize: false,
  idColumns: ["id"],
  hub: "openai/gsm8k",
  folders: ["main"],
  train: [["train"]],
  test: ["test"],
  // The same questions with solutions as dialogues.
  leaveOut: ["socratic"],
  observation,
};
