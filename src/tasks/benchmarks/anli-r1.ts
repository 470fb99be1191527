/** ANLI, round 1 (Nie et al. 2020): does a passage make a claim true, false, or neither? */

import type { Dataset, RawObservation } from "../datasets/dataset.js";
import { plainFormat } from "../prompt.js";
import { type Row, textColumn } from "../sources/rows.js";
import type { AnswerOption, Exemplar } from "../task.js";
import { choiceVerifier } from "../verifiers/index.js";

/** The words themselves are the labels; the question explains them, so prompts list no options. */
const LABELS: readonly AnswerOption[] = ["entailment", "neutral", "contradiction"].map((label) => ({
  label,
  text: "",
}));
/** How releases write the gold label. */
const ALIASES = {
  0: "entailment",
  1: "neutral",
  2: "contradiction",
  e: "entailment",
  n: "neutral",
  c: "contradiction",
};

function question(premise: string, hypothesis: string): string {
  return `Premise: ${premise}\nHypothesis: ${hypothesis}\nDoes the premise make the hypothesis true (entailment), false (contradiction), or neither (neutral)?`;
}

const exemplars: readonly Exemplar[] = [
  {
    question: question(
      "The Vela is a river of 84 km in the north of the country. It flows into Lake Orin.",
      "The Vela is longer than 50 km.",
    ),
    rationale: "The premise says the river has 84 km, and 84 is more than 50.",
    answer: "entailment",
  },
  {
    question: question(
      "Nora Lind (born 1961) is a painter who has lived in Oslo since 1990.",
      "Nora Lind was born in Oslo.",
    ),
    rationale: "The premise says where she lives, not where she was born. She may or may not have been born there.",
    answer: "neutral",
  },
  {
    question: question(
      "The museum opened in 1902 and was closed for good in 1950.",
      "People visited the museum in 1975.",
    ),
    rationale: "The museum was closed for good in 1950, so nobody could visit it in 1975.",
    answer: "contradiction",
  },
  {
    question: question(
      '"Low Tide" is the second album of the band Harbour, after "Dunes". It sold 20,000 copies.',
      '"Low Tide" sold better than "Dunes".',
    ),
    rationale: "The premise gives the sales of one album only, so the two cannot be compared.",
    answer: "neutral",
  },
  {
    question: question(
      "Tomas Ruiz played for three clubs and never scored more than five goals in a season.",
      "Tomas Ruiz scored eight goals in one season.",
    ),
    rationale: "Eight is more than five, and he never scored more than five.",
    answer: "contradiction",
  },
  {
    question: question(
      "The town hall, built of red brick in 1880, is the oldest building of Milton.",
      "No building of Milton is older than its town hall.",
    ),
    rationale: "If the town hall is the oldest building, none is older.",
    answer: "entailment",
  },
  {
    question: question(
      "Kestrel Air flies to nine cities, all of them in Canada.",
      "Kestrel Air flies to Paris in France.",
    ),
    rationale: "All its cities are in Canada, and Paris in France is not.",
    answer: "contradiction",
  },
  {
    question: question(
      "The novel appeared in Spanish in 1988 and was translated into English two years later.",
      "The novel could be read in English in 1995.",
    ),
    rationale: "The English translation came in 1990, which is before 1995.",
    answer: "entailment",
  },
];

function observation(row: Row): RawObservation {
  return {
    question: question(textColumn(row, "premise", "context"), textColumn(row, "hypothesis")),
    options: LABELS,
    answer: textColumn(row, "label"),
  };
}

export const anliR1: Dataset = {
  name: "anli_r1",
  description: "ANLI round 1: language inference; the answer is entailment, neutral or contradiction",
  defaults: {},
  format: plainFormat({ writeOptions: () => "" }),
  exemplars,
  verifier: choiceVerifier(LABELS, ALIASES),
  maxTokens: 128,
  rationalize: true,
  idColumns: ["uid", "train_index"],
  hub: "facebook/anli",
  folders: ["plain_text", "R1"],
  train: [["train"]],
  test: ["test", "dev"],
  leaveOut: ["r2", "r3"],
  trainLimit: 10_000,
  observation,
};
