/** Methods put together from parts: one method's row with some of its fields replaced, checked for sense. */

import { shown, UserError } from "../errors.js";
import type { EvaluationKind, Method, MethodOverrides, QueueKeyField } from "./methods.js";

/** Largest K: win rates are kept as two bytes an observation. */
const MAX_TRIES = 255;

const CHOICES = {
  completions: ["sampled", "gold"],
  visits: ["queue", "random", "all"],
  curriculum: ["gate", "all"],
  retry: ["failures", "always"],
  rationalize: [true, false],
  batch: ["schedule", "all"],
  start: ["reset", "accumulate"],
  temperature: ["fixed", "balance"],
} as const satisfies { readonly [Field in keyof MethodOverrides]: readonly Method[Field][] };

/** Fields whose value is a list of some of these, each at most once and at least one. */
const LISTS = {
  queueKey: ["lastSampled", "winRate"],
  evaluations: ["zero-shot", "few-shot", "self-consistency"],
} as const satisfies { readonly queueKey: readonly QueueKeyField[]; readonly evaluations: readonly EvaluationKind[] };

/**
 * `base` with `overrides` in place of its own fields; `base` itself when they change nothing. A changed method carries the changes in
 * its name. Throws UserError, with the reason and what to set instead, for values out of range and for parts that cannot work
 * together or of which one would have no effect.
 */
export function combineMethod(base: Method, overrides: MethodOverrides): Method {
  checkValues(overrides);
  const changes = Object.entries(overrides).filter(
    ([field, value]) => value !== undefined && JSON.stringify(value) !== JSON.stringify(base[field as keyof Method]),
  );
  if (changes.length === 0) {
    // A part that has no effect is refused even where it says what the method has anyway.
    checkSense(base, overrides);
    return base;
  }
  const method: Method = {
    ...base,
    ...(Object.fromEntries(changes) as MethodOverrides),
    name: `${base.name} with ${changes.map(([field, value]) => `${field}=${plain(value)}`).join(", ")}`,
    source: `${base.source}; combined`,
  };
  checkSense(method, overrides);
  return method;
}

function plain(value: unknown): string {
  return Array.isArray(value) ? value.join("+") : String(value);
}

function checkValues(overrides: MethodOverrides): void {
  for (const [field, value] of Object.entries(overrides)) {
    if (value === undefined) continue;
    if (Object.hasOwn(CHOICES, field)) {
      const choices: readonly unknown[] = CHOICES[field as keyof typeof CHOICES];
      if (!choices.includes(value)) refuse(field, choices.map(String).join(" or "), value);
    } else if (field === "tries") {
      if (!isWholeNumber(value, MAX_TRIES)) refuse(field, `a whole number from 1 to ${MAX_TRIES}`, value);
    } else if (field === "keepPerObservation") {
      if (value !== null && !isWholeNumber(value, MAX_TRIES)) {
        refuse(field, `a whole number from 1 to ${MAX_TRIES}, or null to keep all`, value);
      }
    } else if (Object.hasOwn(LISTS, field)) {
      const words: readonly string[] = LISTS[field as keyof typeof LISTS];
      const listed: readonly unknown[] = Array.isArray(value) ? value : [];
      const known = listed.every((word) => words.some((allowed) => allowed === word));
      if (listed.length === 0 || !known || new Set(listed).size < listed.length) {
        refuse(field, `a list of ${words.join(" and ")}, each at most once`, value);
      }
    } else {
      const parts = [...Object.keys(CHOICES), "tries", "keepPerObservation", ...Object.keys(LISTS)];
      throw new UserError(`expected a part of a method: ${parts.join(", ")}, got ${shown(field)}`);
    }
  }
}

function isWholeNumber(value: unknown, largest: number): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= largest;
}

function refuse(field: string, expected: string, value: unknown): never {
  throw new UserError(`expected ${field} to be ${expected}, got ${shown(value)}`);
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
