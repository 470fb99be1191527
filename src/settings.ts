/**
 * What a setting is, and the kinds of values that settings take. The layers below `run` declare theirs with it (a task
 * its options), and `run/config` puts all of them together.
 */

import { homedir } from "node:os";
import { resolve } from "node:path";
import { z } from "zod";

/** How a flag's text becomes a value. */
type FieldKind = "number" | "boolean" | "text" | "path" | "list" | "number-or-word" | "path-or-word" | "path-or-hub";

/**
 * What a setting changes. `result`: what the run computes. `budget`: only how far it goes. `place`: where things are;
 * what is there is compared by content. `means`: only how the work is done, or what is kept.
 */
type FieldScope = "result" | "budget" | "place" | "means";

/** Commands that read a setting. `run` and `compare`, which follow a method from beginning to end, read all of them. */
export type Reader = "eval" | "tasks check" | "replay" | "replay --simulate";

export interface Field<T = unknown> {
  readonly schema: z.ZodType<T>;
  readonly kind: FieldKind;
  /** Completes "expected …". */
  readonly expects: string;
  readonly default: T;
  readonly description: string;
  readonly scope: FieldScope;
  /** The commands besides `run` and `compare` that take it. */
  readonly readBy: readonly Reader[];
  /** The value of runs that began before the setting existed; their default where left out. */
  readonly before?: T;
  /** For help: the allowed words of a choice. */
  readonly choices?: readonly string[];
}

export type Values<T> = Pick<Field<T>, "schema" | "kind" | "expects" | "choices">;

export const whole = (least: number): Values<number> => ({
  schema: z.int().min(least),
  kind: "number",
  expects: `a whole number of at least ${least}`,
});

export const between = (low: number, high: number, open: "closed" | "above-low" | "below-high"): Values<number> => {
  const above = open === "above-low" ? z.number().gt(low) : z.number().gte(low);
  return {
    schema: open === "below-high" ? above.lt(high) : above.lte(high),
    kind: "number",
    expects: `a number in ${open === "above-low" ? "(" : "["}${low}, ${high}${open === "below-high" ? ")" : "]"}`,
  };
};

export const positive: Values<number> = { schema: z.number().positive(), kind: "number", expects: "a number above 0" };
export const notNegative: Values<number> = {
  schema: z.number().nonnegative(),
  kind: "number",
  expects: "a number of at least 0",
};
export const atLeastOne: Values<number> = {
  schema: z.number().min(1),
  kind: "number",
  expects: "a number of at least 1",
};
export const yesOrNo: Values<boolean> = { schema: z.boolean(), kind: "boolean", expects: "true or false" };
export const text: Values<string> = { schema: z.string().min(1), kind: "text", expects: "a text that is not empty" };
export const source: Values<string> = {
  schema: z.string().min(1),
  kind: "path-or-hub",
  expects: "a path or hub:owner/name",
};
export const path: Values<string> = { schema: z.string().min(1), kind: "path", expects: "a path" };

export function oneOf<const W extends readonly [string, ...string[]]>(...words: W): Values<W[number]> {
  return { schema: z.enum(words), kind: "text", expects: `one of ${words.join(", ")}`, choices: words };
}

export function wholeOr<const W extends string>(least: number, word: W): Values<number | W> {
  return {
    schema: z.union([z.int().min(least), z.literal(word)]),
    kind: "number-or-word",
    expects: `a whole number of at least ${least}, or ${word}`,
    choices: [word],
  };
}

/** Also takes null: "not set", for settings whose default comes from elsewhere. */
export function optional<T>(values: Values<T>): Values<T | null> {
  return { ...values, schema: values.schema.nullable(), expects: `${values.expects}, or null` };
}

type FieldNotes<T> = Partial<Pick<Field<T>, "scope" | "readBy" | "before">>;

/** A row of a table of settings. Without notes it is a `result` that `run` and `compare` alone read. */
export function field<T>(
  values: Values<T>,
  fallback: NoInfer<T>,
  description: string,
  { scope = "result", readBy = [], ...more }: FieldNotes<NoInfer<T>> = {},
): Field<T> {
  return { ...values, default: fallback, description, scope, readBy, ...more };
}

/** Some of these words, each at most once, most important first. */
export function listOf<const W extends readonly [string, ...string[]]>(...words: W): Values<readonly W[number][]> {
  return {
    schema: z
      .array(z.enum(words))
      .min(1)
      .refine((list) => new Set(list).size === list.length),
    kind: "list",
    expects: `a list of ${words.join(", ")}, each at most once and at least one`,
    choices: words,
  };
}

/** A path as a setting states it, relative to `folder`; `~` is the home folder, also where no shell has replaced it. */
export function absolutePath(path: string, folder: string): string {
  return resolve(
    folder,
    path.replace(/^~(?=$|[\\/])/, () => homedir()),
  );
}

/** The flag of a key: `batchSize` → `--batch-size`. */
export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
