import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { METHODS } from "../../src/algorithm/methods.js";
import { TASKS } from "../../src/tasks/registry.js";
import { adastar } from "./in-process.js";

describe("help", () => {
  test("lists the commands and the exit codes", async () => {
    const { code, stdout } = await adastar(["--help"]);
    expect(code).toBe(0);
    for (const command of ["run", "resume", "eval", "generate", "pretrain", "methods", "tasks"])
      expect(stdout).toMatch(new RegExp(`^  ${command} `, "m"));
    expect(stdout).toContain("Exit codes:");
  });

  test.each(["run", "resume", "eval", "generate", "pretrain", "methods", "tasks"])(
    "%s has an example",
    async (command) => {
      const { code, stdout, stderr } = await adastar([command, "--help"]);
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toMatch(new RegExp(`Examples?:\n  \\$ adastar ${command}`));
    },
  );

  test("--version is the package's", async () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(await adastar(["--version"])).toMatchObject({ code: 0, stdout: `${version}\n` });
  });

  test("a command line without a command lists the commands", async () => {
    const { code, stdout, stderr } = await adastar([]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("Usage: adastar");
  });
});

describe("input that cannot work exits with 2, says why on stderr, and leaves stdout empty", () => {
  test.each<[string, string[], RegExp]>([
    ["an unknown command", ["evall"], /unknown command 'evall'\n\(Did you mean eval\?\)/],
    ["an unknown flag", ["run", "--sed", "2"], /unknown option '--sed'\n\(Did you mean --seed\?\)/],
    ["a superfluous argument", ["run", "fast"], /too many arguments/],
    ["a missing argument", ["resume"], /missing required argument 'dir'/],
    ["a missing flag", ["generate", "--prompt", "x"], /required option '--model <path>' not specified/],
    [
      "a number that is none",
      ["run", "--iterations", "two"],
      /--iterations: expected a whole number of at least 0, got "two"/,
    ],
    ["a number outside its limits", ["run", "--top-p", "1.5"], /topP: expected a number in \(0, 1\], got 1\.5/],
    [
      "flags that the method has no use for",
      ["run", "--method", "b-star", "--temperature", "1", "--steps", "3"],
      /expected flags that b-star has a use for, got --temperature \(the temperature is chosen by balance score\), --steps/,
    ],
    [
      // Its tests by self-consistency sample, so --top-p has an effect.
      "sampling flags that gold answers have no use for",
      ["run", "--method", "sft", "--temperature", "1", "--top-p", "0.5"],
      /expected flags that sft has a use for, got --temperature \([^)]*\); leave/,
    ],
    ["an unknown method", ["run", "--method", "adstar"], /expected a method: adastar, /],
    ["an unknown task", ["run", "--task", "sudoku"], /expected one of .*, got "sudoku"/],
    [
      "a configuration that is not there",
      ["run", "--config", "/nowhere.yaml"],
      /expected a readable configuration file/,
    ],
    ["a run directory that is none", ["resume", "/nowhere"], /expected a run directory/],
    ["a model that is none", ["generate", "--model", "/nowhere", "--prompt", "x"], /expected .*\/nowhere/],
    [
      "flags that exclude each other",
      ["generate", "--model", "m", "--prompt", "x", "--greedy", "--temperature", "1"],
      /cannot be used with/,
    ],
    [
      "a temperature below 0",
      ["generate", "--model", "m", "--prompt", "x", "--temperature", "-1"],
      /Expected a number of at least 0/,
    ],
    [
      "no room for any token",
      ["generate", "--model", "m", "--prompt", "x", "--max-tokens", "0"],
      /Expected a whole number of at least 1/,
    ],
  ])("%s", async (_, args, message) => {
    const { code, stdout, stderr } = await adastar(args);
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).not.toContain("    at ");
  });
});

describe("methods and tasks", () => {
  test("as tables", async () => {
    const methods = await adastar(["methods"]);
    for (const name of Object.keys(METHODS)) expect(methods.stdout).toMatch(new RegExp(`^${name} `, "m"));
    const tasks = await adastar(["tasks"]);
    for (const { name } of TASKS) expect(tasks.stdout).toMatch(new RegExp(`^${name} `, "m"));
  });

  test("as JSON", async () => {
    expect(JSON.parse((await adastar(["methods", "--json"])).stdout)).toEqual(Object.values(METHODS));
    const tasks = JSON.parse((await adastar(["tasks", "--json"])).stdout);
    expect(tasks.map((task: { name: string }) => task.name)).toEqual(TASKS.map((task) => task.name));
    expect(Object.keys(tasks[0])).toEqual(["name", "description", "defaults", "options"]);
  });
});
