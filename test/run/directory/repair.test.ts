import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../../../src/engine/engine.js";
import { UserError } from "../../../src/errors.js";
import type { RunConfig } from "../../../src/run/config/fields.js";
import { readJournal } from "../../../src/run/directory/journal.js";
import { resumeRun, startRun } from "../../../src/run/loop/runner.js";
import { altered, engineOf, essence, freshDir, recorder, smallConfig, smallTask } from "../small-run.js";

const quiet = () => {};
const settings: Partial<RunConfig> = { iterations: 3, steps: 4, batchSize: 3, trainLimit: 40, evalLimit: 12 };

/** Finished runs by what they keep; each test works on a copy. */
const finished = new Map<string, string>();
beforeAll(async () => {
  for (const [name, values] of Object.entries({
    last: { keepCheckpoints: "last" },
    all: { keepCheckpoints: "all" },
    best: { keepCheckpoints: "best" },
    reset: { keepCheckpoints: "last", method: "star" },
  } as const)) {
    const { runDir } = await startRun(smallConfig({ ...settings, ...values }), quiet, { task: smallTask });
    finished.set(name, runDir);
  }
});

function copyOf(name: string): string {
  const dir = freshDir();
  cpSync(finished.get(name) ?? "", dir, { recursive: true });
  return dir;
}

/** The copy with its journal cut behind the last entry of this kind. */
function cutBehind(dir: string, kind: string, iteration: number): string {
  const path = join(dir, "journal.jsonl");
  const at = readJournal(path).findIndex(
    (entry) => entry.kind === kind && "iteration" in entry && entry.iteration === iteration,
  );
  const lines = readFileSync(path, "utf8").split("\n");
  writeFileSync(path, `${lines.slice(0, at + 1).join("\n")}\n`);
  return dir;
}

function flip(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(path, bytes);
}

/** Resumes and returns the notices. */
async function resumed(dir: string, engine?: Engine): Promise<string[]> {
  const { events, listen } = recorder();
  await resumeRun(dir, listen, { task: smallTask, ...(engine === undefined ? {} : { engine }) });
  return events.flatMap((event) => (event.kind === "notice" ? [event.text] : []));
}

const model = (dir: string, iteration: number) => join(dir, "checkpoints", `000${iteration}`, "learner.bin");

describe("a damaged last model is trained again from what is whole", () => {
  test.each<[string, string, string]>([
    [
      "from the iteration before, where that is kept",
      "all",
      "falling back to checkpoints/0002 and training again on the recorded samples of iteration 3",
    ],
    [
      "from the base model, through all iterations",
      "last",
      "falling back to the base model and training again on the recorded samples of iterations 1, 2, 3",
    ],
    [
      "from the base model, for a method that begins there",
      "reset",
      "falling back to the base model and training again on the recorded samples of iteration 3",
    ],
  ])("%s", async (_, kept, notice) => {
    for (const damage of [flip, (path: string) => truncateSync(path, 10), (path: string) => rmSync(path)]) {
      const dir = copyOf(kept);
      damage(model(dir, 3));
      expect((await resumed(dir)).join("\n")).toContain(notice);
      expect(essence(dir)).toEqual(essence(finished.get(kept) ?? ""));
      expect(await resumed(dir)).toEqual([]);
    }
  });

  test("in the middle of a run, too", async () => {
    const dir = cutBehind(copyOf("all"), "trained", 2);
    flip(model(dir, 2));
    expect((await resumed(dir)).join("\n")).toContain("falling back to checkpoints/0001");
    expect(essence(dir)).toEqual(essence(finished.get("all") ?? ""));
  });

  test("an engine that then trains to other weights: refused, and the journal stays", async () => {
    const dir = copyOf("last");
    flip(model(dir, 3));
    const engine = await engineOf();
    const other = altered(engine, {
      trainStep: (examples, params) => engine.trainStep(examples, { ...params, learningRate: 2 * params.learningRate }),
    });
    const before = readFileSync(join(dir, "journal.jsonl"), "utf8");
    await expect(resumed(dir, other)).rejects.toThrow(
      /0003\/learner\.bin is not what the run wrote.*training the base model again gave other weights for iteration 1.*--threads/s,
    );
    expect(readFileSync(join(dir, "journal.jsonl"), "utf8")).toBe(before);
  });
});

