/** Flags that a method does nothing with: no setting that somebody typed is ignored in silence. */

import type { Method } from "../../algorithm/methods.js";
import { UserError } from "../../errors.js";
import { methodOf, type ResolvedConfig } from "./config.js";
import { type ConfigKey, flagOf } from "./fields.js";

interface Rule {
  readonly keys: readonly ConfigKey[];
  readonly unless: (method: Method) => boolean;
  readonly reason: string;
}

const RULES: readonly Rule[] = [
  {
    keys: ["temperature"],
    unless: ({ temperature }) => temperature === "fixed",
    reason: "the temperature is chosen by balance score",
  },
  { keys: ["probes"], unless: ({ temperature }) => temperature === "balance", reason: "the temperature is fixed" },
  {
    keys: ["temperature", "topP"],
    unless: ({ completions }) => completions === "sampled",
    reason: "gold answers are trained on and nothing is sampled",
  },
  {
    keys: ["curriculumPower"],
    unless: ({ curriculum }) => curriculum === "gate",
    reason: "the curriculum has no gate",
  },
  {
    keys: ["steps", "stepsGrowth"],
    unless: ({ batch }) => batch === "schedule",
    reason: "everything correct is trained on once",
  },
  {
    keys: ["consistencySamples", "consistencyTemperature"],
    unless: ({ evaluations }) => evaluations.includes("self-consistency"),
    reason: "models are not tested by self-consistency",
  },
];

/**
 * Throws UserError naming the flags that the configured method does nothing with, and why. Files and presets may hold settings for several
 * methods and are not looked at.
 */
export function refuseIneffectiveFlags({ config, origins }: ResolvedConfig): void {
  // Whether hints suit the task changes none of the rules.
  const method = methodOf(config, { rationalize: config.rationalize ?? false });
  const complaints = RULES.filter(({ unless }) => !unless(method)).flatMap(({ keys, reason }) =>
    keys.filter((key) => origins[key] === "flags").map((key) => `${flagOf(key)} (${reason})`),
  );
  if (complaints.length === 0) return;
  throw new UserError(
    `expected flags that ${method.name} has a use for, got ${complaints.join(", ")}; leave them out or choose another method`,
  );
}
