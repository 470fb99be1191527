import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { ObservationQueue } from "../../../src/algorithm/observation-queue.js";
import { UserError } from "../../../src/errors.js";
import { Disk } from "../../../src/run/directory/disk.js";
import { readJournal } from "../../../src/run/directory/journal.js";
import { RunReader, readRun } from "../../../src/run/directory/reader.js";
import type { DrawnSample } from "../../../src/run/directory/records.js";
import { readSealedLog, SealedLog, sealed } from "../../../src/run/directory/sealed-log.js";
import { readSealed, SealedTail } from "../../../src/run/directory/sealed-tail.js";
import { resumeRun, startRun } from "../../../src/run/loop/runner.js";
import { altered, engineOf, freshDir, smallConfig, smallTask } from "../small-run.js";

const quiet = () => {};
const options = { task: smallTask };
const logPath = (dir: string, t: number, name: string) =>
  join(dir, "iterations", String(t).padStart(4, "0"), `${name}.jsonl`);

let done: string;
beforeAll(async () => {
  done = (await startRun(smallConfig(), quiet, options)).runDir;
});

/** A copy that a test may damage. */
function copyOf(dir: string): string {
  const copy = freshDir();
  cpSync(dir, copy, { recursive: true });
  return copy;
}

/** Names, sizes and times of everything in a folder. */
function stateOf(dir: string): string[] {
  const names = readdirSync(dir, { recursive: true, encoding: "utf8" });
  return names.sort().map((name) => {
    const { size, mtimeMs, ino } = statSync(join(dir, name));
    return `${name} ${size} ${mtimeMs} ${ino}`;
  });
}

describe("a log that is followed", () => {
  const records = Array.from({ length: 5 }, (_, n) => ({ n, text: "ü".repeat(3 * n) }));
  const whole = Buffer.from(records.map((record) => `${sealed(record)}\n`).join(""));

  function path(): string {
    const dir = freshDir();
    mkdirSync(dir);
    return join(dir, "log.jsonl");
  }

  /** Follows the tail to the end of the file; what it held before goes where the tail says so. */
  function follow(tail: SealedTail, held: object[]): object[] {
    for (let more = true; more; ) {
      const chunk = tail.read();
      more = chunk.more;
      if (chunk.restarted) held.length = 0;
      held.push(...chunk.lines.map(({ record }) => record));
    }
    return held;
  }

  test("that grows byte by byte gives each record once, when its line is whole", () => {
    const file = path();
    const tail = new SealedTail(file);
    const held: object[] = [];
    expect(follow(tail, held)).toEqual([]);
    for (let size = 1; size <= whole.length; size++) {
      appendFileSync(file, whole.subarray(size - 1, size));
      const lines = whole.subarray(0, size).filter((byte) => byte === 10).length;
      expect(follow(tail, held)).toEqual(records.slice(0, lines));
    }
  });

  test("that is cut at any byte and written on otherwise is read anew", () => {
    const others = Buffer.from([7, 8, 9].map((n) => `${sealed({ n })}\n`).join(""));
    const starts = [0, ...[...whole.entries()].flatMap(([at, byte]) => (byte === 10 ? [at + 1] : []))];
    for (let cut = 0; cut < whole.length; cut++) {
      const file = path();
      writeFileSync(file, whole);
      const tail = new SealedTail(file);
      const held = follow(tail, []);
      expect(held).toEqual(records);
      truncateSync(file, cut);
      // As a resume does: back to the last whole line, then on from there, beyond the former size or not.
      if (cut % 2 === 0) {
        const line = starts.findLast((start) => start <= cut) ?? 0;
        truncateSync(file, line);
        appendFileSync(file, cut % 4 === 0 ? Buffer.concat([others, others, others]) : others);
      }
      follow(tail, held);
      expect(held, `cut at ${cut}`).toEqual([...readSealed(file)].map(({ record }) => record));
      expect(held).toEqual(readSealedLog(file));
    }
  });

  test("with a torn tail, whatever it is, goes on once the tail is cut off", () => {
    for (const garbage of ["\0\0\0", "{half", "\n", "{}\n", "null\n{nor this}\n", '{"a":1,"check":"00000000"}\n']) {
      const file = path();
      writeFileSync(file, whole);
      appendFileSync(file, garbage);
      const tail = new SealedTail(file);
      const held = follow(tail, []);
      expect(held).toEqual(records);
      const log = new SealedLog<object>(file, new Disk());
      log.append([{ n: 5 }]);
      log.close();
      expect(follow(tail, held)).toEqual([...records, { n: 5 }]);
    }
  });

  test("damaged before a whole line is reported by line, again at every look", () => {
    const file = path();
    writeFileSync(file, whole.toString().replace('"n":2', '"n":7'));
    const tail = new SealedTail(file);
    for (let look = 0; look < 3; look++) {
      expect(() => follow(tail, [])).toThrow(/line 3 is damaged .* line 4 after it is whole/);
    }
  });

  test("longer than a chunk, with lines that are longer too, comes whole", () => {
    const file = path();
    const long = [
      { text: "x".repeat(3_000_000) },
      ...Array.from({ length: 3000 }, (_, n) => ({ n, pad: "y".repeat(900) })),
    ];
    writeFileSync(file, long.map((record) => `${sealed(record)}\n`).join(""));
    expect([...readSealed(file)].map(({ record }) => record)).toEqual(long);
  });
});

