/** The verifiers: how an output's final answer is found and compared with the gold answer. */

import type { Verifier } from "../task.js";
import { choiceVerifier } from "./choice.js";
import { exactVerifier } from "./exact.js";
import { numberVerifier } from "./number.js";
import { yesNoVerifier } from "./yes-no.js";

export { choiceVerifier } from "./choice.js";
export { exactVerifier } from "./exact.js";
export { type NumberVerifierOptions, numberVerifier } from "./number.js";
export { yesNoVerifier } from "./yes-no.js";

export const VERIFIER_KINDS = ["number", "choice", "yes-no", "exact"] as const;
export type VerifierKind = (typeof VERIFIER_KINDS)[number];

/** The verifier of one kind, for data without a task of its own. Numbers may carry units, but no percent sign. */
export function verifierOf(kind: VerifierKind): Verifier {
  switch (kind) {
    case "number":
      return numberVerifier({ units: true });
    case "choice":
      return choiceVerifier();
    case "yes-no":
      return yesNoVerifier();
    case "exact":
      return exactVerifier();
  }
}
