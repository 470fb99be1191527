/** Disks that are full or cannot be written, memory that runs out, and clocks that go backwards. */

import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { UserError } from "../../../src/errors.js";
import type { RunConfig } from "../../../src/run/config/fields.js";
import { RunReader } from "../../../src/run/directory/reader.js";
import { sealed } from "../../../src/run/directory/sealed-log.js";
import { resumeRun, startRun } from "../../../src/run/loop/runner.js";
import { altered, engineOf, essence, freshDir, recorder, smallConfig, smallTask } from "../small-run.js";

const quiet = () => {};
const settings: Partial<RunConfig> = {
  iterations: 2,
  steps: 4,
  batchSize: 3,
  checkpointSteps: 2,
  trainLimit: 40,
  evalLimit: 12,
  samplingBatch: 6,
};

let whole: Record<string, unknown>;
let diskSteps = 0;
beforeAll(async () => {
  const { runDir } = await startRun(smallConfig(settings), quiet, {
    task: smallTask,
    onDiskStep: () => void diskSteps++,
  });
  whole = essence(runDir);
});

/** Half-written files, by name. */
function drafts(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, encoding: "utf8" }).filter((name) => /\.tmp$|^lock/.test(name));
}

/** Every line of every log is whole. */
function expectWholeLines(dir: string): void {
  for (const name of existsSync(dir) ? readdirSync(dir, { recursive: true, encoding: "utf8" }) : []) {
    if (!name.endsWith(".jsonl")) continue;
    const text = readFileSync(join(dir, name), "utf8");
    expect(text === "" || text.endsWith("}\n"), name).toBe(true);
  }
}

describe("a full disk", () => {
  test("at any step: a clean stop that says so, nothing half-written, and the run goes on once there is room", async () => {
    for (let n = 0; n < diskSteps; n += 7) {
      const config = smallConfig(settings);
      const dir = config.runDir ?? "";
      let step = 0;
      const onDiskStep = (kind: string, path: string) => {
        if (step++ !== n) return;
        // A part of the line still found room.
        if (kind === "write" && existsSync(path)) appendFileSync(path, '{"half":"a lin');
        throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
      };
      const attempt = startRun(config, quiet, { task: smallTask, onDiskStep });
      await expect(attempt, `step ${n}`).rejects.toThrow(UserError);
      await expect(attempt).rejects.toThrow(/the disk is full: free some space, then go on/);
      expect(drafts(dir), `step ${n}`).toEqual([]);
      expectWholeLines(dir);
      if (existsSync(join(dir, "config.yaml"))) await resumeRun(dir, quiet, { task: smallTask });
      else await startRun(config, quiet, { task: smallTask });
      expect(essence(dir), `full at step ${n}`).toEqual(whole);
    }
  }, 60_000);
});

/** A small file system of its own; null where it cannot be mounted. */
function mounted(options: string): { readonly dir: string; readonly again: (options: string) => void } | null {
  const dir = mkdtempSync(join(tmpdir(), "adastar-mount-"));
  const run = (args: readonly string[]) => spawnSync("mount", args, { encoding: "utf8" }).status === 0;
  if (process.getuid?.() !== 0 || !run(["-t", "tmpfs", "-o", options, "tmpfs", dir])) {
    rmSync(dir, { recursive: true });
    return null;
  }
  mounts.push(dir);
  return { dir, again: (other) => expect(run(["-o", `remount,${other}`, dir])).toBe(true) };
}

const mounts: string[] = [];
afterAll(() => {
  for (const dir of mounts) {
    spawnSync("umount", [dir]);
    rmSync(dir, { recursive: true, force: true });
  }
});

