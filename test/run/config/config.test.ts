import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { PART_NAMES, settingOf } from "../../../src/algorithm/parts.js";
import { UserError } from "../../../src/errors.js";
import {
  formatConfig,
  loadConfig,
  methodOf,
  parseConfig,
  parseFlag,
  resolveConfig,
} from "../../../src/run/config/config.js";
import { type ConfigKey, configKeys, fieldOf, fields } from "../../../src/run/config/fields.js";
import { statedParts } from "../../../src/run/config/part-fields.js";
import { presets } from "../../../src/run/config/presets.js";
import { type Field, flagOf } from "../../../src/settings.js";

const layer = (values: Record<string, unknown>, source = "flags") => ({ source, folder: "/base", values });
const resolved = (values: Record<string, unknown>) => resolveConfig([layer(values)]).config;

describe("fields", () => {
  test("every default is a value that its own field takes", () => {
    for (const key of configKeys) {
      const field = fields[key] as Field;
      expect(field.schema.safeParse(field.default).success, key).toBe(true);
    }
  });

  test("every preset is a layer that resolves", () => {
    for (const [name, values] of Object.entries(presets)) {
      expect(() => resolveConfig([layer(values, name)])).not.toThrow();
    }
  });

  test("flags are the kebab-case of the keys, each once", () => {
    expect(flagOf("learningRateSchedule")).toBe("--learning-rate-schedule");
    expect(flagOf("topP")).toBe("--top-p");
    expect(new Set(configKeys.map(flagOf)).size).toBe(configKeys.length);
  });
});

