/**
 * SVAMP (Patel et al. 2021): one-step sums hidden in short stories. The exemplars state nothing but the sums: a small
 * base model keeps to that form from the start, and a generation takes about 25 tokens.
 */

import type { Dataset, RawObservation } from "../datasets/dataset.js";
import { plainFormat } from "../prompt.js";
import { optionalColumn, type Row, textColumn } from "../sources/rows.js";
import type { Exemplar } from "../task.js";
import { numberVerifier } from "../verifiers/index.js";

const exemplars: readonly Exemplar[] = [
  {
    question: "A shelf holds 8 red books and 5 blue books. How many books are on the shelf?",
    rationale: "8 + 5 = 13.",
    answer: "13",
  },
  {
    question:
      "Omar had 17 marbles. He gave some to his sister and now has 9 marbles. How many marbles did he give to his sister?",
    rationale: "17 - 9 = 8.",
    answer: "8",
  },
  {
    question: "There are 6 boxes with 7 pencils in each box. How many pencils are there?",
    rationale: "6 * 7 = 42.",
    answer: "42",
  },
  {
    question:
      "A farmer packs 72 eggs into cartons. Each carton takes 12 eggs and 4 cartons fit on a shelf. How many cartons does the farmer fill?",
    rationale: "72 / 12 = 6.",
    answer: "6",
  },
  {
    question:
      "Lena read 14 pages on Monday, 9 pages on Tuesday and 11 pages on Friday. How many pages did she read on Monday and Tuesday together?",
    rationale: "14 + 9 = 23.",
    answer: "23",
  },
  {
    question:
      "A bus had 31 passengers. At a stop 12 got off and some got on. Then there were 25 passengers on the bus. How many got on at the stop?",
    rationale: "31 - 12 = 19. 25 - 19 = 6.",
    answer: "6",
  },
  {
    question: "Ben has 45 stamps. Ben has 18 more stamps than Ana. How many stamps do they have together?",
    rationale: "45 - 18 = 27. 45 + 27 = 72.",
    answer: "72",
  },
  {
    question:
      "Each ticket costs 4 dollars. Mia bought 9 tickets and had 15 dollars left. How many dollars did she have at first?",
    rationale: "9 * 4 = 36. 36 + 15 = 51.",
    answer: "51",
  },
];

/** Rows have the story and the question apart, and in most releases also joined. */
function observation(row: Row): RawObservation {
  const question =
    optionalColumn(row, "question_concat") === undefined
      ? `${textColumn(row, "Body", "body")} ${textColumn(row, "question", "Question")}`
      : textColumn(row, "question_concat");
  return { question: question.replace(/\s+/g, " "), answer: textColumn(row, "answer", "Answer") };
}

export const svamp: Dataset = {
  name: "svamp",
  description: "SVAMP: one-step sums in short stories; the answer is a number",
  defaults: { temperature: 0.8, learningRate: 2e-5, maxGradientNorm: 1 },
  format: plainFormat(),
  exemplars,
  verifier: numberVerifier({ units: true }),
  maxTokens: 130,
  rationalize: false,
  idColumns: ["ID", "id"],
  hub: "ChilleD/SVAMP",
  train: [["train"]],
  test: ["test", "dev"],
  observation,
};