describe("a file system of a certain size", () => {
  test("too small for the run: stops cleanly, and goes on when it has grown", async ({ skip }) => {
    const place = mounted("size=96k");
    if (place === null) return skip("needs the right to mount a tmpfs");
    const config = smallConfig({ ...settings, runDir: join(place.dir, "run") });
    const attempt = startRun(config, quiet, { task: smallTask });
    await expect(attempt).rejects.toThrow(UserError);
    await expect(attempt).rejects.toThrow(/the disk is full: free some space.*ENOSPC/);
    expect(drafts(join(place.dir, "run"))).toEqual([]);
    expectWholeLines(join(place.dir, "run"));
    place.again("size=4m");
    await resumeRun(join(place.dir, "run"), quiet, { task: smallTask });
    expect(essence(join(place.dir, "run"))).toEqual(whole);
  });

  test("read-only: a finished run is read there, none is started or resumed", async ({ skip }) => {
    const place = mounted("size=4m");
    if (place === null) return skip("needs the right to mount a tmpfs");
    const config = smallConfig({ ...settings, runDir: join(place.dir, "run") });
    const summary = await startRun(config, quiet, { task: smallTask });
    place.again("ro");
    const message = /the file system is read-only: choose another folder/;
    const more = { task: smallTask, settings: { iterations: 3 } };
    await expect(resumeRun(join(place.dir, "run"), quiet, more)).rejects.toThrow(message);
    expect(await resumeRun(join(place.dir, "run"), quiet, { task: smallTask })).toEqual(summary);
    const reader = RunReader.open(join(place.dir, "run"));
    expect(reader.overview).toMatchObject({ status: { kind: "finished" }, iterations: 2 });
    expect((await reader.samples(1, { from: 0, count: 1 })).samples).toHaveLength(1);
    const other = smallConfig({ ...settings, runDir: join(place.dir, "other") });
    await expect(startRun(other, quiet, { task: smallTask })).rejects.toThrow(message);
  });
});

test("memory that runs out: the settings to lower are named", async () => {
  const engine = await engineOf();
  const refusal = new Error("Non-zero status code returned: std::bad_alloc");
  const failing = (method: "sample" | "trainStep") =>
    altered(
      engine,
      method === "trainStep"
        ? { trainStep: () => Promise.reject(refusal) }
        : {
            sample: () => {
              throw refusal;
            },
          },
    );
  const start = (method: "sample" | "trainStep") =>
    startRun(smallConfig(settings), quiet, { task: smallTask, engine: failing(method) });
  await expect(start("sample")).rejects.toThrow(
    /sampling 6 sequences at once ran out of memory: .*--sampling-batch, --max-tokens/,
  );
  await engine.reset();
  await expect(start("trainStep")).rejects.toThrow(
    /training in iteration 1 ran out of memory: .*--max-tokens or --batch-size/,
  );
});

describe("how the last session ended", () => {
  const notices = async (dir: string) => {
    const { events, listen } = recorder();
    await resumeRun(dir, listen, { task: smallTask });
    return events.flatMap((event) => (event.kind === "notice" ? [event.text] : [])).join("\n");
  };
  const stopped = async () => {
    const controller = new AbortController();
    const { runDir } = await startRun(smallConfig(settings), ({ kind }) => kind === "iteration" && controller.abort(), {
      task: smallTask,
      signal: controller.signal,
    });
    return runDir;
  };

  test("by a kill: said, with what to lower if memory was short", async () => {
    const dir = await stopped();
    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    writeFileSync(join(dir, "lock"), JSON.stringify({ pid: dead, host: hostname(), startTicks: null, since: "then" }));
    writeFileSync(join(dir, `lock.${dead}`), "");
    expect(await notices(dir)).toMatch(new RegExp(`process ${dead}, .* since then, was killed.* lack of memory`));
    expect(essence(dir)).toEqual(whole);
  });

  test("later than now: the clock went backwards, which is said and harmless", async () => {
    const dir = await stopped();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 86_400_000 });
    try {
      expect(await notices(dir)).toMatch(/the clock went backwards: the journal's last entry was written at \d{4}-/);
    } finally {
      vi.useRealTimers();
    }
    expect(essence(dir)).toEqual(whole);
  });
});

test("a journal of another kind is refused, whatever stands in it", async () => {
  const dir = freshDir();
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "journal.jsonl"), `${sealed({ seq: 0, kind: "opened", format: 7 })}\n`);
  await expect(resumeRun(dir, quiet, { task: smallTask })).rejects.toThrow(
    /expected a journal of format 1, got format 7/,
  );
});