describe("precedence", () => {
  test("later layers win, and the origin of each value is known", () => {
    const { config, origins } = resolveConfig([
      layer({ steps: 10, batchSize: 4, seed: 5 }, "task arithmetic"),
      layer({ steps: 20, batchSize: 2 }, "preset quick"),
      layer({ steps: 30 }, "run.yaml"),
    ]);
    expect([config.steps, config.batchSize, config.seed, config.beta1]).toEqual([30, 2, 5, 0.9]);
    expect([origins.steps, origins.batchSize, origins.seed, origins.beta1]).toEqual([
      "run.yaml",
      "preset quick",
      "task arithmetic",
      "default",
    ]);
    expect(Object.isFrozen(config)).toBe(true);
  });

  test("a flag that was not given changes nothing; null unsets", () => {
    const { config } = resolveConfig([
      layer({ maxTokens: 9, trainLimit: 7 }),
      layer({ maxTokens: undefined, trainLimit: null }),
    ]);
    expect([config.maxTokens, config.trainLimit]).toEqual([9, null]);
  });

  test("flags beat the file, the file beats the preset it names, the preset beats the defaults", () => {
    const folder = mkdtempSync(join(tmpdir(), "adastar-config-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "run.yaml");
    writeFileSync(file, "preset: paper\nwarmupSteps: 7\nbatchSize: 3\n");
    const { config, origins } = loadConfig({ file, flags: { batchSize: 5 } });
    expect([config.warmupSteps, config.batchSize, config.learningRate]).toEqual([7, 5, 1e-5]);
    expect([origins.warmupSteps, origins.batchSize, origins.learningRate]).toEqual([file, "flags", "preset paper"]);
  });

  test("paths start at the folder of the layer that states them", () => {
    const file = parseConfig("data: rows/train.jsonl\n", "/some/where/run.yaml");
    const { config } = resolveConfig([file, { source: "flags", folder: process.cwd(), values: { model: "m" } }]);
    expect(config.data).toBe("/some/where/rows/train.jsonl");
    expect(config.model).toBe(resolve("m"));
  });

  test("~ in a path is the home folder, in every setting that takes one; elsewhere it is a letter", () => {
    const { config } = resolveConfig([layer({ data: "~/rows.jsonl", model: "~", runDir: "a/~", verifier: "~/v.mjs" })]);
    expect([config.data, config.model, config.runDir, config.verifier]).toEqual([
      join(homedir(), "rows.jsonl"),
      homedir(),
      "/base/a/~",
      join(homedir(), "v.mjs"),
    ]);
    expect(resolved({ data: "hub:a/~b", model: "~b" })).toMatchObject({ data: "hub:a/~b", model: "/base/~b" });
  });
});

describe("refusals", () => {
  test.each<[Record<string, unknown>, RegExp]>([
    [{ batchsize: 8 }, /expected a known setting, got "batchsize" \(flags\)\. Did you mean batchSize\?/],
    [{ "learning-rate": 1 }, /Did you mean learningRate\?/],
    [{ lerningRate: 1 }, /Did you mean learningRate\?/],
    [{ entirelyUnknown: 1 }, /`adastar run --help` lists all settings/],
    [{ __proto__x: 1 }, /expected a known setting/],
    [{ constructor: 1 }, /expected a known setting, got "constructor"/],
    [{ batchSize: 0 }, /batchSize: expected a whole number of at least 1, got 0 \(flags\)/],
    [{ batchSize: 1.5 }, /batchSize: expected a whole number of at least 1, got 1\.5/],
    [{ batchSize: "8" }, /batchSize: expected a whole number of at least 1, got "8"/],
    [{ batchSize: null }, /batchSize: expected a whole number of at least 1, got null/],
    [{ seed: -1 }, /seed: expected a whole number of at least 0, got -1/],
    [{ seed: 2 ** 53 }, /seed: expected a whole number/],
    [{ topP: 0 }, /topP: expected a number in \(0, 1\], got 0/],
    [{ topP: 1.1 }, /topP: expected a number in \(0, 1\], got 1\.1/],
    [{ beta2: 1 }, /beta2: expected a number in \[0, 1\), got 1/],
    [{ temperature: -0.1 }, /temperature: expected a number of at least 0/],
    [{ temperature: Number.NaN }, /temperature: expected a number/],
    [{ learningRate: Number.POSITIVE_INFINITY }, /learningRate: expected a number above 0/],
    [{ learningRate: 0 }, /learningRate: expected a number above 0, got 0/],
    [{ stepsGrowth: 0.5 }, /stepsGrowth: expected a number of at least 1, got 0\.5/],
    [{ optimizer: "sgd" }, /optimizer: expected one of adam, adamw, got "sgd"/],
    [{ fewShot: "some" }, /fewShot: expected a whole number of at least 0, or all, got "some"/],
    [{ queueKey: ["winRate", "winRate"] }, /queueKey: expected a list of lastSampled, winRate/],
    [{ queueKey: [] }, /queueKey: expected a list/],
    [{ rationalize: "yes" }, /rationalize: expected true or false, or null, got "yes"/],
    [{ data: "" }, /data: expected a path or hub:owner\/name, or null, got ""/],
    [{ preset: "fast" }, /preset: expected one of paper, quick, or null, got "fast"/],
  ])("%j", (values, message) => {
    expect(() => resolved(values)).toThrow(UserError);
    expect(() => resolved(values)).toThrow(message);
  });

  test.each<[string, RegExp]>([
    ["seed: 1\nseed: 2\n", /run\.yaml: expected YAML, got: Map keys must be unique/],
    ["seed: [1\n", /run\.yaml: expected YAML, got: /],
    ["- seed\n", /run\.yaml: expected settings as `key: value` lines/],
    ["just text", /run\.yaml: expected settings/],
    ["seed:\n  deeper: 1\n", /seed: expected a whole number of at least 0, got \{"deeper":1\} \(run\.yaml\)/],
    ["__proto__:\n  polluted: 1\n", /expected a known setting, got "__proto__"/],
  ])("YAML %j", (text, message) => {
    expect(() => resolveConfig([parseConfig(text, "run.yaml")])).toThrow(message);
    expect({}).not.toHaveProperty("polluted");
  });

  test("an empty file sets nothing", () => {
    expect(resolveConfig([parseConfig("# only a comment\n", "run.yaml")]).config.seed).toBe(1);
  });

  test("an unknown task, an unreadable file", () => {
    expect(() => loadConfig({ flags: { task: "nonsense" } })).toThrow(/expected one of .*, got "nonsense"/);
    expect(() => loadConfig({ file: "/no/such/run.yaml" })).toThrow(/expected a readable configuration file/);
  });

  test("any YAML either resolves or is refused as the user's input", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom<string>(...configKeys, "other"), fc.jsonValue()), (values) => {
        try {
          resolveConfig([parseConfig(JSON.stringify(values), "run.yaml")]);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
    );
  });
});

describe("flags", () => {
  test.each<[ConfigKey, string, unknown]>([
    ["learningRate", "3e-4", 3e-4],
    ["maxTokens", "none", null],
    ["fewShot", "all", "all"],
    ["fewShot", "3", 3],
    ["rationalize", "false", false],
    ["queueKey", "winRate, lastSampled", ["winRate", "lastSampled"]],
    ["method", "star-acc", "star-acc"],
  ])("%s %s", (key, text, value) => {
    expect(parseFlag(key, text)).toEqual(value);
  });

  test("a number that is none is refused with the flag's name", () => {
    expect(() => parseFlag("batchSize", "many")).toThrow(
      '--batch-size: expected a whole number of at least 1, got "many"',
    );
    expect(() => parseFlag("batchSize", " ")).toThrow(UserError);
  });
});

describe("what is written", () => {
  test("config.yaml reads back as the same configuration", () => {
    const config = resolved({ queueKey: ["winRate"], learningRate: 2e-7, data: "/x", fewShot: 0, maxFlops: 1e18 });
    expect(resolveConfig([parseConfig(formatConfig(config), "config.yaml")]).config).toEqual(config);
  });
});

describe("the method", () => {
  test("overrides take its parts' place; hints follow the task unless insisted on", () => {
    expect(methodOf(resolved({}), { rationalize: true }).rationalize).toBe(true);
    expect(methodOf(resolved({}), { rationalize: false }).rationalize).toBe(false);
    expect(methodOf(resolved({ rationalize: true }), { rationalize: false }).rationalize).toBe(true);
    const combined = methodOf(resolved({ method: "rest-em", tries: 4, keepPerObservation: "all" }), {
      rationalize: false,
    });
    expect([combined.tries, combined.keepPerObservation, combined.retry]).toEqual([4, null, "always"]);
  });

  test.each(PART_NAMES)("%s is a setting that replaces the method's part", (name) => {
    const key = settingOf(name);
    const { kind, choices = [] } = fieldOf(key);
    const value = kind === "list" ? [choices.at(-1)] : kind === "boolean" ? false : (choices.at(-1) ?? 7);
    const part = name === "keepPerObservation" && value === "all" ? null : value;
    expect(statedParts(resolved({ [key]: value }))).toEqual({ [name]: part });
    expect(statedParts(resolved({}))).toEqual({});
  });

  test("unknown names and parts that do not fit are refused", () => {
    expect(() => methodOf(resolved({ method: "adastr" }), { rationalize: true })).toThrow(/expected a method: /);
    expect(() => methodOf(resolved({ visits: "all" }), { rationalize: true })).toThrow(UserError);
  });
});
