import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { forwardFlops } from "../../../src/algorithm/flops.js";
import { methodNamed } from "../../../src/algorithm/methods.js";
import type { SampleRequest, SamplingParams, TrainingExample } from "../../../src/engine/engine.js";
import { emptyQueue } from "../../../src/run/config/config.js";
import { readJournal } from "../../../src/run/directory/journal.js";
import { readRun } from "../../../src/run/directory/reader.js";
import type { DrawnSample, StepRecord } from "../../../src/run/directory/records.js";
import { readSealedLog } from "../../../src/run/directory/sealed-log.js";
import { resumeRun, startRun } from "../../../src/run/loop/runner.js";
import { altered, engineOf, essence, recorder, records, smallConfig, smallTask, timeless } from "../small-run.js";

const quiet = () => {};

describe("a run", () => {
  test("goes through its phases, learns, and leaves what it says", async () => {
    const config = smallConfig();
    const { events, listen } = recorder();
    const summary = await startRun(config, listen, { task: smallTask });

    expect(events[0]).toMatchObject({
      kind: "started",
      task: "arithmetic",
      method: "adastar",
      observations: 60,
      testObservations: 20,
      resumed: false,
    });
    const milestones = events
      .map(({ kind }) => kind)
      .filter((kind) => kind !== "notice" && kind !== "samples")
      .filter((kind, i, all) => kind !== all[i - 1]);
    const iteration = ["visiting", "training", "evaluating", "iteration"];
    expect(milestones).toEqual(["started", "evaluating", "base", ...iteration, ...iteration, ...iteration, "finished"]);

    const journal = readJournal(join(summary.runDir, "journal.jsonl"));
    expect(journal.map(({ kind }) => kind)).toEqual([
      "opened",
      "evaluated",
      ...Array.from({ length: 3 }, () => ["visited", "trained", "evaluated", "committed"]).flat(),
      "finished",
    ]);

    expect(summary).toMatchObject({ status: "done", iterations: 3, runDir: config.runDir });
    expect(summary.bestAccuracy).toBeGreaterThan(summary.baseAccuracy);
    expect(summary.checkpoint).toBe(join(summary.runDir, "checkpoints", "0003"));
    expect(existsSync(summary.checkpoint)).toBe(true);
    expect(existsSync(join(summary.runDir, "lock"))).toBe(false);
    expect(readFileSync(join(summary.runDir, "table.csv"), "utf8").trim().split("\n")).toHaveLength(4);

    // The last checkpoint holds the weights that the journal names, and they are not the base's.
    const engine = await engineOf();
    const base = await engine.checksum();
    await engine.restore({ folder: summary.checkpoint, weights: "" });
    const trained = journal.findLast((entry) => entry.kind === "trained");
    expect(trained?.checkpoint.weights).toBe(await engine.checksum());
    expect(trained?.checkpoint.weights).not.toBe(base);
  });

  test("its figures follow from its samples", async () => {
    const config = smallConfig();
    const { events, listen } = recorder();
    const { runDir, flops } = await startRun(config, listen, { task: smallTask });
    const rows = records(events);
    expect(rows.map(({ target }) => target)).toEqual([20, 24, 28]);
    const queue = emptyQueue(config, methodNamed("adastar"), smallTask.train.length);
    const { model } = await engineOf();
    const everVisited = new Set<number>();
    let wasted = 0;
    for (const row of rows) {
      const folder = join(runDir, "iterations", String(row.iteration).padStart(4, "0"));
      const samples = readSealedLog<DrawnSample>(join(folder, "samples.jsonl"));
      const order = [...queue.peekInOrder()].slice(0, row.visited);
      const solved = order.filter((i) => samples.some((draw) => draw.observation === i && draw.correct));
      expect(row.solved).toBe(solved.length);
      expect(row.alpha).toBe(solved.length / row.visited);
      expect(row.popped).toBe(Math.floor(row.visited * row.alpha ** 2));
      expect(row.kept).toBe(Math.min(row.target ?? 0, solved.length));
      expect(readSealedLog(join(folder, "kept.jsonl"))).toHaveLength(row.kept);
      expect(row.sampledTokens).toBe(samples.reduce((total, draw) => total + draw.generatedTokens, 0));
      for (const i of order) everVisited.add(i);
      queue.recordVisits(order);
      expect([row.everVisited, row.observations]).toEqual([everVisited.size, smallTask.train.length]);
      for (const i of order.slice(0, row.popped)) {
        const draws = samples.filter((draw) => draw.observation === i);
        queue.update(i, row.iteration, draws.filter(({ correct }) => correct).length, draws.length);
      }
      expect(readFileSync(join(folder, "queue.bin"))).toEqual(Buffer.from(queue.serialize()));
      // Every token drawn is counted, a wave's shared prefix once; what was not among the m visited is the waste.
      const cost = (draw: DrawnSample, shared: boolean) => {
        const { prefixTokens, promptTokens, generatedTokens } = draw;
        const own = promptTokens + generatedTokens;
        return shared ? forwardFlops(model, prefixTokens, own) : forwardFlops(model, 0, prefixTokens + own);
      };
      const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
      const firstOfWave = samples.filter((draw, i) => draw.wave !== samples[i - 1]?.wave);
      const prefixes = total(firstOfWave.map(({ prefixTokens }) => forwardFlops(model, 0, prefixTokens)));
      expect(row.flops.sampling).toBeCloseTo(prefixes + total(samples.map((draw) => cost(draw, true))), -2);
      expect(row.flops.samplingUnshared).toBeCloseTo(total(samples.map((draw) => cost(draw, false))), -2);
      const speculated = samples.filter(({ observation }) => !order.includes(observation));
      wasted += speculated.length;
      expect(row.flops.wasted).toBeCloseTo(total(speculated.map((draw) => cost(draw, true))), -2);
      const steps = readSealedLog<StepRecord>(join(folder, "training.jsonl"));
      expect(row.flops.training).toBe(total(steps.map((step) => step.flops)));
      expect(row.trainedTokens).toBe(total(steps.map((step) => step.tokens)));
      expect(row.flops.total).toBe(row.flops.sampling + row.flops.training);
    }
    expect(wasted).toBeGreaterThan(0);
    expect(flops.total).toBeCloseTo(
      rows.reduce((total, row) => total + row.flops.total, 0),
      -3,
    );
  });

  test("samples few-shot and hints on the second try; trains zero-shot on exactly the sampled tokens; evaluates greedily", async () => {
    const engine = await engineOf();
    const calls: { requests: readonly SampleRequest[]; params: SamplingParams }[] = [];
    const trained: TrainingExample[] = [];
    const watched = altered(engine, {
      sample: (requests, params) => {
        calls.push({ requests: [...(requests as readonly SampleRequest[])], params });
        return engine.sample(requests, params);
      },
      trainStep: (examples, params) => {
        trained.push(...examples);
        return engine.trainStep(examples, params);
      },
    });
    const { runDir } = await startRun(smallConfig({ iterations: 1 }), quiet, { task: smallTask, engine: watched });
    const { encode, decode } = engine.tokenizer;
    const { format, train } = smallTask;

    const greedy = calls.filter(({ params }) => params.temperature === 0);
    expect(greedy.flatMap(({ requests }) => requests)).toHaveLength(2 * smallTask.test.length);
    expect(greedy.every(({ params }) => params.prefix.length === 0)).toBe(true);

    const draws = readSealedLog<DrawnSample>(join(runDir, "iterations", "0001", "samples.jsonl"));
    const drawn = calls
      .filter(({ params }) => params.temperature > 0)
      .flatMap(({ requests, params }) => requests.map((request) => ({ request, params })));
    expect(drawn).toHaveLength(draws.length);
    for (const [i, { request, params }] of drawn.entries()) {
      const { observation, attempt, hinted } = draws[i];
      expect(hinted).toBe(attempt === 2);
      const asked = hinted ? format.hintedPrompt(train[observation]) : format.prompt(train[observation]);
      expect(decode(request.prompt)).toBe(asked);
      expect(decode(params.prefix)).toContain("Balance 10. Mon +1");
      expect(params.topP).toBe(0.9);
    }
    expect(draws.some(({ hinted }) => hinted)).toBe(true);

    expect(trained).toHaveLength(5 * 4);
    for (const { tokens, completionStart } of trained) {
      const prompt = decode(tokens.slice(0, completionStart));
      const observation = train.findIndex((candidate) => format.prompt(candidate) === prompt);
      const sampled = draws.find((draw) => draw.observation === observation && draw.correct);
      expect(tokens).toEqual([...encode(prompt), ...(sampled?.tokens ?? []), engine.tokenizer.endTokens[0]]);
    }
  });

  test("a generation that the token limit cut is wrong, whatever it states", async () => {
    // One token short of the end-of-text token: the longest right answers are written out and not finished.
    const longest = Math.max(
      ...smallTask.train.map(({ answer }) => smallTask.format.completion("From memory.", answer).length),
    );
    const counts = [];
    for (const maxTokens of [longest + 9, longest]) {
      const { runDir } = await startRun(smallConfig({ iterations: 1, maxTokens }), quiet, { task: smallTask });
      const draws = readSealedLog<DrawnSample>(join(runDir, "iterations", "0001", "samples.jsonl"));
      const unfinished = draws.filter(({ stop }) => stop === "length");
      counts.push([unfinished.length, unfinished.filter(({ strict }) => strict === "correct").length]);
      expect(unfinished.filter(({ correct }) => correct)).toEqual([]);
    }
    expect(counts[0]).toEqual([0, 0]);
    expect(counts[1][1]).toBeGreaterThan(0);
  });

  test("the same seed gives the same run, another seed another", async () => {
    const found: Record<string, unknown>[] = [];
    for (const seed of [1, 1, 2]) {
      const { runDir } = await startRun(smallConfig({ seed }), quiet, { task: smallTask });
      found.push(essence(runDir));
    }
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).not.toEqual(found[0]);
  });

  test.each(["adastar", "star-acc", "star", "star-acc-full-k"])(
    "%s: the wave size changes neither D₊ nor queue nor model",
    async (method) => {
      const outcomes = [];
      for (const samplingBatch of [1, 7, 64]) {
        const { events, listen } = recorder();
        const { runDir } = await startRun(smallConfig({ method, samplingBatch, iterations: 2 }), listen, {
          task: smallTask,
        });
        const files = essence(runDir);
        const kept = Object.keys(files).filter((name) => /kept|queue|checkpoints/.test(name));
        expect(kept.length).toBeGreaterThanOrEqual(5);
        const rows = records(events).map(({ visited, solved, popped, kept: size, loss, testAccuracy }) => ({
          visited,
          solved,
          popped,
          size,
          loss,
          testAccuracy,
        }));
        outcomes.push({ rows, files: kept.map((name) => [name, files[name]]) });
      }
      expect(outcomes[1]).toEqual(outcomes[0]);
      expect(outcomes[2]).toEqual(outcomes[0]);
    },
  );

  test("resetting trains from the base model, accumulating from the latest", async () => {
    for (const [method, resets] of [
      ["star", 2],
      ["star-acc", 0],
    ] as const) {
      const engine = await engineOf();
      let count = 0;
      const watched = altered(engine, {
        reset: async () => {
          count++;
          await engine.reset();
        },
      });
      await startRun(smallConfig({ method, iterations: 2 }), quiet, { task: smallTask, engine: watched });
      expect(count).toBe(resets);
    }
  });
});

describe("a finished run", () => {
  test("tells its summary again, without a model", async () => {
    const first = recorder();
    const summary = await startRun(smallConfig(), first.listen, { task: smallTask });
    const again = recorder();
    const engine = altered(await engineOf(), { checksum: () => Promise.reject(new Error("asked the engine")) });
    expect(await resumeRun(summary.runDir, again.listen, { task: smallTask, engine })).toEqual(summary);
    expect(records(again.events)).toEqual(records(first.events));
    expect(timeless(readRun(summary.runDir).summary)).toEqual(timeless(summary));
  });
});
