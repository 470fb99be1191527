import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ObservationPage, QueuePicture, RunDetail, RunList } from "../../src/dashboard/api-types.js";
import { type Dashboard, startDashboard } from "../../src/dashboard/server.js";
import { startRun } from "../../src/run/loop/runner.js";
import { engineOf, smallConfig, smallTask } from "../run/small-run.js";

const outside = mkdtempSync(join(tmpdir(), "adastar-outside-"));
const root = mkdtempSync(join(tmpdir(), "adastar-dashboard-"));
const HOSTILE = `<img src=x onerror="alert(1)">`;
let dashboard: Dashboard;

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

async function ask(path: string, { base = dashboard.url, method = "GET", headers = {} } = {}): Promise<Answer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers }, (response) => {
      const { statusCode: status = 0, headers: received } = response;
      text(response).then((body) => resolve({ status, body, headers: received }), reject);
    });
    sent.on("error", reject).end();
  });
}

const json = async <T>(path: string): Promise<T> => JSON.parse((await ask(path)).body) as T;
const run = (name: string) => `run=${encodeURIComponent(name)}`;

beforeAll(async () => {
  const secret = join(outside, "run");
  const runDir = join(root, "one");
  await startRun(smallConfig({ runDir }), () => {}, { task: smallTask, engine: await engineOf() });
  for (const name of [HOSTILE, "torn", "damaged", "pipe", "linked-log"])
    cpSync(runDir, join(root, name), { recursive: true });
  cpSync(runDir, secret, { recursive: true });
  symlinkSync(secret, join(root, "linked"));
  appendFileSync(join(root, "torn", "journal.jsonl"), '{"seq":99,"kind":"fin');
  const journal = join(root, "damaged", "journal.jsonl");
  writeFileSync(journal, readFileSync(journal, "utf8").replace('"kind":"opened"', '"kind":"closed"'));
  rmSync(join(root, "pipe", "progress.json"));
  execFileSync("mkfifo", [join(root, "pipe", "progress.json")]);
  const log = join(root, "linked-log", "iterations", "0001", "samples.jsonl");
  rmSync(log);
  symlinkSync(join(secret, "iterations", "0001", "samples.jsonl"), log);
  mkdirSync(join(root, "no run"));
  dashboard = await startDashboard({ root, host: "127.0.0.1", port: 0 });
});

afterAll(async () => {
  await dashboard.close();
  for (const dir of [root, outside]) rmSync(dir, { recursive: true });
});

describe("runs", () => {
  test("the list has readable runs and says why others cannot be read", async () => {
    const { rows } = await json<RunList>("/api/runs");
    const reasons = new Map(rows.map((row) => [row.id, "reason" in row ? row.reason : null]));
    expect([...reasons.keys()].sort()).toEqual([HOSTILE, "damaged", "linked-log", "one", "pipe", "torn"].sort());
    expect(reasons.get("one")).toBeNull();
    expect(reasons.get(HOSTILE)).toBeNull();
    expect(reasons.get("torn")).toBeNull();
    expect(reasons.get("damaged")).toMatch(/journal/);
    expect(reasons.get("pipe")).toMatch(/regular file/);
    expect(reasons.get("linked-log")).toMatch(/leads out/);
  });

  test("a page of the list has as many as were asked for", async () => {
    const { rows, total } = await json<RunList>("/api/runs?from=4&count=1");
    expect([rows.length, total]).toEqual([1, 6]);
  });

  test("a run's detail has its iterations with intervals", async () => {
    const { records, intervals, row } = await json<RunDetail>(`/api/run?${run("one")}`);
    expect(records.map(({ iteration }) => iteration)).toEqual([1, 2, 3]);
    expect(row.status.kind).toBe("finished");
    for (const [i, interval] of intervals.entries()) {
      expect(interval?.low).toBeLessThanOrEqual(records[i].testAccuracy);
      expect(interval?.high).toBeGreaterThanOrEqual(records[i].testAccuracy);
    }
  });

  test("the picture of the queue counts every observation once", async () => {
    const { cells, never, observations } = await json<QueuePicture>(`/api/queue?${run("one")}&iteration=2`);
    expect(cells.reduce((sum, [, , count]) => sum + count, never)).toBe(observations);
    expect(Math.max(...cells.map(([lastSampled]) => lastSampled))).toBeLessThanOrEqual(2);
  });

  test("observations are searched, filtered and sorted", async () => {
    const all = await json<ObservationPage>(`/api/observations?${run("one")}&count=200`);
    expect([all.total, all.done]).toEqual([60, 3]);
    const solved = await json<ObservationPage>(`/api/observations?${run("one")}&filter=never+solved&count=200`);
    expect(solved.rows.map(({ index }) => index)).toEqual(
      all.rows.filter(({ draws, correct }) => draws > 0 && correct === 0).map(({ index }) => index),
    );
    const { id } = all.rows[7];
    const found = await json<ObservationPage>(`/api/observations?${run("one")}&search=${encodeURIComponent(id)}`);
    expect(found.rows.map((row) => row.id)).toContain(id);
    const sorted = await json<ObservationPage>(`/api/observations?${run("one")}&sort=draws&order=descending&count=200`);
    expect(sorted.rows.map(({ draws }) => draws)).toEqual(all.rows.map(({ draws }) => draws).sort((a, b) => b - a));
  });

  test("an observation that does not exist is refused", async () => {
    const { status, body } = await ask(`/api/observation?${run("one")}&observation=60`);
    expect(status).toBe(400);
    expect(body).toMatch(/below 60/);
  });
});

