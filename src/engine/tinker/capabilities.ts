import type { Capabilities } from "../engine.js";

/** Requests that are at the server at once where nothing else is asked for. */
export const DEFAULT_IN_FLIGHT = 64;

export const TINKER_CAPABILITIES: Capabilities = {
  // Another session may batch requests in another way, or run on another device, and then sums in another order.
  exactRestore: false,
  // Servers compute in bfloat16, whose steps near −8 are 1/16.
  canaryTolerance: 0.25,
  checkpoints: "uri",
  sharesPrefix: false,
  maxInFlight: DEFAULT_IN_FLIGHT,
  // While the server works on one step, the next one is there already.
  stepsInFlight: 2,
  simulated: false,
};
