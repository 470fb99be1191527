import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import type { RunEvent } from "../../../src/run/events.js";
import { resumeRun, startRun } from "../../../src/run/loop/runner.js";
import { smallConfig } from "../small-run.js";

test("own data in one file: the run names the verifier that it chose, keeps it, and tests on the share asked for", async () => {
  const folder = mkdtempSync(join(tmpdir(), "adastar-own-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const data = join(folder, "rows.jsonl");
  const rows = Array.from({ length: 60 }, (_, i) => ({ question: `${i} + 1?`, answer: i + 1 }));
  writeFileSync(data, rows.map((row) => JSON.stringify(row)).join("\n"));
  const config = smallConfig({ task: null, data, evalShare: 0.3, iterations: 1, trainLimit: null, evalLimit: null });
  const events: RunEvent[] = [];
  const stop = new AbortController();
  const first = await startRun(
    config,
    (event) => {
      events.push(event);
      if (event.kind === "base") stop.abort();
    },
    { signal: stop.signal },
  );
  expect(first.status).toBe("interrupted");
  expect(events.flatMap((event) => (event.kind === "notice" ? [event.text] : []))).toContainEqual(
    expect.stringMatching(/answers are compared by the verifier number: all \d+ gold answers/),
  );
  expect(parse(readFileSync(join(first.runDir, "config.yaml"), "utf8"))).toMatchObject({
    verifier: "number",
    evalShare: 0.3,
  });
  expect(await resumeRun(first.runDir, () => {})).toMatchObject({ status: "done", iterations: 1 });
});
