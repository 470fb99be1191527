/** Exact rational numbers, so that 0.1 + 0.2 style rounding never decides whether an answer is right. */

/** A fraction in lowest terms; the denominator is positive. */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** Longer numbers are no answers to a question; reading them would only cost time. */
const MAX_DIGITS = 400;
const MAX_EXPONENT = 400;

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

/** numerator / denominator in lowest terms; null for division by zero. */
export function rational(numerator: bigint, denominator = 1n): Rational | null {
  if (denominator === 0n) return null;
  const divisor = greatestCommonDivisor(numerator, denominator) * (denominator < 0n ? -1n : 1n);
  return { numerator: numerator / divisor, denominator: denominator / divisor };
}

export function add(a: Rational, b: Rational): Rational | null {
  return rational(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator);
}

export function multiply(a: Rational, b: Rational): Rational | null {
  return rational(a.numerator * b.numerator, a.denominator * b.denominator);
}

export function divide(a: Rational, b: Rational): Rational | null {
  return rational(a.numerator * b.denominator, a.denominator * b.numerator);
}

/**
 * Reads an unsigned decimal: `1234`, `1,234.50`, `.5`; groups must be of three digits. The value is multiplied by
 * 10^exponent. Null when the text is not one such number.
 */
export function parseDecimal(text: string, exponent = 0): Rational | null {
  if (text.length > MAX_DIGITS || Math.abs(exponent) > MAX_EXPONENT) return null;
  const match = /^(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d+))?$/.exec(text);
  if (match === null) return null;
  const whole = (match[1] ?? "").replaceAll(",", "");
  const fraction = match[2] ?? "";
  if (whole === "" && fraction === "") return null;
  const digits = BigInt(whole + fraction);
  const shift = exponent - fraction.length;
  return shift >= 0 ? rational(digits * 10n ** BigInt(shift)) : rational(digits, 10n ** BigInt(-shift));
}

/** The one way a value is written: a plain decimal where it ends (`0.75`, `-15`, `1234`), else a fraction (`1/3`). */
export function formatRational({ numerator, denominator }: Rational): string {
  let places = 0;
  let rest = denominator;
  while (rest % 10n === 0n) {
    rest /= 10n;
    places++;
  }
  // What is left of a terminating decimal's denominator is a power of two or of five; each factor needs one more place.
  while (rest % 2n === 0n || rest % 5n === 0n) {
    rest /= rest % 2n === 0n ? 2n : 5n;
    places++;
  }
  if (rest !== 1n) return `${numerator}/${denominator}`;
  const scaled = (numerator * 10n ** BigInt(places)) / denominator;
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(places + 1, "0");
  const sign = scaled < 0n ? "-" : "";
  return places === 0 ? sign + digits : `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}