describe("a run that is going on", () => {
  test("is followed in the same process: every look finds a beginning of what is there in the end", async () => {
    const config = smallConfig({ iterations: 2 });
    const dir = config.runDir ?? "";
    let reader: RunReader | null = null;
    const seen: { entries: number; steps: number; samples: number; status: string }[] = [];
    const look = () => {
      if (!existsSync(join(dir, "journal.jsonl"))) return;
      reader ??= RunReader.open(dir);
      reader.refresh();
      const samples = [...reader.draws(1)].length;
      const steps = reader.steps(1).length;
      seen.push({ entries: reader.entries.length, steps, samples, status: reader.status.kind });
    };
    await startRun(config, look, options);
    expect(new Set(seen.map(({ status }) => status))).toContain("running");
    for (const [i, now] of seen.slice(1).entries()) {
      for (const key of ["entries", "steps", "samples"] as const) expect(now[key]).toBeGreaterThanOrEqual(seen[i][key]);
    }
    expect(new Set(seen.map(({ samples }) => samples)).size).toBeGreaterThan(2);
    const last = reader as RunReader | null;
    expect(last?.refresh()).toBeDefined();
    expect(last?.entries).toEqual(readJournal(join(dir, "journal.jsonl")));
    expect(last?.steps(1)).toEqual(readSealedLog(logPath(dir, 1, "training")));
    expect(last?.status).toEqual({ kind: "finished", reason: "iterations" });
    expect(last?.refresh()).toBe(false);
  });

  test("whose training log shrinks on resume is read anew", async () => {
    const engine = await engineOf();
    let steps = 0;
    const failing = altered(engine, {
      trainStep: async (...request) => {
        if (++steps === 4) throw new Error("lost");
        return engine.trainStep(...request);
      },
    });
    const config = smallConfig({ iterations: 1 });
    const dir = config.runDir ?? "";
    await expect(startRun(config, quiet, { ...options, engine: failing })).rejects.toThrow();
    const reader = RunReader.open(dir);
    expect(reader.steps(1)).toHaveLength(3);
    expect(reader.status.kind).toBe("failed");
    const counts: number[] = [];
    const listener = ({ kind }: { readonly kind: string }) => {
      if (kind === "training") counts.push(reader.steps(1).length);
    };
    await resumeRun(dir, listener, options);
    expect(Math.min(...counts)).toBe(0);
    expect(reader.steps(1)).toEqual(readSealedLog(logPath(dir, 1, "training")));
    reader.refresh();
    expect(reader.status.kind).toBe("finished");
  });
});

