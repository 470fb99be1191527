import {
  appendFileSync,
  cpSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { SampleRequest } from "../../../src/engine/engine.js";
import { openScriptedEngine } from "../../../src/engine/scripted/scripted-engine.js";
import { UserError } from "../../../src/errors.js";
import type { RunConfig } from "../../../src/run/config/fields.js";
import { readJournal } from "../../../src/run/directory/journal.js";
import type { RunEvent } from "../../../src/run/events.js";
import { lessonsOf } from "../../../src/run/lessons.js";
import { resumeRun, startRun } from "../../../src/run/loop/runner.js";
import { essence, freshDir, recorder, smallConfig, smallTask } from "../small-run.js";

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

class Killed extends Error {}

/** The uninterrupted run that all others must equal, and the number of steps that it took on the disk. */
let whole: Record<string, unknown>;
let diskSteps = 0;

beforeAll(async () => {
  const config = smallConfig(settings);
  const { runDir } = await startRun(config, quiet, { task: smallTask, onDiskStep: () => void diskSteps++ });
  whole = essence(runDir);
});

/**
 * A run that dies right before its n-th step on the disk; half of the line that it was about to write is left where
 * `torn`.
 */
async function killedRun(n: number, torn: boolean): Promise<string> {
  const config = smallConfig(settings);
  let step = 0;
  const onDiskStep = (kind: string, path: string) => {
    if (step++ !== n) return;
    if (torn && kind === "write" && existsSync(path)) appendFileSync(path, '{"half":"a lin');
    throw new Killed();
  };
  await expect(startRun(config, quiet, { task: smallTask, onDiskStep })).rejects.toThrow(Killed);
  return config.runDir ?? "";
}

/** Goes on until done, from wherever the directory stands. */
async function goOn(dir: string): Promise<void> {
  if (existsSync(join(dir, "config.yaml"))) await resumeRun(dir, quiet, { task: smallTask });
  else await startRun({ ...smallConfig(settings), runDir: dir }, quiet, { task: smallTask });
}

/** The run as it was when `at` first held for an event: what a kill at that moment leaves. */
async function stateAt(at: (event: RunEvent) => boolean): Promise<string> {
  const config = smallConfig(settings);
  const copy = freshDir();
  let taken = false;
  await startRun(
    config,
    (event) => {
      if (taken || !at(event)) return;
      cpSync(config.runDir ?? "", copy, { recursive: true });
      taken = true;
    },
    { task: smallTask },
  );
  rmSync(join(copy, "lock"));
  return copy;
}

describe("a run that is killed and resumed equals one that is not", () => {
  test("before any step on the disk", async () => {
    expect(diskSteps).toBeGreaterThan(150);
    for (let n = 0; n < diskSteps; n += 5) {
      const dir = await killedRun(n, n % 2 === 0);
      await goOn(dir);
      expect(essence(dir), `killed before step ${n}`).toEqual(whole);
    }
  }, 60_000);

  test("again and again", async () => {
    const config = smallConfig(settings);
    const dir = config.runDir ?? "";
    for (let life = 0; ; life++) {
      let step = 0;
      const options = {
        task: smallTask,
        onDiskStep: () => {
          if (step++ === 9 + life) throw new Killed();
        },
      };
      const attempt = existsSync(join(dir, "config.yaml"))
        ? resumeRun(dir, quiet, options)
        : startRun(config, quiet, options);
      const ended = await attempt.then(
        () => true,
        (error: unknown) => {
          if (!(error instanceof Killed)) throw error;
          return false;
        },
      );
      if (ended) {
        expect(life).toBeGreaterThan(5);
        break;
      }
    }
    expect(essence(dir)).toEqual(whole);
  });

  test.each(["star", "star-acc-full-k"])("by the method %s", async (method) => {
    const complete = smallConfig({ ...settings, method });
    await startRun(complete, quiet, { task: smallTask });
    for (const n of [60, 110, 160]) {
      const config = smallConfig({ ...settings, method });
      let step = 0;
      const onDiskStep = () => {
        if (step++ === n) throw new Killed();
      };
      await startRun(config, quiet, { task: smallTask, onDiskStep }).catch((error: unknown) =>
        expect(error).toBeInstanceOf(Killed),
      );
      await goOn(config.runDir ?? "");
      expect(essence(config.runDir ?? "")).toEqual(essence(complete.runDir ?? ""));
    }
  });
});

describe("a run that is asked to stop", () => {
  test.each<[string, (event: RunEvent) => boolean]>([
    ["visiting", (event) => event.kind === "visiting" && event.iteration === 2],
    ["training", (event) => event.kind === "training" && event.iteration === 2 && event.step === 3],
    ["evaluating", (event) => event.kind === "evaluating" && event.iteration === 1],
    ["the base", (event) => event.kind === "evaluating" && event.iteration === 0],
  ])("while %s: stops, saves, and resumes to the same end", async (_, at) => {
    const config = smallConfig({ ...settings, checkpointSteps: null });
    const controller = new AbortController();
    const before = recorder();
    const listen = (event: RunEvent) => {
      before.listen(event);
      if (at(event)) controller.abort();
    };
    const summary = await startRun(config, listen, { task: smallTask, signal: controller.signal });
    expect(summary.status).toBe("interrupted");
    expect(before.events.at(-1)).toEqual({ kind: "finished", summary });

    const after = recorder();
    expect((await resumeRun(summary.runDir, after.listen, { task: smallTask })).status).toBe("done");
    expect(essence(summary.runDir)).toEqual(whole);
    expect(after.events[0]).toMatchObject({ kind: "started", resumed: true });
    // No optimizer step is taken twice: the state was saved on the way out.
    const steps = [...before.events, ...after.events].filter(({ kind }) => kind === "training");
    expect(steps).toHaveLength(4 + 4);
  });

  test("no sample is paid for twice", async () => {
    // The first event that counts visited observations comes when a wave is on the disk.
    const dir = await stateAt((event) => event.kind === "visiting" && event.iteration === 2 && event.visited > 0);
    const engine = await openScriptedEngine({ lessons: lessonsOf(smallTask) });
    const recorded = readFileSync(join(dir, "iterations", "0002", "samples.jsonl"), "utf8")
      .trim()
      .split("\n").length;
    expect(recorded).toBeGreaterThan(0);
    let asked = 0;
    const sample = engine.sample.bind(engine);
    engine.sample = (requests, params) => {
      if (params.temperature > 0) asked += [...(requests as readonly SampleRequest[])].length;
      return sample(requests, params);
    };
    await resumeRun(dir, quiet, { task: smallTask, engine });
    const total = readFileSync(join(dir, "iterations", "0002", "samples.jsonl"), "utf8")
      .trim()
      .split("\n").length;
    expect(asked).toBe(total - recorded);
    expect(essence(dir)).toEqual(whole);
  });
});

describe("damage", () => {
  test("a damaged training state is not used, and that is said", async () => {
    const dir = await stateAt((event) => event.kind === "training" && event.iteration === 1 && event.step === 3);
    const file = join(dir, "iterations", "0001", "training", "000002", "learner.bin");
    truncateSync(file, statSync(file).size - 1);
    const { events, listen } = recorder();
    await resumeRun(dir, listen, { task: smallTask });
    expect(events).toContainEqual(
      expect.objectContaining({ kind: "notice", text: expect.stringContaining("cannot be used") }),
    );
    expect(essence(dir)).toEqual(whole);
  });

  test("a run whose journal lost its last entries resumes from there", async () => {
    const { runDir } = await startRun(smallConfig({ ...settings, keepCheckpoints: "all" }), quiet, { task: smallTask });
    const before = essence(runDir);
    const path = join(runDir, "journal.jsonl");
    // Behind iteration 1's commit.
    writeFileSync(path, `${readFileSync(path, "utf8").split("\n").slice(0, 6).join("\n")}\n`);
    expect(readJournal(path).at(-1)).toMatchObject({ kind: "committed", iteration: 1 });
    await resumeRun(runDir, quiet, { task: smallTask });
    expect(essence(runDir)).toEqual(before);
  });

  test.each<[string, (dir: string) => void, RegExp]>([
    [
      "the settings",
      (dir) => {
        const path = join(dir, "config.yaml");
        writeFileSync(
          path,
          readFileSync(path, "utf8")
            .replace(/^seed: 1$/m, "seed: 3")
            .replace(/^topP: 0.9$/m, "topP: 1"),
        );
      },
      /expected the settings that the run began with, got others for seed \(1, not 3\), topP \(0\.9, not 1\)\. Restore config\.yaml/,
    ],
    [
      "an earlier line of the journal",
      (dir) => {
        const path = join(dir, "journal.jsonl");
        writeFileSync(path, readFileSync(path, "utf8").replace('"iteration":0', '"iteration":5'));
      },
      /journal\.jsonl: line 2 is damaged/,
    ],
    [
      "lost samples of an iteration that is trained",
      (dir) => truncateSync(join(dir, "iterations", "0002", "samples.jsonl"), 100),
      /samples\.jsonl is not what the run wrote: expected \d+ bytes/,
    ],
  ])("%s: refused by name", async (_, damage, message) => {
    const dir = await stateAt((event) => event.kind === "evaluating" && event.iteration === 2);
    damage(dir);
    const attempt = resumeRun(dir, quiet, { task: smallTask });
    await expect(attempt).rejects.toThrow(UserError);
    await expect(attempt).rejects.toThrow(message);
  });

  test("another model, other data: refused", async () => {
    const dir = await stateAt((event) => event.kind === "training");
    const [first, ...rest] = smallTask.train;
    const task = { ...smallTask, train: [{ ...first, answer: "1" }, ...rest] };
    await expect(resumeRun(dir, quiet, { task })).rejects.toThrow(
      /expected the observations and prompts that the run began with/,
    );
    const engine = await openScriptedEngine({ lessons: lessonsOf(smallTask) });
    engine.checksum = async () => "other";
    await expect(resumeRun(dir, quiet, { task: smallTask, engine })).rejects.toThrow(
      /expected the base model .*got weights other\. Restore the model's folder/,
    );
  });

  test("weights that did not arrive: not sampled from", async () => {
    // The first event that counts visited observations comes when a wave is on the disk.
    const dir = await stateAt((event) => event.kind === "visiting" && event.iteration === 2 && event.visited > 0);
    const engine = await openScriptedEngine({ lessons: lessonsOf(smallTask) });
    engine.restore = async () => {};
    await expect(resumeRun(dir, quiet, { task: smallTask, engine })).rejects.toThrow(
      /after restoring checkpoints\/0001: expected weights/,
    );
  });
});
