/** The engine's contract over a small server of ours, and what only this engine promises. */

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { OptimizerParams, Sample } from "../../../src/engine/engine.js";
import { openTinkerEngine, type TinkerEngine } from "../../../src/engine/tinker/tinker-engine.js";
import { UserError } from "../../../src/errors.js";
import { describeEngine } from "../conformance.js";
import { LOSSY_EXCEPTIONS } from "./exceptions.js";
import { TestServer } from "./server.js";

const TINY = join(import.meta.dirname, "../../fixtures/tiny-llama");
const END = 0;
const sequence = (length: number, seed: number) =>
  Array.from({ length }, (_, i) => 3 + ((seed * 31 + i * i * 7 + i) % 58));
const EXAMPLES = [
  { name: "first", tokens: [...sequence(14, 6), END], completionStart: 5 },
  { name: "second", tokens: [...sequence(6, 7), END], completionStart: 1 },
  { name: "third", tokens: [...sequence(20, 8), END], completionStart: 15 },
];
const OPTIMIZER: OptimizerParams = {
  kind: "adam",
  learningRate: 1e-2,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
};

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start(TINY);
});
afterAll(() => server.stop());

const open = (maxInFlight = 16): Promise<TinkerEngine> =>
  openTinkerEngine({
    model: TINY,
    server: { url: server.url, allowHttp: false, attempts: 2, firstPauseMs: 1 },
    serverModel: null,
    adapter: { rank: 4, seed: 1 },
    maxInFlight,
  });

describeEngine(
  "the Tinker engine",
  async () => ({
    open: () => open(),
    prompts: [sequence(1, 1), sequence(5, 2), sequence(9, 3), sequence(16, 4)],
    prefix: sequence(6, 5),
    examples: EXAMPLES,
    optimizer: OPTIMIZER,
    memorizeSteps: 60,
    maxTokens: 24,
    tolerance: { loss: 1e-4, samples: 0.05 },
  }),
  { skip: LOSSY_EXCEPTIONS },
);

describe("the Tinker engine", () => {
  const greedy = { prefix: [], temperature: 0, topP: 1, maxTokens: 8, stop: [] };
  const requests = Array.from({ length: 24 }, (_, i) => ({ name: `request ${i}`, prompt: sequence(4, i), seed: i }));
  const collect = async (engine: TinkerEngine): Promise<Sample[]> => {
    const samples: Sample[] = [];
    for await (const sample of engine.sample(requests, greedy)) samples[sample.index] = sample;
    return samples;
  };
  const PROMPT = sequence(7, 3);

  it("has no more requests at the server than it may, and no fewer where there are enough", async () => {
    const engine = await open(5);
    server.mostWaiting = 0;
    await collect(engine);
    expect(server.mostWaiting).toBe(5);
    expect(engine.capabilities.maxInFlight).toBe(5);
    await engine.close();
  });

  it("submits the next update before the first one is done", async () => {
    const engine = await open();
    server.requests.length = 0;
    await Promise.all([1, 2].map(() => engine.trainStep(EXAMPLES, OPTIMIZER)));
    const work = server.requests.filter((endpoint) => endpoint !== "retrieve_future");
    expect(work).toEqual(["forward_backward", "optim_step", "forward_backward", "optim_step"]);
    await engine.close();
  });

  it("resets an optimizer that the server cannot reset: the next steps are those of a fresh one", async () => {
    const engine = await open();
    const trained = async () => {
      for (let step = 0; step < 2; step++) await engine.trainStep(EXAMPLES, OPTIMIZER);
      return engine.canary(PROMPT);
    };
    const fresh = await trained();
    await engine.reset();
    // Fills the moments without touching the weights.
    for (let step = 0; step < 3; step++) await engine.trainStep(EXAMPLES, { ...OPTIMIZER, learningRate: 0 });
    await engine.resetOptimizer();
    const reset = await trained();
    for (const [i, value] of reset.entries()) expect(value).toBeCloseTo(fresh[i], 4);
    await engine.close();
  });

  it("picks up a server that was restarted, from the saved weights, in a new session", async () => {
    const engine = await open();
    for (let step = 0; step < 3; step++) await engine.trainStep(EXAMPLES, OPTIMIZER);
    const saved = await engine.save({ folder: "/nowhere", name: "0001" }, { optimizer: true });
    const [canary, samples] = [await engine.canary(PROMPT), await collect(engine)];
    await server.down();
    await server.up();
    await expect(collect(engine)).rejects.toThrow(/asample.*404.*resume/);
    await engine.close();
    const next = await open();
    await next.restore(saved);
    expect(await next.checksum()).toBe(saved.weights);
    expect(await next.canary(PROMPT)).toEqual(canary);
    expect(await collect(next)).toEqual(samples);
    await next.close();
  });

  it("refuses a server that has lost the weights, and keeps the present ones", async () => {
    const engine = await open();
    await engine.trainStep(EXAMPLES, OPTIMIZER);
    const saved = await engine.save({ folder: "/nowhere", name: "0001" });
    const weights = await engine.checksum();
    server.forget();
    const restoring = engine.restore(saved);
    await expect(restoring).rejects.toThrow(UserError);
    await expect(restoring).rejects.toThrow(/load_weights.*404.*Checkpoint not found/);
    expect(await engine.checksum()).toBe(weights);
    await expect(engine.restore({ folder: "/tmp/x", weights: "" })).rejects.toThrow(/got the folder/);
    await expect(engine.restore({ uri: "there://1", weights: "" })).rejects.toThrow(/that this engine saved/);
    await engine.close();
  });

  it("does not guess which weights the server has after a step whose answer was lost", async () => {
    const engine = await open();
    const step = engine.trainStep(EXAMPLES, OPTIMIZER);
    await server.down();
    await expect(step).rejects.toThrow(/training on 3 examples/);
    await server.up();
    await expect(engine.checksum()).rejects.toThrow(/training on 3 examples/);
    await engine.reset();
    expect((await collect(engine)).length).toBe(requests.length);
    await engine.close();
  });

  it("refuses what the API cannot ask for", async () => {
    const engine = await open();
    await expect(engine.trainStep(EXAMPLES, { ...OPTIMIZER, maxGradientNorm: 1 })).rejects.toThrow(/max-gradient-norm/);
    await expect(engine.trainStep(EXAMPLES, { ...OPTIMIZER, weightDecay: 0.1 })).rejects.toThrow(/adamw/);
    await engine.close();
  });
});