describe("safety", () => {
  test.each(["../run", "..%2Frun", "/etc", "one/../../run", "linked", "no run", "one%00", ""])(
    "no run outside of the folder of runs is read: %s",
    async (id) => {
      const { status, body } = await ask(`/api/run?run=${id.replace("no run", "no+run")}`);
      expect(status).toBe(400);
      expect(JSON.parse(body)).toHaveProperty("error");
    },
  );

  test.each([
    "/../package.json",
    "/assets/../../../package.json",
    "/%2e%2e/package.json",
    "/assets/%2e%2e%2findex.html",
  ])("no file but the pages is served: %s", async (path) => {
    const { status, body } = await ask(path);
    expect(status).toBe(404);
    expect(body).not.toContain("dependencies");
  });

  test("a request for another host is refused, as after DNS rebinding", async () => {
    expect((await ask("/api/runs", { headers: { host: "evil.example:80" } })).status).toBe(403);
    expect((await ask("/api/runs", { headers: { host: "localhost.evil.example" } })).status).toBe(403);
    expect((await ask("/api/runs", { headers: { host: "localhost:1" } })).status).toBe(200);
  });

  test("pages of other sites may not read, and nobody may write", async () => {
    const headers = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors" };
    expect((await ask("/api/runs", { headers })).status).toBe(403);
    for (const method of ["POST", "PUT", "DELETE"]) expect((await ask("/api/runs", { method })).status).toBe(405);
  });

  test("bound elsewhere, every request needs the token", async () => {
    const open = await startDashboard({ root, host: "0.0.0.0", port: 0 });
    try {
      const base = open.url.replace("0.0.0.0", "127.0.0.1");
      const token = new URL(base).searchParams.get("token") ?? "";
      expect((await ask("/api/runs", { base })).status).toBe(401);
      expect((await ask("/api/runs", { base, headers: { authorization: "Bearer wrong" } })).status).toBe(401);
      expect((await ask("/api/runs", { base, headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
      const entered = await ask(`/?token=${token}`, { base });
      expect([entered.status, entered.headers["location"]]).toEqual([302, "/"]);
      const cookie = String(entered.headers["set-cookie"]).split(";")[0];
      expect((await ask("/api/runs", { base, headers: { cookie } })).status).toBe(200);
    } finally {
      await open.close();
    }
  });

  test("the page runs no scripts but its own", async () => {
    const { headers, body } = await ask("/");
    expect(headers["content-security-policy"]).toContain("script-src 'self'");
    expect(body).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
  });
});
