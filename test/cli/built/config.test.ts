import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { configSchema } from "../../../src/run/config/schema.js";
import { adastar } from "./command.js";

test("packing writes the schema that a new configuration file refers to", async () => {
  const root = join(import.meta.dirname, "../../..");
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  for (const name of ["prepare", "prepack"]) expect(scripts[name]).toContain("npm run --silent schema");
  expect(spawnSync("npm", ["run", "--silent", "schema"], { cwd: root, shell: true }).status).toBe(0);

  const cwd = mkdtempSync(join(tmpdir(), "adastar-schema-"));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  expect((await adastar(["config", "init"], { cwd })).code).toBe(0);
  const [, path = ""] = /\$schema=(.+)/.exec(readFileSync(join(cwd, "adastar.yaml"), "utf8")) ?? [];
  const found: unknown = JSON.parse(readFileSync(resolve(cwd, path), "utf8"));
  expect(found).toEqual(JSON.parse(JSON.stringify(configSchema())));
});
