/** Refuses flags that the chosen method does not use, so that no setting that a user typed is silently ignored. */

import type { Method } from "../../algorithm/methods.js";
import { UserError } from "../../errors.js";
import { flagOf } from "../../settings.js";
import { methodOf, type ResolvedConfig } from "./config.js";
import { type ConfigKey, configKeys, fieldOf } from "./fields.js";

/**
 * Throws UserError naming the flags that the configured method does not use, and why. Files and presets may hold
 * settings for several methods, so they are not checked.
 */
export function refuseIneffectiveFlags(resolved: ResolvedConfig): void {
  refuseFlagsWithoutUse([resolved]);
}

/** The same for several methods: a flag is fine if one of them uses it. */
export function refuseFlagsWithoutUse(all: readonly ResolvedConfig[]): void {
  // Whether hints suit the task does not matter here.
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
  return configKeys.flatMap((key) => {
    const { needs = [] } = fieldOf(key);
    return needs.filter(({ holds }) => !holds(method)).map(({ otherwise }) => ({ key, reason: otherwise }));
  });
}
