/**
 * Numbers as people read them: three significant digits, units spelled out, a thin dash for what is not there.
 * Locale-free.
 */

/** Stands for a value that does not exist. */
export const ABSENT = "–";

const FLOP_UNITS = ["FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP"] as const;

/** `1.23e12` → `1.23 TFLOP`. Floating-point operations, not operations per second. */
export function formatFlops(flops: number): string {
  if (!Number.isFinite(flops)) return ABSENT;
  let value = flops;
  let unit = 0;
  // 999.5 would round to 1,000 of its unit, so the next unit comes first.
  while (Math.abs(value) >= 999.5 && unit < FLOP_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? String(Math.round(value)) : significant(value, 3)} ${FLOP_UNITS[unit]}`;
}

/** A share in [0, 1] → `81.3 %`; null → a dash. */
export function formatPercent(share: number | null, digits = 1): string {
  return share === null || !Number.isFinite(share) ? ABSENT : `${withMinus((100 * share).toFixed(digits))} %`;
}

/** A difference of two shares in percentage points, with its sign. */
export function formatPoints(difference: number): string {
  const text = withMinus((100 * difference).toFixed(1));
  return text.startsWith("−") ? text : `+${text}`;
}

/** A number with a typographic minus sign, and none before zero. */
function withMinus(text: string): string {
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/** Seconds → `0.8 s`, `42 s`, `2 min 05 s`, `1 h 02 min`, `3 d 04 h`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return ABSENT;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${twoDigits(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
  const hours = Math.round(seconds / 3600);
  return `${Math.floor(hours / 24)} d ${twoDigits(hours % 24)} h`;
}

/** A count with thousands separators: `6210` → `6,210`. */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return ABSENT;
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Parameters: `1.2M`, `135M`, `3.2B`. */
export function formatParameters(count: number): string {
  if (!Number.isFinite(count)) return ABSENT;
  if (count < 999.5) return String(Math.round(count));
  const [scale, unit] = count < 999_500 ? [1e3, "k"] : count < 999.5e6 ? [1e6, "M"] : [1e9, "B"];
  const value = count / scale;
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)}${unit}`;
}

/** A number with `digits` decimals; null → a dash. */
export function formatFixed(value: number | null, digits: number): string {
  return value === null || !Number.isFinite(value) ? ABSENT : value.toFixed(digits);
}

/** A rate: three significant digits below 100, whole numbers above. */
export function formatRate(value: number): string {
  if (!Number.isFinite(value)) return ABSENT;
  return Math.abs(value) >= 99.5 ? formatCount(value) : significant(value, 3);
}

const BARS = "▁▂▃▄▅▆▇█";

/** One bar a value, scaled from `low` to `high` (by default the values' range); values outside are clamped. */
export function sparkline(
  values: readonly number[],
  low: number = Math.min(...values),
  high: number = Math.max(...values),
): string {
  const span = high - low;
  return values
    .map((value) => {
      const share = span > 0 ? (value - low) / span : 0.5;
      const level = Math.floor(Math.min(Math.max(share, 0), 1) * BARS.length);
      return BARS[Math.min(level, BARS.length - 1)];
    })
    .join("");
}

function significant(value: number, digits: number): string {
  if (value === 0) return "0";
  const magnitude = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(digits)))));
  return value.toFixed(Math.max(0, digits - 1 - magnitude));
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
