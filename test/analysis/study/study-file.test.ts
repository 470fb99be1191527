import { describe, expect, test } from "vitest";
import { amendments, type Session } from "../../../src/analysis/study/ledger.js";
import { parseStudy, plannedSettings, readStudy } from "../../../src/analysis/study/study-file.js";

const STUDY = `
question: Which?
runs: { engine: scripted, steps: 4 }
settings: { small: { trainSize: 60 }, large: { trainSize: 90 } }
methods: [adastar, star-acc]
seeds: [11, 12]
budget: 1.0e+10
comparisons: [{ method: adastar, against: most accurate baseline }]
stopping: All runs.
report: All figures.
`;

describe("a study's file", () => {
  test.each([
    ["question: Which?", "question: ''", /question: /],
    ["seeds: [11, 12]", "seeds: [11, 11]", /seeds: expected no item twice/],
    ["seeds: [11, 12]", "seeds: []", /seeds: /],
    ["methods: [adastar, star-acc]", "methods: [adaster]", /methods\.0: expected a method/],
    ["against: most accurate baseline", "against: star", /comparisons: expected one of methods, got star/],
    ["stopping: All runs.", "", /stopping: /],
    ["steps: 4", "seed: 4", /runs\.seed: expected no such setting: the study sets it/],
    ["trainSize: 60", "maxFlops: 60", /small\.maxFlops: expected no such setting/],
    ["budget: 1.0e+10", "budget: 0", /budget: /],
    ["report: All", "reports: All", /reports/],
    ["question: Which?", "question: [", /expected YAML/],
  ])("with %j as %j is refused by name", (from, to, message) => {
    expect(() => parseStudy(STUDY.replace(from, to), "s.yaml")).toThrow(message);
  });

  test("plans every method with every seed in every setting, seed by seed, a fifth beyond the budget", () => {
    const study = { name: "s", file: "/folder/s.yaml", digest: "", plan: parseStudy(STUDY, "s.yaml") };
    const [small, large] = plannedSettings(study, "/out");
    expect([small.name, large.name]).toEqual(["small", "large"]);
    expect(small.runs.map(({ method, config }) => [method, config.seed])).toEqual([
      ["adastar", 11],
      ["star-acc", 11],
      ["adastar", 12],
      ["star-acc", 12],
    ]);
    expect(small.runs[0].config).toMatchObject({ trainSize: 60, steps: 4, maxFlops: 1.2e10 });
    expect(large.runs[0].config.trainSize).toBe(90);
    expect(large.runs[0].config.runDir).toMatch(/large/);
  });

  test("with a setting that no run has is refused", () => {
    const plan = parseStudy(STUDY.replace("trainSize: 60", "trainsize: 60"), "s.yaml");
    expect(() => plannedSettings({ name: "s", file: "/s.yaml", digest: "", plan }, "/out")).toThrow(/trainSize/);
  });

  test("in this repository can be planned", () => {
    const study = readStudy("studies/default-task.yaml");
    const runs = plannedSettings(study, "out").flatMap((setting) => setting.runs);
    expect(runs).toHaveLength(80);
    expect(new Set(runs.map(({ name }) => name)).size).toBe(80);
  });
});

test("amendments name the fields that changed after runs had begun", () => {
  const session = (digest: string, content: string): Session => ({
    ...{ time: "2026-01-02T00:00:00Z", commit: { hash: digest, time: "2026-01-01T00:00:00Z" } },
    ...{ digest, content, version: "1", head: null, changed: false },
  });
  const changed = STUDY.replace("seeds: [11, 12]", "seeds: [11]").replace("budget: 1.0e+10", "budget: 2.0e+10");
  const found = amendments([
    session("a", STUDY),
    session("a", STUDY),
    session("b", changed),
    session("c", `# ${changed}`),
  ]);
  expect(found.map(({ commit, fields }) => [commit.hash, fields])).toEqual([
    ["b", ["seeds", "budget"]],
    ["c", ["comments"]],
  ]);
});
