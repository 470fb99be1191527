import { describe, expect, test } from "vitest";
import type { ComparedRun } from "../../src/analysis/compared-runs.js";
import { lineChart } from "../../src/report/chart.js";
import { compareMethods } from "../../src/report/comparison/compare.js";
import { learningCurves } from "../../src/report/comparison/learning-curves.js";
import { reportFiles } from "../../src/report/comparison/page.js";
import { earlyStopTable, targetTable, wholeBudgetTable, wrongStepsTable } from "../../src/report/comparison/tables.js";
import { renderText } from "../../src/report/tables.js";

/** A run whose models cost `cost` each and have these accuracies, the base model's first. */
function run(
  method: string,
  seed: number,
  cost: number,
  accuracies: readonly number[],
  changes: Partial<ComparedRun> = {},
): ComparedRun {
  return {
    method,
    seed,
    baseline: !method.startsWith("adastar"),
    testQuestions: 100,
    points: accuracies.map((accuracy, iteration) => ({
      iteration,
      flops: cost * iteration,
      samplingFlops: 0.25 * cost * iteration,
      unsharedFlops: cost * iteration,
      accuracy,
      wrongSteps: null,
      weights: null,
    })),
    frequencies: accuracies.slice(1).map((_, t) => [t + 1, t, 0, 2 * t]),
    ...changes,
  };
}

/** By hand, under a budget of 100: adastar is best at 20 and 40, star-acc at 60 and 100, star at 90 and 90. */
const RUNS: readonly ComparedRun[] = [
  run("adastar", 1, 20, [0.5, 0.9, 0.8, 0.7, 0.6, 0.5, 0.99]),
  run("adastar", 2, 20, [0.5, 0.6, 0.8, 0.8, 0.7, 0.7]),
  run("star-acc", 1, 20, [0.5, 0.6, 0.7, 0.8, 0.7, 0.7]),
  run("star-acc", 2, 50, [0.5, 0.7, 0.8, 0.9]),
  run("star", 1, 90, [0.5, 0.6, 0.95]),
  run("star", 2, 90, [0.5, 0.7]),
];

