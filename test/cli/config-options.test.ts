import { Command } from "commander";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addConfigOptions, statedSettings } from "../../src/cli/config-options.js";
import { loadConfig, resolveConfig } from "../../src/run/config/config.js";
import { type ConfigKey, configKeys, fields } from "../../src/run/config/fields.js";
import { type Field, flagOf } from "../../src/settings.js";
import { adastar } from "./in-process.js";

function parse(...args: string[]): Record<string, unknown> {
  const command = addConfigOptions(new Command("run"))
    .option("--json")
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  command.parse(args, { from: "user" });
  return statedSettings(command.opts());
}

/** A value that a setting takes and that is not its default, with the text a user types for it. */
function sample(key: ConfigKey): { text: string; value: unknown } {
  const field = fields[key] as Field;
  if (field.kind === "list") {
    const value = [...(field.choices ?? ["one", "two"])].reverse();
    return { text: value.join(","), value };
  }
  if (field.kind === "boolean") return { text: "true", value: true };
  const candidates: unknown[] = [...(field.choices ?? []), 3, 0.5, "some text"];
  const value = candidates.find((one) => one !== field.default && field.schema.safeParse(one).success);
  return { text: String(value), value };
}

describe("flags of the settings", () => {
  test.each(configKeys)("%s has a flag that sets it", (key) => {
    const { text, value } = sample(key);
    const stated = parse(flagOf(key), text);
    expect(stated).toEqual({ [key]: value });
    expect(() => resolveConfig([{ source: "flags", folder: "/", values: stated }])).not.toThrow();
  });

  test("any few of them together are the settings stated, and nothing else is", () => {
    fc.assert(
      fc.property(fc.subarray([...configKeys]), (keys) => {
        const args = keys.flatMap((key) => [flagOf(key), sample(key).text]);
        expect(parse(...args, "--json")).toEqual(Object.fromEntries(keys.map((key) => [key, sample(key).value])));
      }),
      { numRuns: 30 },
    );
  });

  test("nothing stated is nothing set, so that defaults of the task and files hold", () => {
    expect(parse()).toEqual({});
  });

  test("booleans: bare, negated, and with a word", () => {
    expect(parse("--rationalize")).toEqual({ rationalize: true });
    expect(parse("--no-rationalize")).toEqual({ rationalize: false });
    expect(parse("--rationalize", "false")).toEqual({ rationalize: false });
  });

  test("none unsets a setting", () => expect(parse("--max-gradient-norm", "none")).toEqual({ maxGradientNorm: null }));

  test.each([
    [["--iteration", "2"], /unknown option '--iteration'\n\(Did you mean --iterations\?\)/],
    [["--batchsize", "2"], /Did you mean --batch-size\?/],
    [["--iterations", "two"], /--iterations: expected a whole number of at least 0, got "two"/],
    [["--iterations"], /argument missing/],
  ])("%j is refused", (args, message) => expect(() => parse(...args)).toThrow(message));
});

test("the help groups the flags and says every default", () => {
  const help = addConfigOptions(new Command("run")).configureHelp({ helpWidth: 400 }).helpInformation();
  for (const heading of ["Task and data:", "Model and engine:", "Method:", "Sampling:", "Training:", "Run:"])
    expect(help).toContain(`\n${heading}\n`);
  const { config, origins } = loadConfig();
  for (const key of configKeys) {
    const field = fields[key] as Field;
    const line = help.split("\n").find((one) => one.trim().startsWith(`${flagOf(key)} `));
    expect(line).toContain(field.description);
    const value = config[key];
    if (value !== null)
      expect(line).toContain(`(default ${value}${origins[key] === "default" ? "" : ", task arithmetic"})`);
  }
});

test("the help shows the values of the task and preset that are named, and those of a bare run for unknown ones", async () => {
  const help = async (...args: string[]) => (await adastar(["run", ...args, "--help"])).stdout.replace(/\s+/g, " ");
  expect(await help()).toContain("Rounds of sampling and training (default 6, task arithmetic)");
  expect(await help("--task", "svamp")).toContain("Rounds of sampling and training (default 10)");
  expect(await help("--preset", "quick")).toContain("Rounds of sampling and training (default 3, preset quick)");
  expect(await help("--task", "nonsense")).toContain("Rounds of sampling and training (default 6, task arithmetic)");
});
