import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Builds dist once before the tests that start the built command. */
export function setup(): void {
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  const tsc = fileURLToPath(new URL("../../../node_modules/typescript/bin/tsc", import.meta.url));
  const build = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, encoding: "utf8" });
  if (build.status !== 0) throw new Error(`expected the build to succeed, got:\n${build.stdout}${build.stderr}`);
}