describe("a finished run", () => {
  test("has its figures, pages of samples, and each observation's history", async () => {
    const reader = RunReader.open(done);
    const { observations, testObservations, status, model, method, planned, iterations, task } = reader.overview;
    expect({ observations, testObservations, status, model, method, planned, iterations, task }).toEqual({
      observations: 60,
      testObservations: 20,
      status: { kind: "finished", reason: "iterations" },
      model: reader.opened.model.name,
      method: "adastar",
      planned: 3,
      iterations: 3,
      task: "arithmetic",
    });
    const draws = readSealedLog<DrawnSample>(logPath(done, 2, "samples"));
    expect([...reader.draws(2)]).toEqual(draws);
    expect(await reader.samples(2, { from: 3, count: 4 })).toEqual({ total: draws.length, samples: draws.slice(3, 7) });
    expect((await reader.samples(2, { from: draws.length - 1, count: 9 })).samples).toEqual(draws.slice(-1));
    const correct = draws.filter((draw) => draw.correct);
    expect(await reader.samples(2, { from: 1, count: 2, mark: "correct" })).toEqual({
      total: correct.length,
      samples: correct.slice(1, 3),
    });
    const [{ observation }] = draws;
    const expected = [1, 2, 3].flatMap((iteration) => {
      const samples = readSealedLog<DrawnSample>(logPath(done, iteration, "samples")).filter(
        (draw) => draw.observation === observation,
      );
      return samples.length === 0 ? [] : [{ iteration, samples }];
    });
    expect(await reader.history(observation)).toEqual(expected);
  });

  test("has the queue of each iteration, as cells too", () => {
    const reader = RunReader.open(done);
    const queue = reader.queue(3);
    const cells = reader.queueCells(3) ?? [];
    const restored = ObservationQueue.restore(readFileSync(join(done, "iterations", "0003", "queue.bin")));
    for (let i = 0; i < 60; i++) {
      expect(queue?.lastSampled[i]).toBe(restored.lastSampled(i));
      expect({ correct: queue?.correct[i], drawn: queue?.drawn[i] }).toEqual(restored.counts(i));
    }
    expect(cells.length).toBeGreaterThan(2);
    expect(cells.reduce((sum, { observations }) => sum + observations, 0)).toBe(60);
    for (const { lastSampled, correct, drawn, observations } of cells) {
      const alike = Array.from({ length: 60 }, (_, i) => i).filter(
        (i) => queue?.lastSampled[i] === lastSampled && queue.correct[i] === correct && queue.drawn[i] === drawn,
      );
      expect(alike).toHaveLength(observations);
    }
    expect(reader.queue(4)).toBeNull();
  });

  test("is read without a trace", async () => {
    const before = stateOf(done);
    const reader = RunReader.open(done);
    reader.overview;
    await reader.samples(1, { from: 0, count: 9 });
    reader.queueCells(1);
    reader.steps(1);
    readRun(done);
    expect(stateOf(done)).toEqual(before);
  });
});

describe("how a run stands", () => {
  const unfinished = (): string => {
    const dir = copyOf(done);
    const path = join(dir, "journal.jsonl");
    const lines = readFileSync(path, "utf8").split("\n");
    writeFileSync(path, `${lines.slice(0, -2).join("\n")}\n`);
    rmSync(join(dir, "progress.json"));
    return dir;
  };
  const statusOf = (dir: string) => RunReader.open(dir).status;

  test("an older run without progress is finished or interrupted", () => {
    expect(statusOf(unfinished())).toEqual({ kind: "interrupted", killed: false });
  });

  test("a living owner is running, one that was killed is not", async () => {
    const dir = unfinished();
    // The lock is taken by a real process, which is then really killed.
    const lock = { host: hostname(), startTicks: null, since: "now" };
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    writeFileSync(join(dir, "lock"), JSON.stringify({ pid: child.pid, ...lock }));
    expect(statusOf(dir)).toMatchObject({ kind: "running", owner: { pid: child.pid } });
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(statusOf(dir)).toEqual({ kind: "interrupted", killed: true });
  });

  test("one that was never begun has its settings and nothing else", () => {
    const dir = freshDir();
    mkdirSync(dir);
    cpSync(join(done, "config.yaml"), join(dir, "config.yaml"));
    const { status, model, iterations, baseAccuracy } = RunReader.open(dir).overview;
    expect({ status: status.kind, model, iterations, baseAccuracy }).toEqual({
      status: "interrupted",
      model: null,
      iterations: 0,
      baseAccuracy: null,
    });
  });
});

