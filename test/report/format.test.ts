import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatCount,
  formatDuration,
  formatFixed,
  formatFlops,
  formatParameters,
  formatPercent,
  formatPoints,
  formatRate,
  sparkline,
} from "../../src/report/format.js";

describe("formatFlops", () => {
  test.each([
    [0, "0 FLOP"],
    [999, "999 FLOP"],
    [1000, "1.00 kFLOP"],
    [1.234e9, "1.23 GFLOP"],
    [12.34e12, "12.3 TFLOP"],
    [999.4e12, "999 TFLOP"],
    [999.6e12, "1.00 PFLOP"],
    [174.4e15, "174 PFLOP"],
    [9.999e12, "10.0 TFLOP"],
    [5e21, "5000 EFLOP"],
  ])("%d is %s", (flops, text) => expect(formatFlops(flops)).toBe(text));

  test("keeps three significant digits", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e3, max: 9e20, noNaN: true }), (flops) => {
        const [value, unit] = formatFlops(flops).split(" ");
        const scale = { kFLOP: 1e3, MFLOP: 1e6, GFLOP: 1e9, TFLOP: 1e12, PFLOP: 1e15, EFLOP: 1e18 }[unit ?? ""] ?? 0;
        expect(Math.abs(Number(value) * scale - flops)).toBeLessThanOrEqual(0.005001 * flops);
        expect((value ?? "").replace(".", "")).toMatch(/^\d{3}$/);
      }),
    );
  });
});

test.each([
  [0, "0.0 s"],
  [9.94, "9.9 s"],
  [9.96, "10 s"],
  [59.6, "1 min 00 s"],
  [125, "2 min 05 s"],
  [3599.7, "1 h 00 min"],
  [3720, "1 h 02 min"],
  [86_400 * 3 + 3600 * 4, "3 d 04 h"],
  [-1, "–"],
  [Number.NaN, "–"],
])("%d seconds are %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));

test.each([
  [0, "0"],
  [999, "999"],
  [1000, "1,000"],
  [1_234_567.4, "1,234,567"],
])("the count %d is %s", (count, text) => expect(formatCount(count)).toBe(text));

test.each([
  [512, "512"],
  [1_234, "1.2k"],
  [338_000, "338k"],
  [999_900, "1.0M"],
  [134_515_008, "135M"],
  [3.2e9, "3.2B"],
])("%d parameters are %s", (count, text) => expect(formatParameters(count)).toBe(text));

test("shares, fixed numbers and rates; a dash for what is not there", () => {
  expect(formatPercent(0.8126)).toBe("81.3 %");
  expect(formatPercent(1, 0)).toBe("100 %");
  expect(formatPercent(null)).toBe("–");
  expect([-0.25, -0.0004].map((share) => formatPercent(share))).toEqual(["−25.0 %", "0.0 %"]);
  expect([0.0123, 0, -0.15, -0.0004].map(formatPoints)).toEqual(["+1.2", "+0.0", "−15.0", "+0.0"]);
  expect(formatFixed(0.12345, 3)).toBe("0.123");
  expect(formatFixed(null, 3)).toBe("–");
  expect([0.1234, 7.239, 99.44, 99.6, 6210].map(formatRate)).toEqual(["0.123", "7.24", "99.4", "100", "6,210"]);
});

describe("sparkline", () => {
  test("has one bar a value, lowest to highest", () => {
    expect(sparkline([0, 0.5, 1], 0, 1)).toBe("▁▅█");
    expect(sparkline([3, 7])).toBe("▁█");
  });
  test("clamps what lies outside and survives a flat series", () => {
    expect(sparkline([-1, 2], 0, 1)).toBe("▁█");
    expect(sparkline([0.4, 0.4])).toBe("▅▅");
    expect(sparkline([])).toBe("");
  });
});
