/** Parsers of numbers in options that are not settings of a run. */

import { InvalidArgumentError } from "commander";
import { shown, UserError } from "../errors.js";

export function numberIn(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (value >= least && value <= most) return value;
    const low = least === Number.MIN_VALUE ? "above 0" : `of at least ${least}`;
    throw new InvalidArgumentError(
      `Expected a number ${low}${most === Number.MAX_VALUE ? "" : ` and at most ${most}`}.`,
    );
  };
}

export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`Expected a whole number of at least ${least}.`);
  };
}

/** Seeds such as `3,4,5`; `3,` is a list of one. Throws UserError naming the option. */
export function seedList(text: string, option: string): number[] {
  const parts = text.replace(/,\s*$/, "").split(",");
  const seeds = parts.map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (!seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0)) {
    throw new UserError(
      `${option}: expected how many seeds, or a list of whole numbers such as 3,4,5, got ${shown(text)}`,
    );
  }
  return seeds;
}
