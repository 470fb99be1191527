/** The parts of a method as settings. A setting that is null leaves its part to the method. */

import type { MethodOverrides } from "../../algorithm/methods.js";
import { PART_NAMES, PARTS, type Part, type PartSettings, settingOf } from "../../algorithm/parts.js";
import { type Field, field, listOf, oneOf, optional, type Values, whole, wholeOr, yesOrNo } from "../../settings.js";

/** The word for a part's null. */
const ALL = "all";

type OptionalParts = { readonly [K in keyof PartSettings]: PartSettings[K] | null };

/** A setting for each part of a method (algorithm/parts.ts). */
export const partFields = Object.fromEntries(
  PART_NAMES.map((name) => {
    const part: Part = PARTS[name];
    const description = `${part.description}; ${part.unset ?? "the method's when not set"}`;
    return [settingOf(name), field(optional(valuesOf(part)), null, description, { readBy: part.readBy })];
  }),
) as unknown as { readonly [K in keyof OptionalParts]: Field<OptionalParts[K]> };

function valuesOf(part: Part): Values<unknown> {
  switch (part.kind) {
    case "choice":
      return oneOf(...part.words);
    case "list":
      return listOf(...part.words);
    case "yes or no":
      return yesOrNo;
    case "count":
      return whole(1);
    case "count or all":
      return wholeOr(1, ALL);
  }
}

/** The parts that `settings` replace, as the algorithm has them. */
export function statedParts(settings: OptionalParts): MethodOverrides {
  const stated = PART_NAMES.flatMap((name) => {
    const value = settings[settingOf(name)];
    if (value === null) return [];
    return [[name, PARTS[name].kind === "count or all" && value === ALL ? null : value]];
  });
  return Object.fromEntries(stated) as MethodOverrides;
}
