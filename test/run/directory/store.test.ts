import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
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
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { methodNamed } from "../../../src/algorithm/methods.js";
import { UserError } from "../../../src/errors.js";
import { resolveConfig } from "../../../src/run/config/config.js";
import { Disk } from "../../../src/run/directory/disk.js";
import { type EventOf, Journal, readJournal } from "../../../src/run/directory/journal.js";
import { takeLock } from "../../../src/run/directory/lock.js";
import { parseSealedLines, SealedLog, sealed, unsealed } from "../../../src/run/directory/sealed-log.js";
import { RunStore } from "../../../src/run/directory/store.js";
import { Tape } from "../../../src/run/directory/tape.js";

const created: string[] = [];
afterAll(() => {
  for (const dir of created) rmSync(dir, { recursive: true, force: true });
});

const folder = () => {
  const dir = mkdtempSync(join(tmpdir(), "adastar-store-"));
  created.push(dir);
  return dir;
};
const { config } = resolveConfig([]);
const finished = { kind: "finished", reason: "iterations" } as const;

describe("sealed lines", () => {
  const record = fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue(), { minKeys: 1 });

  test("any object comes back from its line", () => {
    fc.assert(
      fc.property(record, (value) => {
        const line = sealed(value);
        expect(line).not.toContain("\n");
        expect(unsealed(line)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test("a changed character never passes", () => {
    fc.assert(
      fc.property(record, fc.nat(), fc.integer({ min: 1, max: 127 }), (value, at, flip) => {
        const line = sealed(value);
        const index = at % line.length;
        const changed =
          line.slice(0, index) + String.fromCharCode(line.charCodeAt(index) ^ flip) + line.slice(index + 1);
        expect(unsealed(changed)).toBeNull();
      }),
    );
  });

  test("a file cut anywhere reads as its whole lines; with garbage behind, too", () => {
    const records = [{ a: 1 }, { b: "ü\n" }, { c: [1, 2, 3] }];
    const bytes = Buffer.from(records.map((value) => `${sealed(value)}\n`).join(""));
    const { ends } = parseSealedLines(bytes, "log");
    for (let cut = 0; cut <= bytes.length; cut++) {
      const whole = ends.filter((end) => end <= cut).length;
      for (const tail of ["", "\0\0\0\n\0", "{not json\n{nor this}\n"]) {
        const found = parseSealedLines(Buffer.concat([bytes.subarray(0, cut), Buffer.from(tail)]), "log");
        expect(found.records).toEqual(records.slice(0, whole));
      }
    }
  });

  test("damage before a whole line is refused with file and line", () => {
    const text = `${sealed({ a: 1 })}\n${sealed({ a: 2 })}\n${sealed({ a: 3 })}\n`;
    expect(() => parseSealedLines(Buffer.from(text.replace('"a":2', '"a":5')), "x.jsonl")).toThrow(
      /x\.jsonl: line 2 is damaged .* line 3 after it is whole/,
    );
  });

  test("a log cuts off a torn tail, goes on behind it, and can be cut back", () => {
    const path = join(folder(), "log.jsonl");
    const log = new SealedLog<{ n: number }>(path, new Disk());
    log.append([{ n: 0 }, { n: 1 }]);
    log.close();
    appendFileSync(path, sealed({ n: 2 }).slice(0, 9));
    const again = new SealedLog<{ n: number }>(path, new Disk());
    expect(again.records).toEqual([{ n: 0 }, { n: 1 }]);
    again.append([{ n: 3 }]);
    again.truncate(2);
    again.append([{ n: 4 }]);
    again.truncate(3);
    again.close();
    expect(parseSealedLines(readFileSync(path), path).records).toEqual([{ n: 0 }, { n: 1 }, { n: 4 }]);
  });
});

describe("the journal", () => {
  const model = {
    name: "m",
    parameters: 9,
    nonEmbeddingParameters: 5,
    trainableParameters: 9,
    layers: 1,
    attentionWidth: 2,
    contextLength: 8,
    vocabularySize: 3,
  };
  const opened: EventOf<"opened"> = {
    kind: "opened",
    format: 1,
    settings: {},
    data: "",
    weights: "",
    canary: [],
    model,
    method: methodNamed("adastar"),
  };

  test("entries are numbered; a missing one is noticed", () => {
    const path = join(folder(), "journal.jsonl");
    const journal = new Journal(path, new Disk());
    journal.append(opened);
    journal.append(finished);
    journal.append(finished);
    journal.close();
    expect(readJournal(path).map(({ seq }) => seq)).toEqual([0, 1, 2]);
    const lines = readFileSync(path, "utf8").split("\n");
    writeFileSync(path, [lines[0], lines[2], ""].join("\n"));
    expect(() => readJournal(path)).toThrow(/expected entry 1 on line 2, got entry 2/);
  });

  test("whatever happens to its file, it reads as a beginning of what was written, or is refused by name", () => {
    const path = join(folder(), "journal.jsonl");
    const journal = new Journal(path, new Disk());
    journal.append(opened);
    for (let i = 0; i < 6; i++) journal.append(finished);
    const { entries } = journal;
    journal.close();
    const whole = readFileSync(path);
    const starts = [...whole.entries()].flatMap(([at, byte]) => (byte === 10 ? [at + 1] : []));
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom("\n", "{}\n", "null\n", '{"seq":1}\n').map(Buffer.from),
    );
    const change = fc.oneof(
      fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }),
      fc.record({ kind: fc.constant("insert" as const), at: fc.nat(), bytes: garbage }),
      fc.record({ kind: fc.constant("insert line" as const), at: fc.nat(), bytes: garbage }),
      fc.record({ kind: fc.constant("double line" as const), at: fc.nat() }),
      fc.record({ kind: fc.constant("flip" as const), at: fc.nat(), bit: fc.nat(7) }),
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        let bytes: Buffer = Buffer.from(whole);
        for (const one of changes) {
          const at = one.at % (bytes.length + 1);
          const line = starts[one.at % starts.length] ?? 0;
          if (one.kind === "cut") bytes = bytes.subarray(0, at);
          else if (one.kind === "insert") bytes = Buffer.concat([bytes.subarray(0, at), one.bytes, bytes.subarray(at)]);
          else if (one.kind === "insert line")
            bytes = Buffer.concat([bytes.subarray(0, line), one.bytes, bytes.subarray(line)]);
          else if (one.kind === "double line")
            bytes = Buffer.concat([
              bytes.subarray(0, line),
              bytes.subarray(bytes.lastIndexOf(10, line - 2) + 1, line),
              bytes.subarray(line),
            ]);
          else if (at < bytes.length) bytes[at] ^= 1 << one.bit;
        }
        writeFileSync(path, bytes);
        try {
          const found = readJournal(path);
          expect(found).toEqual(entries.slice(0, found.length));
          // Opened for writing, the tail is gone, and what is appended stands behind whole lines.
          const again = new Journal(path, new Disk());
          again.append(found.length === 0 ? opened : finished);
          again.close();
          expect(readJournal(path)).toHaveLength(found.length + 1);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
          expect((error as Error).message).toContain(path);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("another format is refused", () => {
    const path = join(folder(), "journal.jsonl");
    const journal = new Journal(path, new Disk());
    journal.append({ ...opened, format: 99 });
    journal.close();
    expect(() => readJournal(path)).toThrow(/expected a journal of format 1, got format 99/);
  });
});

describe("the lock", () => {
  test("a living owner is refused, a dead one replaced, garbage replaced", () => {
    const path = join(folder(), "lock");
    const release = takeLock(path);
    expect(() => takeLock(path)).toThrow(new RegExp(`held by process ${process.pid} on ${hostname()}`));
    release();
    expect(existsSync(path)).toBe(false);

    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    writeFileSync(path, JSON.stringify({ pid: dead, host: hostname(), startTicks: null, since: "then" }));
    takeLock(path)();
    writeFileSync(path, "{half a lo");
    takeLock(path)();
    expect(readdirSync(join(path, ".."))).toEqual([]);
  });

  test.runIf(process.platform === "linux")("a later process with the same id is not mistaken for the owner", () => {
    const path = join(folder(), "lock");
    writeFileSync(path, JSON.stringify({ pid: process.pid, host: hostname(), startTicks: "1", since: "then" }));
    takeLock(path)();
  });

  test("another machine's lock is believed", () => {
    const path = join(folder(), "lock");
    writeFileSync(path, JSON.stringify({ pid: 1, host: "elsewhere", startTicks: null, since: "then" }));
    expect(() => takeLock(path)).toThrow(/process 1 on elsewhere since then.*delete the lock file/);
  });
});

describe("the disk", () => {
  test("a file is replaced whole or not at all, whichever step fails", () => {
    for (let failing = 0; ; failing++) {
      const dir = folder();
      const path = join(dir, "f");
      writeFileSync(path, "old");
      let step = 0;
      const disk = new Disk(() => {
        if (step++ === failing) throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
      });
      let failed: unknown;
      try {
        disk.replace(path, "new");
      } catch (error) {
        failed = error;
      }
      expect(["old", "new"]).toContain(readFileSync(path, "utf8"));
      if (failed === undefined) {
        expect(readFileSync(path, "utf8")).toBe("new");
        expect(failing).toBeGreaterThanOrEqual(4);
        return;
      }
      expect(failed).toBeInstanceOf(UserError);
      expect(String(failed)).toMatch(/the disk is full: free some space/);
    }
  });
});

describe("a run directory", () => {
  test("is made once; a run in it, or anything else, is not overwritten", () => {
    const dir = join(folder(), "run");
    const store = RunStore.create(dir, config);
    expect(store.config()).toEqual(config);
    expect(() => RunStore.create(dir, config)).toThrow(UserError);
    store.journal.append(finished);
    store.close();
    expect(() => RunStore.create(dir, config)).toThrow(/which holds a run\. Continue it: `adastar resume/);
    const other = folder();
    writeFileSync(join(other, "thesis.txt"), "precious");
    expect(() => RunStore.create(other, config)).toThrow(/which holds thesis\.txt/);
  });

  test("one that was killed before its journal began may be started again", () => {
    const dir = join(folder(), "run");
    RunStore.create(dir, config).close();
    RunStore.create(dir, config).close();
  });

  test("no run there, or a file there, is said", () => {
    const dir = folder();
    expect(() => RunStore.open(dir)).toThrow(/expected a run directory with a config\.yaml/);
    writeFileSync(join(dir, "file"), "");
    expect(() => RunStore.create(join(dir, "file"), config)).toThrow(/expected a folder for the run, got the file/);
  });

  test("a changed file is named when it is read", () => {
    const store = RunStore.create(join(folder(), "run"), config);
    const digest = store.writeQueue(1, Uint8Array.of(1, 2, 3));
    expect(store.read(digest)).toEqual(Buffer.of(1, 2, 3));
    const path = join(store.dir, digest.path);
    writeFileSync(path, Uint8Array.of(1, 2, 4));
    expect(() => store.read(digest)).toThrow(/queue\.bin is not what the run wrote: .*got other content/);
    writeFileSync(path, Uint8Array.of(1, 2));
    expect(() => store.read(digest)).toThrow(/got 2 bytes/);
    rmSync(path);
    expect(() => store.read(digest)).toThrow(/got no such file/);
    store.close();
  });

  test("only the checkpoints asked for stay", () => {
    const store = RunStore.create(join(folder(), "run"), config);
    for (const name of ["0001", "0002", "0003", "0004.tmp"]) mkdirSync(join(store.dir, "checkpoints", name));
    store.retain(new Set([2, 3]));
    expect(readdirSync(join(store.dir, "checkpoints")).sort()).toEqual(["0002", "0003"]);
    store.close();
  });
});

describe("a tape", () => {
  const wave = (number: number, values: readonly number[]) => values.map((value) => ({ wave: number, value }));

  test("plays back whole waves, asks for the rest again, refuses another run's", async () => {
    const path = join(folder(), "tape.jsonl");
    const asked: number[] = [];
    const play = async (values: readonly (readonly number[])[]) => {
      const log = new SealedLog<{ wave: number; value: number }>(path, new Disk());
      const tape = new Tape(log);
      try {
        for (const requests of values) {
          await tape.next(
            requests.length,
            (record, i) => record.value === requests[i],
            async (number) => {
              asked.push(number);
              return wave(number, requests);
            },
          );
        }
        return tape.played.map(({ value }) => value);
      } finally {
        log.close();
      }
    };
    expect(
      await play([
        [1, 2],
        [3, 4],
      ]),
    ).toEqual([1, 2, 3, 4]);
    expect(asked).toEqual([0, 1]);
    const whole = readFileSync(path);
    // A kill in the middle of the second wave's append.
    cpSync(path, `${path}.whole`);
    writeFileSync(path, whole.subarray(0, whole.length - 5));
    expect(await play([[1, 2], [3, 4], [5]])).toEqual([1, 2, 3, 4, 5]);
    expect(asked).toEqual([0, 1, 1, 2]);
    expect(readFileSync(path).subarray(0, whole.length)).toEqual(whole);
    await expect(
      play([
        [1, 2],
        [9, 9],
      ]),
    ).rejects.toThrow(/line 3 does not belong to this run/);
  });
});

test("a folder that another process makes at the same moment is no error", () => {
  const base = mkdtempSync(join(tmpdir(), "adastar-folders-"));
  const target = join(base, "runs", "one");
  // What is seen before each step is what another process may do there.
  const disk = new Disk((step, path) => {
    if (step === "mkdir") mkdirSync(path);
  });
  disk.makeFolder(target);
  expect(existsSync(target)).toBe(true);
  rmSync(base, { recursive: true, force: true });
});
