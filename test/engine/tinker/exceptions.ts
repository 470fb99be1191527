/** Where a server that speaks the Tinker API keeps less than the engine's contract, and why. */
export const LOSSY_EXCEPTIONS = [
  {
    reason: "the API has no clipping of gradients",
    tests: ["clips the gradient, and reports its norm before that"],
  },
  {
    reason: "the API has AdamW only",
    tests: ["decays weights with the gradient for adam, apart from it for adamw"],
  },
  {
    reason: "the server ends at tokens; stop texts are cut here, and what was written after them counts",
    tests: ["ends before the first stop text, which is a token"],
  },
];