test.each([
  ["D₊", "iterations/0002/kept.jsonl"],
  ["a queue", "iterations/0002/queue.bin"],
  ["the last queue", "iterations/0003/queue.bin"],
])("%s is written again from the recorded samples", async (_, name) => {
  const dir = copyOf("last");
  flip(join(dir, name));
  expect((await resumed(dir)).join("\n")).toContain(`${name} is not what the run wrote`);
  expect(essence(dir)).toEqual(essence(finished.get("last") ?? ""));
});

test("a damaged log of a finished iteration is refused by name, and left out once it is deleted", async () => {
  const dir = copyOf("last");
  const log = join(dir, "iterations", "0001", "evaluation.jsonl");
  flip(log);
  const attempt = resumed(dir);
  await expect(attempt).rejects.toThrow(UserError);
  await expect(attempt).rejects.toThrow(
    /0001\/evaluation\.jsonl is not what the run wrote: .*other content.*Or delete it/,
  );
  rmSync(log);
  expect((await resumed(dir)).join("\n")).toContain(
    "iterations/0001/evaluation.jsonl is gone; the run continues without it",
  );
});

test("the best model is mended as the last is", async () => {
  const dir = copyOf("best");
  const kept = readdirSync(join(dir, "checkpoints")).map(Number);
  for (const iteration of kept) flip(model(dir, iteration));
  expect((await resumed(dir)).filter((text) => text.includes("falling back"))).toHaveLength(kept.length);
  expect(essence(dir)).toEqual(essence(finished.get("best") ?? ""));
});

describe("settings", () => {
  test("config.yaml is written again when it is gone or cut within what it need not say", async () => {
    const dir = copyOf("last");
    const path = join(dir, "config.yaml");
    const before = readFileSync(path, "utf8").replace(finished.get("last") ?? "", dir);
    rmSync(path);
    await resumed(dir);
    expect(readFileSync(path, "utf8")).toBe(before);
    writeFileSync(path, before.slice(0, before.lastIndexOf("preset")));
    await resumed(dir);
    expect(readFileSync(path, "utf8")).toBe(before);
  });

  test("a budget that was changed by hand is refused with the flag that changes it", async () => {
    const dir = copyOf("last");
    const path = join(dir, "config.yaml");
    writeFileSync(path, readFileSync(path, "utf8").replace("iterations: 3", "iterations: 9"));
    await expect(resumed(dir)).rejects.toThrow(
      /config\.yaml: .*iterations \(3, not 9\).*adastar resume .* --iterations 9/,
    );
  });

  test("more iterations lead where a run with as many from the start does", async () => {
    const dir = copyOf("last");
    const summary = await resumeRun(dir, quiet, { task: smallTask, settings: { iterations: 4 } });
    expect(summary).toMatchObject({ status: "done", iterations: 4 });
    const whole = await startRun(smallConfig({ ...settings, iterations: 4, keepCheckpoints: "last" }), quiet, {
      task: smallTask,
    });
    expect(readFileSync(model(dir, 4))).toEqual(readFileSync(model(whole.runDir, 4)));
    const kinds = readJournal(join(dir, "journal.jsonl")).map(({ kind }) => kind);
    expect(kinds.slice(-6)).toEqual(["reconfigured", "visited", "trained", "evaluated", "committed", "finished"]);
    expect(readFileSync(join(dir, "config.yaml"), "utf8")).toMatch(/^iterations: 4$/m);
    expect((await resumeRun(dir, quiet, { task: smallTask })).iterations).toBe(4);
  });

  test("a kill between the journal's entry and config.yaml is made good", async () => {
    const dir = copyOf("last");
    const before = readFileSync(join(dir, "config.yaml"));
    await resumeRun(dir, quiet, { task: smallTask, settings: { iterations: 4 } });
    writeFileSync(join(dir, "config.yaml"), before);
    expect((await resumeRun(dir, quiet, { task: smallTask })).iterations).toBe(4);
    expect(readFileSync(join(dir, "config.yaml"), "utf8")).toMatch(/^iterations: 4$/m);
  });

  test("what would make it another run is refused", async () => {
    const attempt = resumeRun(copyOf("last"), quiet, { task: smallTask, settings: { seed: 2, threads: 1 } });
    await expect(attempt).rejects.toThrow(/settings that a resumed run may change, got --seed, which/);
  });
});

test("a run that has another place now goes on there", async () => {
  const dir = cutBehind(copyOf("all"), "evaluated", 2);
  expect(existsSync(model(dir, 2))).toBe(true);
  expect((await resumeRun(dir, quiet, { task: smallTask })).runDir).toBe(dir);
  expect(essence(dir)).toEqual(essence(finished.get("all") ?? ""));
});
