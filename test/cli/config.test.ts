import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadConfig, parseConfig } from "../../src/run/config/config.js";
import { configKeys } from "../../src/run/config/fields.js";
import { configSchema } from "../../src/run/config/schema.js";
import { adastar } from "./in-process.js";

const PUBLISHED = join(import.meta.dirname, "../../dist/config.schema.json");

function freshFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "adastar-init-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "run.yaml");
}

test("the program prints the schema", async () => {
  const { stdout, code } = await adastar(["config", "schema"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(configSchema())));
});

test("the schema has every setting with its description, default, words and limits", () => {
  const { properties, additionalProperties } = configSchema() as {
    readonly properties: Readonly<Record<string, object>>;
    readonly additionalProperties: boolean;
  };
  expect(Object.keys(properties)).toEqual(configKeys);
  expect(additionalProperties).toBe(false);
  expect(properties["optimizer"]).toMatchObject({ enum: ["adam", "adamw"], default: "adam", type: "string" });
  expect(properties["topP"]).toMatchObject({ type: "number", exclusiveMinimum: 0, maximum: 1, default: 0.9 });
  expect(properties["beta2"]).toMatchObject({ minimum: 0, exclusiveMaximum: 1 });
  expect(properties["steps"]).toMatchObject({ type: "integer", minimum: 1 });
  const keyed = { items: { enum: ["lastSampled", "winRate"] }, minItems: 1 };
  expect(properties["queueKey"]).toMatchObject({ anyOf: [keyed, { type: "null" }], uniqueItems: true, default: null });
});

test("init writes a file that sets nothing until a # is removed, and then what it says", async () => {
  const file = freshFile();
  expect((await adastar(["config", "init", file, "--task", "svamp"])).code).toBe(0);
  const text = readFileSync(file, "utf8");
  expect(parseConfig(text, file).values).toEqual({});
  for (const line of text.split("\n").slice(2)) expect(line.length).toBeLessThanOrEqual(100);

  const [, schema = ""] = /^# yaml-language-server: \$schema=(.+)\n/.exec(text) ?? [];
  expect(resolve(dirname(file), schema)).toBe(PUBLISHED);

  const settings = text.replace(/^# (?=[a-zA-Z0-9]+: )/gm, "");
  const expected = loadConfig({ flags: { task: "svamp" } }).config;
  expect(Object.keys(parseConfig(settings, file).values)).toEqual(configKeys);
  writeFileSync(file, settings);
  expect(loadConfig({ file }).config).toEqual(expected);
});

test("init overwrites nothing, and prints on request", async () => {
  const file = freshFile();
  writeFileSync(file, "seed: 3\n");
  const refused = await adastar(["config", "init", file]);
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("which exists; name another one")]);
  expect(readFileSync(file, "utf8")).toBe("seed: 3\n");
  const { stdout } = await adastar(["config", "init", "-", "--preset", "quick"]);
  expect(stdout).toContain("\n# Rounds of sampling and training\n# iterations: 3\n");
});
