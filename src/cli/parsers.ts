/** Readers of numbers in options that are not settings of a run. */

import { InvalidArgumentError } from "commander";

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