describe("compareMethods", () => {
  test("a method that never gets better than its base model saves nothing", () => {
    const { methods } = compareMethods([
      ...RUNS,
      run("adastar-x", 1, 20, [0.5, 0.4]),
      run("adastar-x", 2, 20, [0.5, 0.5]),
    ]);
    expect(methods.at(-1)).toMatchObject({ method: "adastar-x", flopsSaved: null, accuracy: { mean: 0.5 } });
  });

  const comparison = compareMethods(RUNS, { budget: 100 });
  const of = (method: string) => comparison.methods.find((result) => result.method === method);

  test("stops early, within the budget and at the earliest best", () => {
    const stops = (method: string) =>
      of(method)?.seeds.map(({ seed, accuracy, iteration, flops }) => [seed, accuracy, iteration, flops]);
    expect(stops("adastar")).toEqual([
      [1, 0.9, 1, 20],
      [2, 0.8, 2, 40],
    ]);
    expect(stops("star-acc")).toEqual([
      [1, 0.8, 3, 60],
      [2, 0.8, 2, 100],
    ]);
    expect(stops("star")).toEqual([
      [1, 0.6, 1, 90],
      [2, 0.7, 1, 90],
    ]);
  });

  test("measures against the most accurate baseline, paired by seed", () => {
    expect(comparison.reference).toBe("star-acc");
    expect(comparison.target).toBeCloseTo(0.8, 12);
    const adastar = of("adastar");
    // 1 − (20 + 40) / (60 + 100).
    expect(adastar?.flopsSaved?.mean).toBeCloseTo(0.625, 12);
    // Differences of 0.1 and 0: mean 0.05, standard error 0.05, 12.7062 times that with one degree of freedom.
    expect(adastar?.accuracyGained?.mean).toBeCloseTo(0.05, 12);
    expect(adastar?.accuracyGained?.low).toBeCloseTo(0.05 - 12.7062 * 0.05, 5);
    expect(adastar?.accuracyGained?.high).toBeCloseTo(0.05 + 12.7062 * 0.05, 5);
    expect(of("star-acc")).toMatchObject({ flopsSaved: null, accuracyGained: null });
  });

  test("gives the cost of the target and how many seeds reached it", () => {
    // The target is the mean of 0.8 and 0.8, which both of adastar's seeds reach: at 20 and at 40.
    expect(of("adastar")).toMatchObject({ reachedTarget: 2, flopsToTarget: 30 });
    expect(of("star")).toMatchObject({ reachedTarget: 0, flopsToTarget: null });
    const higher = compareMethods(RUNS, { budget: 100, target: 0.85 });
    expect(higher.methods[0]).toMatchObject({ reachedTarget: 1, flopsToTarget: null });
  });

  test("gives sampling's share of the cost, and the cost without shared worked examples", () => {
    expect(of("adastar")).toMatchObject({ samplingShare: 0.25, unsharedFlops: 30 });
    expect(renderText(earlyStopTable(comparison))).not.toContain("unshared");
    const dearer = RUNS.map((one) => ({
      ...one,
      points: one.points.map((point) => ({ ...point, unsharedFlops: 1e15 * point.flops })),
    }));
    const [header, , first] = renderText(earlyStopTable(compareMethods(dearer, { budget: 100 }))).split("\n");
    expect(header).toMatch(/PFLOPs +of it sampling +PFLOPs unshared +FLOPs saved/);
    expect(first).toMatch(/ 25 % +30\.0 /);
    const none = compareMethods([run("adastar", 1, 20, [0.5, 0.4])], { budget: 100 });
    expect(none.methods[0].samplingShare).toBeNull();
  });

  test("counts seeds that never reached the target as the whole budget", () => {
    // 20 and 40; 60 and 100; never and never.
    expect(of("adastar")?.flopsUntilTarget.mean).toBeCloseTo(30, 12);
    expect(of("star-acc")?.flopsUntilTarget.mean).toBeCloseTo(80, 12);
    expect(of("star")?.flopsUntilTarget).toEqual({ mean: 100, low: 100, high: 100 });
    expect(of("adastar")?.flopsUntilTargetSaved?.mean).toBeCloseTo(1 - 30 / 80, 12);
    expect(of("adastar")?.targetBound).toBe("exact");
    expect(of("star")?.targetBound).toBe("at most");
    expect(of("star")?.flopsUntilTargetSaved?.mean).toBeCloseTo(-0.25, 12);
    expect(of("star-acc")?.flopsUntilTargetSaved).toBeNull();
  });

  test("compares the latest models within the budget, whichever was best", () => {
    // 0.5 and 0.7 after five iterations each; 0.7 after five and 0.8 after two.
    expect(of("adastar")?.finalAccuracy.mean).toBeCloseTo(0.6, 12);
    expect(of("star-acc")?.finalAccuracy.mean).toBeCloseTo(0.75, 12);
    expect(of("adastar")?.finalAccuracyGained?.mean).toBeCloseTo(-0.15, 12);
    expect(of("star-acc")?.finalAccuracyGained).toBeNull();
  });

  test("averages accuracy over the budget, along a line where it falls", () => {
    // Fifths of 100: (0.5 + 0.85 + 0.75 + 0.65 + 0.55) / 5 and (0.5 + 0.6 + 0.8 + 0.75 + 0.7) / 5.
    expect(of("adastar")?.seeds.map(({ averageAccuracy }) => averageAccuracy)).toEqual([
      expect.closeTo(0.66, 12),
      expect.closeTo(0.67, 12),
    ]);
    // (0.5 + 0.6 + 0.7 + 0.75 + 0.7) / 5 and (0.5 + 0.7) / 2; the last model of the second comes when the budget is
    // spent.
    expect(of("star-acc")?.averageAccuracy.mean).toBeCloseTo((0.65 + 0.6) / 2, 12);
    // 90 of 100 with the base model.
    expect(of("star")?.averageAccuracy.mean).toBeCloseTo((0.51 + 0.52) / 2, 12);
    expect(of("adastar")?.averageAccuracyGained?.mean).toBeCloseTo(0.04, 12);
  });

  test("equal accuracies reach their own mean, whatever rounding leaves of it", () => {
    const accuracies = [0.688, 0.688, 0.688];
    // The mean of these is 0.6880000000000001.
    const same = compareMethods(
      ["adastar", "star-acc"].flatMap((method) =>
        accuracies.map((accuracy, i) => ({ ...run(method, i + 1, 20, [0.5, accuracy]), testQuestions: 500 })),
      ),
      { budget: 100 },
    );
    expect(same.methods.map(({ reachedTarget }) => reachedTarget)).toEqual([3, 3]);
  });

  test("half a test question below the target is enough, more is not", () => {
    // The baseline's mean is 82.5 of 100 questions.
    const methods = (accuracy: number) =>
      compareMethods([
        run("star-acc", 1, 20, [0.5, 0.82]),
        run("star-acc", 2, 20, [0.5, 0.83]),
        run("adastar", 1, 20, [0.5, accuracy]),
        run("adastar", 2, 20, [0.5, accuracy]),
      ]).methods;
    expect(methods(0.82).map(({ reachedTarget }) => reachedTarget)).toEqual([2, 2]);
    expect(methods(0.81)[1].reachedTarget).toBe(0);
  });

  test("seeds that missed the target make bounds of what is saved", () => {
    const bound = (own: number, other: number) => {
      const { methods } = compareMethods(
        [
          run("adastar", 1, 20, [0.5, 0.9]),
          run("adastar", 2, 20, [0.5, own]),
          run("star-acc", 1, 50, [0.5, 0.9]),
          run("star-acc", 2, 50, [0.5, other]),
        ],
        { budget: 100, target: 0.8 },
      );
      return [
        methods[0].targetBound,
        ...renderText(targetTable({ ...nothing, methods }))
          .split("\n")[2]
          .split(/ {2,}/),
      ];
    };
    const nothing = compareMethods(RUNS, { budget: 100 });
    expect(bound(0.9, 0.9)).toEqual([
      "exact",
      "adastar",
      "2 of 2",
      "20 FLOP",
      "20 FLOP",
      "20 FLOP to 20 FLOP",
      "60.0 %",
      "60.0 % to 60.0 %",
    ]);
    expect(bound(0.9, 0.6)).toMatchObject({ 0: "at least", 6: "≥ 73.3 %" });
    expect(bound(0.6, 0.9)).toMatchObject({ 0: "at most", 2: "1 of 2", 4: "≥ 60 FLOP", 6: "≤ −20.0 %" });
    expect(bound(0.6, 0.6)).toMatchObject({ 0: "open", 6: "not determined" });
  });

  test("nothing is saved at early stop where the best of one seed is its base model", () => {
    const { methods } = compareMethods(
      [
        run("adastar", 1, 20, [0.5, 0.6]),
        run("adastar", 2, 20, [0.5, 0.4]),
        run("star-acc", 1, 50, [0.5, 0.6]),
        run("star-acc", 2, 50, [0.5, 0.6]),
      ],
      { budget: 100 },
    );
    expect(methods[0].flopsSaved).toBeNull();
    expect(methods[0].accuracyGained).not.toBeNull();
  });

  test("moves the budget by a fifth, upwards as far as every run went", () => {
    // By hand at 80, where adastar's two have areas of 0.6875 and 0.6625, star-acc's 0.6375 and 0.575.
    const { budgetRange, methods } = compareMethods(RUNS.slice(0, 4), { budget: 100 });
    expect(budgetRange[0]).toBeCloseTo(0.8, 12);
    // The second adastar run ended at 100 after iterations of 20: one more would end at 120.
    expect(budgetRange[1]).toBeCloseTo(1.16, 12);
    const range = methods[0].averageGainByBudget;
    expect(range?.high).toBeCloseTo((0.6875 + 0.6625 - 0.6375 - 0.575) / 2, 12);
    expect(range?.low).toBeLessThan(methods[0].averageAccuracyGained?.mean ?? 0);
    // Best accuracies: at 80 0.9 and 0.8 against 0.8 and 0.7.
    expect(methods[0].accuracyGainByBudget?.high).toBeCloseTo(0.1, 12);
  });

  test("marks what stands after Holm's correction for the whole table", () => {
    const method = (name: string, gains: readonly number[]) =>
      gains.map((gain, i) => run(name, i + 1, 50, [0.5, 0.6 + gain]));
    const { methods } = compareMethods(
      [
        ...method("star-acc", [0, 0.01, 0.02, 0.01]),
        ...method("adastar", [0.1, 0.11, 0.12, 0.115]),
        ...method("adastar-x", [0.02, 0.06, 0.05, 0.02]),
      ],
      { budget: 100 },
    );
    const [, adastar, weak] = methods.map(({ accuracyGained }) => accuracyGained);
    expect(adastar?.stands).toBe(true);
    // Alone it would count: its interval leaves out 0.
    expect(weak?.low).toBeGreaterThan(0);
    expect(weak?.stands).toBe(false);
  });

  test("finds runs that begin alike, by their models' digests and, without them, by all figures", () => {
    const begun = (method: string, seed: number, ...accuracies: number[]) =>
      run(method, seed, 20, [0.5, ...accuracies]);
    const runs = [
      begun("adastar", 1, 0.6, 0.7, 0.8),
      begun("adastar", 2, 0.6, 0.7),
      begun("adastar-x", 1, 0.6, 0.7, 0.9),
      begun("adastar-x", 2, 0.6, 0.7),
      begun("adastar-y", 1, 0.61, 0.7),
    ];
    expect(compareMethods(runs, { budget: 100 }).shared).toEqual([
      {
        one: "adastar",
        other: "adastar-x",
        seeds: [
          { seed: 1, iterations: 2 },
          { seed: 2, iterations: 2 },
        ],
      },
    ]);
    const known = runs.map((one, i) => ({
      ...one,
      points: one.points.map((point) => ({ ...point, weights: point.iteration < 2 ? "same" : `${i}` })),
    }));
    expect(compareMethods(known, { budget: 100 }).shared[0].seeds[0].iterations).toBe(1);
  });

  test("without a budget goes as far as the run that spent least", () => {
    expect(compareMethods(RUNS).budget).toBe(90);
  });

  test("follows the quarters over three iterations", () => {
    // After iteration 5 (fourth after the second): 5, 4, 0, 8; after the second: 2, 1, 0, 2.
    const [first] = of("adastar")?.seeds ?? [];
    expect(first.leastTrainedStay).toBe(1);
    expect(first.mostTrainedStay).toBe(1 / 2);
    expect(first.trainingFrequencySd).toBeCloseTo(Math.sqrt((0.75 ** 2 + 0.25 ** 2 + 4.25 ** 2 + 3.75 ** 2) / 4), 12);
    expect(first.neverTrained).toBe(1 / 4);
    // The first iteration trains on one of the four, every other on that one and two more.
    expect(first.repeated).toBe((1 / 3 + 1 + 1 + 1) / 4);
    expect(of("star")?.seeds[0].repeated).toBeNull();
    expect(of("star")?.seeds[0].leastTrainedStay).toBeNull();
  });

  test("a seed that failed under one method is left out of its pairs", () => {
    const some = compareMethods(
      RUNS.filter(({ method, seed }) => method !== "star-acc" || seed === 1),
      { budget: 100 },
    );
    // One seed of star-acc is left, so it is not the baseline, though it is the most accurate of them.
    expect(some.reference).toBe("star");
    const only = compareMethods(
      RUNS.filter(({ method, seed }) => method !== "star" && (method !== "star-acc" || seed === 1)),
      { budget: 100 },
    );
    const adastar = only.methods.find(({ method }) => method === "adastar");
    expect(adastar).toMatchObject({ pairs: 1, flopsSaved: { mean: expect.closeTo(1 - 20 / 60, 12), low: Number.NaN } });
    expect(renderText(wholeBudgetTable(only))).toMatch(/^adastar .* 2, 1 in pairs$/m);
  });

  test("saves nothing on a baseline whose base model was never made better", () => {
    const { methods, reference } = compareMethods(
      [
        run("adastar", 1, 20, [0.5, 0.6]),
        run("adastar", 2, 20, [0.5, 0.6]),
        run("star", 1, 20, [0.5, 0.4]),
        run("star", 2, 20, [0.5, 0.4]),
      ],
      { budget: 100 },
    );
    expect(reference).toBe("star");
    expect(methods[0]).toMatchObject({
      flopsSaved: null,
      flopsUntilTargetSaved: null,
      accuracyGained: { mean: expect.closeTo(0.1, 12) },
    });
  });

  test("without a baseline, the most accurate method is not called one", () => {
    const alone = compareMethods([run("adastar", 1, 20, [0.5, 0.6])], { budget: 100 });
    expect(renderText(wholeBudgetTable(alone))).toContain("adastar (most accurate method)");
  });
});

