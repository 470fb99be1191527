import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { UserError } from "../../../src/errors.js";
import type { RunEvent } from "../../../src/run/events.js";
import { resumeRun, startRun } from "../../../src/run/loop/runner.js";
import { filesBelow, type HubServer, startHub } from "../../hub/hub-server.js";
import { freshDir, smallConfig } from "../small-run.js";

const STARTER = fileURLToPath(new URL("../../../models/starter/", import.meta.url));
const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const NEWER = "fedcba9876543210fedcba9876543210fedcba98";

let hub: HubServer;
let home: string;
beforeEach(async () => {
  const files = filesBelow(STARTER);
  hub = await startHub({}, { "adastar/starter": { revisions: { main: COMMIT }, files } });
  home = mkdtempSync(join(tmpdir(), "adastar-hub-model-run-"));
  vi.stubEnv("HF_ENDPOINT", hub.url);
  vi.stubEnv("HF_HOME", home);
  for (const name of ["HF_TOKEN", "HF_HUB_CACHE", "HF_HUB_OFFLINE"]) vi.stubEnv(name, undefined);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await hub.close();
  rmSync(home, { recursive: true });
});

const settings = {
  engine: "onnx",
  threads: 1,
  trainSize: 12,
  testSize: 4,
  iterations: 1,
  batchSize: 2,
  steps: 1,
} as const;

test("a run notes the commit of its model, and continues with it after the branch has moved and the hub is gone", async () => {
  const config = smallConfig({ ...settings, model: "hub:adastar/starter" });
  const stop = new AbortController();
  const events: RunEvent[] = [];
  const listener = (event: RunEvent) => {
    events.push(event);
    if (event.kind === "base") stop.abort();
  };
  const first = await startRun(config, listener, { signal: stop.signal });
  expect(first.status).toBe("interrupted");
  expect(events.find((event) => event.kind === "started")).toMatchObject({ model: { name: "adastar/starter" } });
  expect(parse(readFileSync(join(first.runDir, "config.yaml"), "utf8"))).toMatchObject({
    model: `hub:adastar/starter@${COMMIT}`,
  });
  hub.models["adastar/starter"] = { revisions: { main: NEWER }, files: {} };
  await hub.close();
  expect(await resumeRun(first.runDir, () => {})).toMatchObject({ status: "done", iterations: 1 });
});

test("own data and benchmarks need a model, and say so before anything is read", async () => {
  const data = join(home, "rows.jsonl");
  writeFileSync(data, "no JSON");
  for (const task of ["jsonl", "gsm8k"]) {
    const run = startRun(smallConfig({ engine: "onnx", task, data, runDir: freshDir() }), () => {});
    await expect(run).rejects.toThrow(UserError);
    await expect(run).rejects.toThrow(
      `task ${task}: expected a model (--model), got none; give a checkpoint's folder or`,
    );
  }
  expect(hub.requests).toEqual([]);
});
