/** ARC-Challenge (Clark et al. 2018): school science questions with three to five options. */

import { choiceObservation, choices } from "../datasets/answer-options.js";
import type { Dataset } from "../datasets/dataset.js";
import { bracketed, plainFormat } from "../prompt.js";
import type { Exemplar } from "../task.js";
import { choiceVerifier } from "../verifiers/index.js";

const exemplars: readonly Exemplar[] = [
  {
    question: "Which material would make the best handle for a cooking pot?",
    options: choices("copper", "wood", "steel", "aluminium"),
    rationale:
      "A handle should stay cool, so it must conduct heat badly. Copper, steel and aluminium are metals and conduct heat well. Wood does not.",
    answer: "B",
  },
  {
    question: "Why does the Moon seem to shine at night?",
    options: choices(
      "It burns gas.",
      "It stores heat from the day.",
      "It glows by itself.",
      "It reflects light from the Sun.",
    ),
    rationale: "The Moon makes no light of its own. We see it because sunlight falls on it and is reflected to Earth.",
    answer: "D",
  },
  {
    question: "A puddle disappears on a sunny afternoon. What happened to most of the water?",
    options: choices("It evaporated.", "It froze.", "It condensed.", "It melted."),
    rationale:
      "The Sun warms the water, and warm liquid water turns into vapour in the air. That change is evaporation.",
    answer: "A",
  },
  {
    question: "In a meadow hawks eat mice and mice eat seeds. What most likely happens first if all the hawks leave?",
    options: choices("There are fewer mice.", "The seeds grow faster.", "There are more mice.", "The mice eat hawks."),
    rationale: "Hawks eat mice. Without hawks fewer mice are eaten, so their number grows.",
    answer: "C",
  },
  {
    question:
      "A student pushes a box with the same force on ice and on carpet. Why does the box slide farther on the ice?",
    options: choices(
      "The box is lighter on ice.",
      "There is less friction on ice.",
      "Gravity is weaker on ice.",
      "Ice pulls the box.",
    ),
    rationale:
      "The force and the box are the same, so the surface makes the difference. Ice is smooth and slows the box less, because there is less friction.",
    answer: "B",
  },
  {
    question: "Which of these is passed on from parents to their child through genes?",
    options: choices("a scar", "a language", "eye colour", "a favourite song"),
    rationale:
      "Scars, languages and favourite songs are acquired in life. Eye colour is fixed by the genes of the parents.",
    answer: "C",
  },
];

export const arcChallenge: Dataset = {
  name: "arc_challenge",
  description: "ARC-Challenge: school science; the answer is one of three to five options",
  defaults: {},
  format: plainFormat({ writeAnswer: bracketed }),
  exemplars,
  verifier: choiceVerifier(),
  maxTokens: 381,
  rationalize: true,
  idColumns: ["id"],
  hub: "allenai/ai2_arc",
  folders: ["ARC-Challenge"],
  // The paper trains on the validation questions as well.
  train: [["train"], ["validation", "dev"]],
  test: ["test"],
  observation: choiceObservation,
};
