import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { resumeRun, startRun } from "../../../src/run/loop/runner.js";
import { filesBelow, type HubServer, startHub } from "../../hub/hub-server.js";
import { smallConfig } from "../small-run.js";

const GSM8K = fileURLToPath(new URL("../../fixtures/data/gsm8k/", import.meta.url));
const COMMIT = "0123456789abcdef0123456789abcdef01234567";

let hub: HubServer;
let home: string;
beforeEach(async () => {
  hub = await startHub({ "openai/gsm8k": { revisions: { main: COMMIT }, files: filesBelow(GSM8K) } });
  home = mkdtempSync(join(tmpdir(), "adastar-hub-run-"));
  vi.stubEnv("HF_ENDPOINT", hub.url);
  vi.stubEnv("HF_HOME", home);
  for (const name of ["HF_TOKEN", "HF_HUB_CACHE", "HF_HUB_OFFLINE"]) vi.stubEnv(name, undefined);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await hub.close();
  rmSync(home, { recursive: true });
});

test("a run records the commit of its data and resumes with that commit, even if the branch moved", async () => {
  const config = smallConfig({ task: "gsm8k", iterations: 1 });
  const stop = new AbortController();
  const first = await startRun(config, (event) => event.kind === "base" && stop.abort(), { signal: stop.signal });
  expect(first.status).toBe("interrupted");
  expect(parse(readFileSync(join(first.runDir, "config.yaml"), "utf8"))).toMatchObject({
    data: `hub:openai/gsm8k@${COMMIT}`,
  });
  await hub.close();
  const resumed = await resumeRun(first.runDir, () => {});
  expect(resumed).toMatchObject({ status: "done", iterations: 1 });
});
