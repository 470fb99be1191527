/** CommonsenseQA (Talmor et al. 2019): everyday knowledge with five options. */

import { choiceObservation, choices } from "../datasets/answer-options.js";
import type { Dataset } from "../datasets/dataset.js";
import { bracketed, plainFormat } from "../prompt.js";
import type { Exemplar } from "../task.js";
import { choiceVerifier } from "../verifiers/index.js";

const exemplars: readonly Exemplar[] = [
  {
    question: "Where would you keep milk so that it stays fresh?",
    options: choices("cupboard", "window sill", "refrigerator", "oven", "garden"),
    rationale: "Milk spoils when it is warm, so it must be kept cold. Of these only a refrigerator is cold.",
    answer: "C",
  },
  {
    question: "What do people usually do before they cross a busy street?",
    options: choices("look both ways", "sit down", "close their eyes", "sing", "read a book"),
    rationale: "Cars on a busy street are dangerous. To be safe people look whether any are coming from either side.",
    answer: "A",
  },
  {
    question: "If somebody is very thirsty after a run, what do they most likely want?",
    options: choices("a pillow", "a coat", "bread", "a ticket", "water"),
    rationale: "Thirst is the wish to drink. The only thing to drink here is water.",
    answer: "E",
  },
  {
    question: "Where do you go to borrow a novel for free?",
    options: choices("bakery", "library", "bookshop", "stadium", "station"),
    rationale: "A bookshop sells novels. A library lends them, and borrowing is free.",
    answer: "B",
  },
  {
    question: "What would a carpenter use to drive a nail into a board?",
    options: choices("saw", "paint", "ruler", "hammer", "glue"),
    rationale: "A nail is driven in by blows. The tool for blows is a hammer.",
    answer: "D",
  },
  {
    question: "Why might a child smile while opening a parcel?",
    options: choices("pain", "joy", "tiredness", "anger", "fear"),
    rationale: "A smile shows a good feeling. Of these only joy is a good feeling.",
    answer: "B",
  },
  {
    question: "Where is a lot of sand found that no rain falls on for months?",
    options: choices("forest", "lake", "swamp", "desert", "meadow"),
    rationale:
      "A place with sand and almost no rain is dry. Forests, lakes, swamps and meadows are wet. A desert is dry and sandy.",
    answer: "D",
  },
];

export const commonsenseQa: Dataset = {
  name: "commonsense_qa",
  description: "CommonsenseQA: everyday knowledge; the answer is one of five options",
  defaults: {},
  format: plainFormat({ writeAnswer: bracketed }),
  exemplars,
  verifier: choiceVerifier(),
  maxTokens: 159,
  rationalize: true,
  idColumns: ["id"],
  hub: "tau/commonsense_qa",
  train: [["train"]],
  // The public test split has no labels: the validation split is what is reported.
  test: ["dev", "validation", "test"],
  observation: choiceObservation,
};
