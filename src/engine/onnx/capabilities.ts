import type { Capabilities } from "../engine.js";

/** Sequences that are generated at once, where memory allows it. */
export const DEFAULT_SLOTS = 64;

export const ONNX_CAPABILITIES: Capabilities = {
  exactRestore: true,
  // Another number of threads sums in another order, which changes logits by less than this; other weights change them
  // by more.
  canaryTolerance: 1e-3,
  checkpoints: "folder",
  sharesPrefix: true,
  maxInFlight: DEFAULT_SLOTS,
  stepsInFlight: 1,
  simulated: false,
};
