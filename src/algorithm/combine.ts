/** Methods put together from parts: one method's row with some of its parts replaced, checked for sense. */

import { shown, UserError } from "../errors.js";
import type { Method, MethodOverrides } from "./methods.js";
import { MAX_TRIES, PART_NAMES, PARTS, type Part, type PartName } from "./parts.js";

/**
 * `base` with `overrides` in place of its own parts, or `base` itself if they change nothing. A changed method has the
 * changes in its name. Throws UserError, with the reason and what to set instead, for values out of range, for parts
 * that cannot work together and for a part that would have no effect.
 */
export function combineMethod(base: Method, overrides: MethodOverrides): Method {
  checkValues(overrides);
  const changes = Object.entries(overrides).filter(
    ([name, value]) => value !== undefined && JSON.stringify(value) !== JSON.stringify(base[name as PartName]),
  );
  if (changes.length === 0) {
    // A part that has no effect is refused even where it says what the method has anyway.
    checkSense(base, overrides);
    return base;
  }
  const method: Method = {
    ...base,
    ...(Object.fromEntries(changes) as MethodOverrides),
    name: `${base.name} with ${changes.map(([name, value]) => `${name}=${plain(value)}`).join(", ")}`,
    source: `${base.source}; combined`,
  };
  checkSense(method, overrides);
  return method;
}

function plain(value: unknown): string {
  return Array.isArray(value) ? value.join("+") : String(value);
}

function checkValues(overrides: MethodOverrides): void {
  for (const [name, value] of Object.entries(overrides)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(PARTS, name)) {
      throw new UserError(`expected a part of a method: ${PART_NAMES.join(", ")}, got ${shown(name)}`);
    }
    const { accepts, expects } = rangeOf(PARTS[name as PartName]);
    if (!accepts(value)) throw new UserError(`expected ${name} to be ${expects}, got ${shown(value)}`);
  }
}

interface Range {
  /** Completes "expected … to be". */
  readonly expects: string;
  readonly accepts: (value: unknown) => boolean;
}

function rangeOf(part: Part): Range {
  switch (part.kind) {
    case "choice":
      return { expects: part.words.join(" or "), accepts: (value) => isOneOf(part.words, value) };
    case "list":
      return {
        expects: `a list of ${part.words.join(" and ")}, each at most once`,
        accepts: (value) =>
          Array.isArray(value) &&
          value.length > 0 &&
          value.every((word) => isOneOf(part.words, word)) &&
          new Set(value).size === value.length,
      };
    case "yes or no":
      return { expects: "true or false", accepts: (value) => typeof value === "boolean" };
    case "count":
      return { expects: `a whole number from 1 to ${MAX_TRIES}`, accepts: isCount };
    case "count or all":
      return {
        expects: `a whole number from 1 to ${MAX_TRIES}, or null to keep all`,
        accepts: (value) => value === null || isCount(value),
      };
  }
}

function isOneOf(words: readonly string[], value: unknown): boolean {
  return words.some((word) => word === value);
}

function isCount(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_TRIES;
}

function checkSense(method: Method, overrides: MethodOverrides): void {
  const { completions, visits, curriculum, tries, retry, rationalize, keepPerObservation, batch, temperature } = method;
  const refuseIf = (impossible: boolean, what: string, reason: string): void => {
    if (impossible) throw new UserError(`expected parts that work together, got ${what} (${method.name}): ${reason}`);
  };
  const gold = completions === "gold";
  refuseIf(
    gold && visits !== "all",
    `completions=gold and visits=${visits}`,
    "nothing is sampled, so there are no win rates to order by and no samples to stop at. Set completions=sampled or visits=all",
  );
  refuseIf(
    gold && (tries > 1 || retry === "always" || rationalize || keepPerObservation !== null),
    "completions=gold and several tries, hints or a cap on what is kept",
    "nothing is sampled: there is one gold answer an observation. Set tries=1, retry=failures, rationalize=false and keepPerObservation=all (in code: null), or completions=sampled",
  );
  refuseIf(
    gold && temperature === "balance",
    "completions=gold and temperature=balance",
    "nothing is sampled, so there is no temperature to choose. Set the temperature policy to fixed, or completions=sampled",
  );
  refuseIf(
    visits !== "all" && batch === "all",
    `visits=${visits} and batch=all`,
    "observations are visited until βᵗ correct samples are there, and with batch=all there is no βᵗ to stop at. Set batch=schedule or visits=all",
  );
  refuseIf(
    visits !== "queue" && curriculum === "gate",
    `visits=${visits} and curriculum=gate`,
    `the gate holds back updates of the queue, and with visits=${visits} the queue decides nothing. Set curriculum=all or visits=queue`,
  );
  refuseIf(
    visits !== "queue" && overrides.queueKey !== undefined,
    `visits=${visits} and a queueKey`,
    `with visits=${visits} the queue decides nothing. Leave queueKey out or set visits=queue`,
  );
  refuseIf(
    rationalize && tries === 1,
    "rationalize=true and tries=1",
    "the hint is given from the second try on. Set rationalize=false, or tries of 2 or more",
  );
  refuseIf(
    rationalize && retry === "always",
    "rationalize=true and retry=always",
    "the hint is for observations whose tries failed, not for those already solved. Set rationalize=false or retry=failures",
  );
  refuseIf(
    keepPerObservation !== null && retry === "failures",
    `keepPerObservation=${keepPerObservation} and retry=failures`,
    "an observation is not tried again once solved, so it never has more than one correct sample. Set keepPerObservation=all (in code: null) or retry=always",
  );
  refuseIf(
    keepPerObservation !== null && keepPerObservation >= tries,
    `keepPerObservation=${keepPerObservation} and tries=${tries}`,
    "an observation never has more correct samples than tries, so the cap would cut nothing. Lower keepPerObservation, raise tries, or set keepPerObservation=all (in code: null)",
  );
  refuseIf(
    tries === 1 && overrides.retry !== undefined && !gold,
    `tries=1 and retry=${retry}`,
    "there is no further try to draw or to leave. Leave retry out, or set tries of 2 or more",
  );
}