test("a learning curve holds each model from its cost on and falls in a line", () => {
  const curve = learningCurves(RUNS.slice(2, 4), 100, 4).get("star-acc") ?? [];
  // At 0, 25, 50, 75, 100: (0.5, 0.6, 0.7, 0.725, 0.7) and (0.5, 0.5, 0.7, 0.7, 0.8).
  expect(curve.map(({ mean }) => Number(mean.toFixed(6)))).toEqual([0.5, 0.55, 0.7, 0.7125, 0.75]);
  for (const { low, mean, high } of curve) expect(low <= mean && mean <= high).toBe(true);
});

describe("the report", () => {
  const checked = RUNS.map((one) => ({
    ...one,
    points: one.points.map((point, t) => ({ ...point, wrongSteps: t === 0 ? null : 0.1 * t })),
  }));
  const comparison = compareMethods(checked, { budget: 100 });
  const files = reportFiles(comparison, {
    runs: checked,
    failed: [{ run: "star-seed3", reason: "out of memory" }],
    missing: ["star-seed4"],
    setting: [["task", "arithmetic"]],
    command: "adastar compare",
  });

  test("has the paper's columns", () => {
    const [header, , first] = renderText(earlyStopTable(comparison)).split("\n");
    expect(header).toMatch(/^method +accuracy .* iteration +PFLOPs +of it sampling +FLOPs saved/);
    expect(first).toMatch(/^adastar +85\.0 % +21\.5 % to 100\.0 % +1\.5 .* 62\.5 % .* \+5\.0 … \+10\.0$/);
  });

  test("has the whole budget, and what the target cost", () => {
    expect(files["report.md"]).toMatch(
      /\| adastar +\| +66\.5 % \| 60\.1 % to 72\.9 % \| +\+4\.0 \| .* \+1\.4 … \+6\.9 \| +60\.0 % \| +−15\.0 \|/,
    );
    expect(files["report.md"]).toMatch(
      /\| adastar +\| +2 of 2 \| +30 FLOP \| +30 FLOP \| +0 FLOP to 157 FLOP \| +62\.5 % \|/,
    );
  });

  test("marks the budget and the range that it was moved over, and has the tables for LaTeX", () => {
    // The x axis ends at 1.16 times the budget, 534 of 620 pixels before it.
    expect(files["curves.svg"]).toContain('<line x1="536.3"');
    expect(files["report.md"]).toContain("| budget 80–116 % |");
    expect(files["tables.tex"]?.match(/\\toprule/g)).toHaveLength(5);
    expect(files["tables.tex"]).toContain("most accurate baseline");
    expect(files["report.md"]).toContain("this table's 2 comparisons");
  });

  test("claims no interval from one seed", () => {
    const runs = RUNS.filter(({ seed }) => seed === 1);
    const one = compareMethods(runs);
    expect(renderText(earlyStopTable(one))).not.toContain(" to ");
    const poor = reportFiles(compareMethods(runs, { budget: 50 }), {
      runs,
      failed: [],
      missing: [],
      setting: [],
      command: "",
    });
    expect(poor["report.md"]).toContain(
      "Within this budget star finished no iteration: the figures are those of the base model",
    );
    const single = reportFiles(one, { runs, failed: [], missing: [], setting: [], command: "adastar compare" });
    expect(JSON.parse(single["comparison.json"] ?? "").methods[0].accuracy).toMatchObject({ low: null, high: null });
    expect(single["curves.svg"]).not.toMatch(/NaN|polygon/);
    expect(single["curves.csv"]?.split("\n")[1]).toMatch(/^adastar,0,0\.5,,$/);
    expect(single["report.md"]).not.toContain("Not complete");
  });

  test("shows wrong steps by iteration, failures, and every seed", () => {
    expect(wrongStepsTable(compareMethods(RUNS))).toBeNull();
    expect(files["report.md"]).toContain("- star-seed3: out of memory");
    expect(files["report.md"]).toMatch(/\| adastar +\| +1 \| +66\.0 % \| +20 FLOP \| +90\.0 % \| +1 of 5 \|/);
    expect(files["report.md"]).not.toContain("finished no iteration");
    expect(files["report.md"]).toContain("The command below continues them: star-seed4.");
    expect(files["report.md"]).toMatch(/\| adastar +\| 10\.0 % \| 20\.0 % \|/);
    const parsed = JSON.parse(files["comparison.json"] ?? "");
    expect(parsed.methods[0].accuracy).toEqual({
      mean: expect.closeTo(0.85, 12),
      low: expect.closeTo(0.2147, 4),
      high: 1,
    });
    expect(parsed.methods[0].seeds).toHaveLength(2);
    expect(files["points.csv"]?.split("\n")[0]).toBe(
      "method,seed,iteration,flops,sampling_flops,unshared_flops,accuracy,test_questions,weights",
    );
  });

  test("draws curves within the plot and escapes names", () => {
    expect(files["curves.svg"]).toContain("<polyline");
    const svg = lineChart([{ name: "a<b", points: [{ x: 1, y: 0.5, low: 0.5, high: 0.5 }] }], {
      title: "t",
      xLabel: "x",
      yLabel: "y",
      formatX: String,
      formatY: String,
    });
    expect(svg).toContain("a&lt;b");
    expect(svg).not.toMatch(/NaN|Infinity/);
  });

  test("holds a height until the next point, and cuts off what is below the floor", () => {
    const at = (x: number, y: number) => ({ x, y, low: y, high: y });
    const options = { title: "t", xLabel: "x", yLabel: "y", formatX: String, formatY: String };
    const series = [
      { name: "up", points: [at(0, 0.5), at(1, 0.9)] },
      { name: "down", points: [at(0, 0.5), at(1, 0.1)] },
    ];
    const svg = lineChart(series, { ...options, floor: 0.5, steps: true });
    const [up, down] = Array.from(svg.matchAll(/<polyline points="([^"]+)"/g), ([, points]) => points);
    // From the lower left corner to the right, then up; the second one ends below the axis, behind the clip.
    expect(up).toBe("76.0,420.0 610.0,420.0 610.0,44.0");
    expect(down).toBe("76.0,420.0 610.0,420.0 610.0,796.0");
    expect(svg).toContain(">up</text>");
    expect(svg).toContain(">down ↓</text>");
    expect(svg.indexOf('clip-path="url(#plot)"')).toBeLessThan(svg.indexOf("<polyline"));
  });

  test.each([
    [0.566, 0.91, ["0.6", "0.7", "0.8", "0.9"]],
    [0, 2.4e12, ["0", "500000000000", "1000000000000", "1500000000000", "2000000000000"]],
    [0.02, 0.04, ["0.02", "0.025", "0.03", "0.035", "0.04"]],
  ])("has round ticks between %j and %j", (low, high, expected) => {
    const at = (y: number) => ({ x: y, y, low: y, high: y });
    const svg = lineChart([{ name: "a", points: [at(low), at(high)] }], {
      title: "t",
      xLabel: "x",
      yLabel: "y",
      formatX: () => "",
      formatY: (y) => `tick ${Number(y.toPrecision(6))}`,
    });
    expect(Array.from(svg.matchAll(/tick ([\d.]+)/g), ([, tick]) => tick)).toEqual(expected);
  });
});
