/** Flags that a method does nothing with: no setting that somebody typed is ignored in silence. */

import type { Method } from "../../algorithm/methods.js";
import { UserError } from "../../errors.js";
import { flagOf } from "../../settings.js";
import { methodOf, type ResolvedConfig } from "./config.js";
import type { ConfigKey } from "./fields.js";

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
    keys: ["temperature"],
    unless: ({ completions }) => completions === "sampled",
    reason: "gold answers are trained on and nothing is sampled",
  },
  {
    keys: ["topP"],
    unless: ({ completions, evaluations }) => completions === "sampled" || evaluations.includes("self-consistency"),
    reason: "gold answers are trained on, and tests are greedy",
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
export function refuseIneffectiveFlags(resolved: ResolvedConfig): void {
  refuseFlagsWithoutUse([resolved]);
}

/** The same for several methods: a flag that one of them has a use for is fine. */
export function refuseFlagsWithoutUse(all: readonly ResolvedConfig[]): void {
  // Whether hints suit the task changes none of the rules.
  const methods = all.map(({ config }) => methodOf(config, { rationalize: config.rationalize ?? false }));
  const complaints = complaintsAbout(methods[0]).filter(
    ({ key }) =>
      all.every(({ origins }) => origins[key] === "flags") &&
      methods.every((method) => complaintsAbout(method).some((other) => other.key === key)),
  );
  if (complaints.length === 0) return;
  const listed = complaints.map(({ key, reason }) => `${flagOf(key)} (${reason})`).join(", ");
  const names = methods.map(({ name }) => name).join(", ");
  throw new UserError(
    methods.length === 1
      ? `expected flags that ${names} has a use for, got ${listed}; leave them out or choose another method`
      : `expected flags that one of ${names} has a use for, got ${listed}; leave them out or choose other methods`,
  );
}

function complaintsAbout(method: Method): readonly { readonly key: ConfigKey; readonly reason: string }[] {
  return RULES.filter(({ unless }) => !unless(method)).flatMap(({ keys, reason }) =>
    keys.map((key) => ({ key, reason })),
  );
}