test("an older run has the values that its version implied, and its lines keep their order", () => {
  const dir = copyOf(done);
  const path = join(dir, "journal.jsonl");
  const missing = new Set(["logs", "canary", "trainableParameters", "probes", "balance", "accuracies"]);
  const entries = readJournal(path);
  const lines = entries.map((entry) =>
    sealed(
      JSON.parse(JSON.stringify(entry, (key, value: unknown) => (missing.has(key) ? undefined : value))) as object,
    ),
  );
  expect(lines.join("")).not.toMatch(/"logs"|"canary"|"trainableParameters"|"probes"|"balance"|"accuracies"/);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(""));
  const reader = RunReader.open(dir);
  expect(reader.find("trained", 1)).toMatchObject({ logs: [], canary: [] });
  expect(reader.opened.model.trainableParameters).toBe(reader.opened.model.parameters);
  expect(reader.records.map(({ accuracies, flops }) => [accuracies, flops.probes])).toEqual(
    [1, 2, 3].map(() => [{}, 0]),
  );
  expect(reader.overview.status.kind).toBe("finished");
  // Entries are compared as text when a run is resumed.
  expect(Object.keys(readJournal(path)[1]).slice(0, 3)).toEqual(["seq", "time", "kind"]);
  expect(readRun(done).entries.map((entry) => JSON.stringify(entry))).toEqual(
    entries.map((entry) => JSON.stringify(entry)),
  );
  const text = readFileSync(join(done, "journal.jsonl"), "utf8").trimEnd().split("\n");
  for (const [i, entry] of entries.entries()) expect(sealed(entry)).toBe(text[i]);
});

describe("what is no run, or damaged", () => {
  test("is a UserError for every byte that is flipped in the journal, or a beginning of the run", () => {
    const dir = copyOf(done);
    const path = join(dir, "journal.jsonl");
    const whole = readFileSync(path);
    const all = readJournal(path);
    for (let at = 0; at < whole.length; at += 97) {
      const bytes = Buffer.from(whole);
      bytes[at] ^= 1 << (at % 8);
      writeFileSync(path, bytes);
      try {
        const { entries } = RunReader.open(dir);
        expect(entries).toEqual(all.slice(0, entries.length));
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    }
  });

  test("is reported: nothing there, a file, a folder in a file's place, sealed lines of something else", async () => {
    const refused = (dir: string) => expect(() => RunReader.open(dir)).toThrow(UserError);
    refused("/nowhere");
    refused(join(done, "table.csv"));
    const folder = freshDir();
    mkdirSync(join(folder, "journal.jsonl"), { recursive: true });
    refused(folder);
    for (const foreign of [
      { a: 1 },
      { seq: 0 },
      { seq: 0, kind: "opened", format: 1 },
      { seq: 0, kind: "opened", format: 9 },
    ]) {
      const dir = freshDir();
      mkdirSync(dir);
      writeFileSync(join(dir, "journal.jsonl"), `${sealed(foreign)}\n`);
      refused(dir);
    }
    const dir = copyOf(done);
    writeFileSync(logPath(dir, 1, "samples"), `${sealed({ wave: 0, observation: "x" })}\n`);
    writeFileSync(logPath(dir, 1, "training"), `${sealed({ step: "one" })}\n`);
    writeFileSync(join(dir, "iterations", "0001", "queue.bin"), "somebody else's");
    const reader = RunReader.open(dir);
    await expect(reader.samples(1, { from: 0, count: 1 })).rejects.toThrow(/line 1 .*not what a run writes there/);
    expect(() => reader.steps(1)).toThrow(UserError);
    expect(() => reader.queue(1)).toThrow(UserError);
    expect(() => [...reader.draws(1)]).toThrow(UserError);
  });
});
