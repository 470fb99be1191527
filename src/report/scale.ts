/** Scales of charts, and how numbers and texts are written into SVG and HTML. */

/** Approximate number on each axis. */
const TICKS = 5;

export interface Range {
  readonly low: number;
  readonly high: number;
}

export function range(values: readonly number[]): Range {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return { low: 0, high: 1 };
  const low = finite.reduce((least, value) => Math.min(least, value));
  const high = finite.reduce((most, value) => Math.max(most, value));
  return high > low ? { low, high } : { low: low - 0.5, high: high + 0.5 };
}

/** Round values within the range: multiples of 1, 2 or 5 times a power of ten. */
export function ticksOf({ low, high }: Range): number[] {
  const rough = (high - low) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

export function place(value: number, { low, high }: Range, from: number, to: number): number {
  return from + ((value - low) / (high - low)) * (to - from);
}

export function fixed(value: number): string {
  return value.toFixed(1);
}

/** Text that markup shows as it is, whatever is in it. */
export function escapeMarkup(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
