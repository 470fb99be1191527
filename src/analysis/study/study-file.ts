/**
 * A study as a file: what is asked, which runs answer it, and what will be reported, fixed before the first run.
 *
 *     question: Does AdaSTaR …?
 *     runs: { task: arithmetic, steps: 40 }        settings of every run, as in a run's YAML file
 *     settings: { n2000: { trainSize: 2000 } }     what differs from one setting to the next
 *     methods: [adastar, star-acc-full]
 *     seeds: [11, 12, 13]
 *     budget: 2.5e12
 *     comparisons: [{ method: adastar, against: most accurate baseline }]
 *     secondary: [accuracy of the last model]
 *     stopping: All runs are made; …
 *     report: The primary comparisons …
 */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { METHODS } from "../../algorithm/methods.js";
import { messageOf, shown, UserError } from "../../errors.js";
import { type PlannedRun, planComparison } from "../comparison-runs.js";

/** Stands for the most accurate method that visits everything, which the runs decide. */
export const MOST_ACCURATE_BASELINE = "most accurate baseline";

const name = z.string().regex(/^[a-z0-9][a-z0-9-]*$/, "expected a name of small letters, digits and hyphens");
const text = z.string().trim().min(1);
const method = z.string().refine((value) => Object.hasOwn(METHODS, value), "expected a method: see `adastar methods`");
const settings = z.record(z.string(), z.unknown());
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .min(1)
    .refine(
      (items) => new Set(items.map((one) => JSON.stringify(one))).size === items.length,
      "expected no item twice",
    );

const comparison = z.strictObject({ method, against: z.union([z.literal(MOST_ACCURATE_BASELINE), method]) });

const schema = z
  .strictObject({
    question: text,
    /** Earlier runs that the study was designed after; they count for nothing in it. */
    pilots: z.array(text).default([]),
    runs: settings.default({}),
    settings: z.record(name, settings).refine((all) => Object.keys(all).length > 0, "expected at least one setting"),
    methods: list(method),
    seeds: list(z.int().min(0)),
    /** Training FLOPs that count. */
    budget: z.number().positive(),
    /** Share of the budget that runs go beyond it, to show how results depend on it. */
    margin: z.number().min(0).max(1).default(0.2),
    /** Primary: area under accuracy over FLOPs, with FLOPs-to-target beside it. */
    comparisons: list(comparison),
    secondary: z.array(text).default([]),
    stopping: text,
    report: text,
  })
  .superRefine(({ methods, comparisons, runs, settings: all }, context) => {
    for (const used of comparisons.flatMap((one) => [one.method, one.against])) {
      if (used !== MOST_ACCURATE_BASELINE && !methods.includes(used))
        context.addIssue({ code: "custom", path: ["comparisons"], message: `expected one of methods, got ${used}` });
    }
    for (const [own, values] of [["runs", runs] as const, ...Object.entries(all)]) {
      for (const key of DECIDED)
        if (key in values)
          context.addIssue({
            code: "custom",
            path: [own, key],
            message: "expected no such setting: the study sets it",
          });
    }
  });

/** Settings that the study's own fields decide. */
const DECIDED = ["method", "seed", "runDir", "maxFlops", "iterations"] as const;

export type StudyPlan = z.infer<typeof schema>;

export interface Study {
  /** The file's name without its ending. */
  readonly name: string;
  /** Absolute. */
  readonly file: string;
  /** SHA-256 of the file. */
  readonly digest: string;
  readonly plan: StudyPlan;
}

/** Throws UserError naming the field that is wrong. */
export function readStudy(path: string): Study {
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch (error) {
    throw new UserError(`expected a readable study file, got ${shown(path)}: ${messageOf(error)}`);
  }
  return {
    name: basename(path).replace(/\.ya?ml$/, ""),
    file: resolve(path),
    digest: createHash("sha256").update(content).digest("hex"),
    plan: parseStudy(content, path),
  };
}

/** @param source the file's path, for errors */
export function parseStudy(content: string, source: string): StudyPlan {
  let values: unknown;
  try {
    values = parse(content);
  } catch (error) {
    throw new UserError(`${source}: expected YAML, got: ${messageOf(error)}`);
  }
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `  ${path.join(".") || "the file"}: ${message}`);
  throw new UserError(`${source}: expected a study, got:\n${problems.join("\n")}`);
}

/** The runs of one setting of a study. */
export interface PlannedSetting {
  readonly name: string;
  /** Folder of its runs and its report. */
  readonly out: string;
  /** Seed by seed, so that an unfinished study has complete pairs. */
  readonly runs: readonly PlannedRun[];
}

/** Throws UserError for settings that no run can have. Relative paths start at the study file's folder. */
export function plannedSettings({ plan, file }: Study, out: string): PlannedSetting[] {
  const { methods, seeds, budget, margin, runs: common, settings: all } = plan;
  return Object.entries(all).map(([setting, own]) => {
    const folder = join(out, setting);
    const flags = { ...common, ...own, maxFlops: budget * (1 + margin) };
    const runs = planComparison({ methods, seeds, out: folder, flags, folder: dirname(file) });
    return { name: setting, out: folder, runs: runs.toSorted((a, b) => order(seeds, a) - order(seeds, b)) };
  });
}

function order(seeds: readonly number[], { config }: PlannedRun): number {
  return seeds.indexOf(config.seed);
}
