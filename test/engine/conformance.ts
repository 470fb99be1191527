/** The contract of `src/engine/engine.ts` as tests, run against every engine. Knows nothing of any implementation. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it as vitestIt } from "vitest";
import type {
  Engine,
  OptimizerParams,
  Sample,
  SampleRequest,
  SampleRequests,
  SamplingParams,
  SaveTarget,
  TrainingExample,
} from "../../src/engine/engine.js";
import { UserError } from "../../src/errors.js";

interface EngineFixture {
  /** Opens the engine anew, with its base weights. */
  open(): Promise<Engine>;
  /** Four different prompts or more, start tokens included. */
  readonly prompts: readonly (readonly number[])[];
  /** Two tokens or more that may stand before any of the prompts. */
  readonly prefix: readonly number[];
  /** Three different examples or more that end with end-of-text. The first one's completion has 5 tokens or more. */
  readonly examples: readonly TrainingExample[];
  /** Lowers the loss on the examples; without clipping and decay. */
  readonly optimizer: OptimizerParams;
  /** Steps on the first example alone after which it is written greedily. */
  readonly memorizeSteps: number;
  /** New tokens a sample. */
  readonly maxTokens: number;
  readonly tolerance: {
    /** Largest relative difference of losses that are equal by arithmetic. */
    readonly loss: number;
    /**
     * Share of samples at temperature 1 that may differ between batch shapes, because logits differ by rounding. Greedy
     * ones may not.
     */
    readonly samples: number;
  };
}

/** A stop text that no fixture's model produces. */
const NEVER_WRITTEN = "never written \u2603";

async function collect(engine: Engine, requests: SampleRequests, params: SamplingParams): Promise<Sample[]> {
  const samples: Sample[] = [];
  for await (const sample of engine.sample(requests, params)) samples.push(sample);
  return samples.sort((a, b) => a.index - b.index);
}

async function failureOf(action: () => Promise<unknown>): Promise<unknown> {
  return action().then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** All but the place in the call. */
function content({ tokens, text, stop, generatedTokens }: Sample) {
  return { tokens: [...tokens], text, stop, generatedTokens };
}

/** Tests that an engine is known not to pass, and why. */
interface DeclaredException {
  readonly reason: string;
  /** Titles of tests, exactly as they stand here. */
  readonly tests: readonly string[];
}

export function describeEngine(
  name: string,
  makeFixture: () => Promise<EngineFixture>,
  { skip = [] }: { readonly skip?: readonly DeclaredException[] } = {},
): void {
  const met = new Set<string>();
  const it = (title: string, test: () => Promise<void> | void) => {
    const exception = skip.find(({ tests }) => tests.includes(title));
    if (exception === undefined) {
      vitestIt(title, test);
      return;
    }
    met.add(title);
    vitestIt.skip(`${title} (not promised: ${exception.reason})`, test);
  };
  describe(`${name} keeps the engine's contract`, () => {
    let fixture: EngineFixture;
    let engine: Engine;
    let folder: string;
    let sampling: SamplingParams;
    let greedy: SamplingParams;

    beforeAll(async () => {
      fixture = await makeFixture();
      engine = await fixture.open();
      folder = await mkdtemp(join(tmpdir(), "adastar-engine-"));
      sampling = { prefix: [], temperature: 1, topP: 1, maxTokens: fixture.maxTokens, stop: [] };
      greedy = { ...sampling, temperature: 0 };
    });
    beforeEach(() => engine.reset());
    afterAll(async () => {
      await engine.close();
      await rm(folder, { recursive: true, force: true });
    });

    const target = (called: string): SaveTarget => ({ folder: join(folder, called), name: called });
    /** `repeats` requests of each prompt, each with a seed of its own. */
    const requestsOf = (repeats: number): SampleRequest[] =>
      fixture.prompts.flatMap((prompt, p) =>
        Array.from({ length: repeats }, (_, r) => ({
          name: `prompt ${p}, ${r}`,
          prompt,
          seed: 1 + 1_000_003 * (p * repeats + r),
        })),
      );
    const lossOf = async (...examples: TrainingExample[]): Promise<number> =>
      (await engine.trainStep(examples, { ...fixture.optimizer, learningRate: 0 })).loss;
    const train = async (steps: number, examples = fixture.examples, params = fixture.optimizer): Promise<string> => {
      for (let step = 0; step < steps; step++) await engine.trainStep(examples, params);
      return engine.checksum();
    };
    const expectClose = (found: number, expected: number) =>
      expect(Math.abs(found - expected), `${found} against ${expected}`).toBeLessThanOrEqual(
        fixture.tolerance.loss * Math.max(1, Math.abs(expected)),
      );
    const expectSame = (found: readonly Sample[], expected: readonly Sample[]) => {
      expect(found.length).toBe(expected.length);
      const differing = found.filter(
        (sample, i) => JSON.stringify(content(sample)) !== JSON.stringify(content(expected[i])),
      );
      expect(differing.length).toBeLessThanOrEqual(fixture.tolerance.samples * found.length);
    };

    describe("model and tokenizer", () => {
      it("states whole, positive facts", () => {
        const { name: called, ...facts } = engine.model;
        expect(called).not.toBe("");
        for (const [fact, value] of Object.entries(facts)) {
          expect(Number.isSafeInteger(value) && value > 0, `${fact}: ${value}`).toBe(true);
        }
        expect(facts.nonEmbeddingParameters).toBeLessThanOrEqual(facts.parameters);
      });

      it("states what it can do in figures that make sense", () => {
        const { canaryTolerance, maxInFlight, stepsInFlight } = engine.capabilities;
        expect(canaryTolerance).toBeGreaterThanOrEqual(0);
        for (const limit of [maxInFlight, stepsInFlight]) {
          expect(Number.isSafeInteger(limit) && limit >= 1, String(limit)).toBe(true);
        }
        expect(engine.model.trainableParameters).toBeLessThanOrEqual(engine.model.parameters);
      });

      it("gives back the text that it encodes, and adds nothing of its own", () => {
        const { tokenizer } = engine;
        expect(tokenizer.endTokens.length).toBeGreaterThan(0);
        expect(tokenizer.encode("")).toEqual([]);
        for (const prompt of fixture.prompts) {
          const text = tokenizer.decode(prompt);
          expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
        }
        expect(tokenizer.decode([...tokenizer.startTokens, ...tokenizer.endTokens])).toBe("");
      });
    });

    describe("sample", () => {
      it("answers each request exactly once", async () => {
        const requests = requestsOf(5);
        const samples = await collect(engine, requests, sampling);
        expect(samples.map(({ index }) => index)).toEqual(requests.map((_, index) => index));
        for (const { tokens, text, stop, generatedTokens } of samples) {
          expect(engine.tokenizer.decode(tokens)).toBe(text);
          expect(tokens.some((token) => engine.tokenizer.endTokens.includes(token))).toBe(false);
          expect(["end", "length"]).toContain(stop);
          expect(generatedTokens).toBe(stop === "end" ? tokens.length + 1 : tokens.length);
          expect(generatedTokens).toBeLessThanOrEqual(fixture.maxTokens);
          if (stop === "length") expect(generatedTokens).toBe(fixture.maxTokens);
        }
      });

      it("of nothing yields nothing", async () => {
        expect(await collect(engine, [], sampling)).toEqual([]);
      });

      it("gives the same at the same seeds, and various things at various seeds", async () => {
        const requests = requestsOf(8);
        const samples = await collect(engine, requests, sampling);
        expect((await collect(engine, requests, sampling)).map(content)).toEqual(samples.map(content));
        const texts = fixture.prompts.map((_, p) => new Set(samples.slice(8 * p, 8 * p + 8).map(({ text }) => text)));
        expect(Math.max(...texts.map(({ size }) => size))).toBeGreaterThan(1);
      });

      it("does not depend on what else is in the call, or on the order", async () => {
        const requests = requestsOf(4);
        const together = await collect(engine, requests, sampling);
        const alone: Sample[] = [];
        for (const request of requests) alone.push(...(await collect(engine, [request], sampling)));
        expectSame(alone, together);
        const backwards = await collect(engine, requests.toReversed(), sampling);
        expectSame(backwards.toReversed(), together);
      });

      it("is greedy at temperature 0, whatever the seed, the batch and the order", async () => {
        const once = await collect(engine, requestsOf(1), greedy);
        const often = await collect(engine, requestsOf(3).toReversed(), greedy);
        const expected = once.flatMap((sample) => [content(sample), content(sample), content(sample)]);
        expect(often.toReversed().map(content)).toEqual(expected);
      });

      it("is greedy with a nucleus of one token, too", async () => {
        const once = await collect(engine, requestsOf(1), greedy);
        expect((await collect(engine, requestsOf(1), { ...sampling, topP: 1e-9 })).map(content)).toEqual(
          once.map(content),
        );
      });

      it("takes prefix and prompt as one sequence", async () => {
        const { prefix } = fixture;
        const requests = requestsOf(3);
        const joined = requests.map((request) => ({ ...request, prompt: [...prefix, ...request.prompt] }));
        const [shared, own] = [
          await collect(engine, requests, { ...greedy, prefix }),
          await collect(engine, joined, greedy),
        ];
        expect(shared.map(content)).toEqual(own.map(content));
        expectSame(await collect(engine, requests, { ...sampling, prefix }), await collect(engine, joined, sampling));
        const allPrefix = await collect(engine, [{ ...requests[0], prompt: [] }], {
          ...greedy,
          prefix: requests[0].prompt,
        });
        expect(allPrefix.map(content)).toEqual((await collect(engine, [requests[0]], greedy)).map(content));
      });

      it("ends before the first stop text, which is a token", async () => {
        let tried = 0;
        for (const request of requestsOf(1)) {
          const [whole] = await collect(engine, [request], greedy);
          const textTo = (end: number) => engine.tokenizer.decode(whole.tokens.slice(0, end));
          // The last token of the text that is its own first occurrence, so that it is clear where and when to stop.
          const at = whole.tokens.findLastIndex((token, i) => {
            const piece = engine.tokenizer.decode([token]);
            const first = whole.text.indexOf(piece);
            return piece !== "" && first === textTo(i).length && textTo(i + 1) === textTo(i) + piece;
          });
          if (at < 0) continue;
          const params = { ...greedy, stop: [NEVER_WRITTEN, engine.tokenizer.decode([whole.tokens[at]])] };
          const [stopped] = await collect(engine, [request], params);
          const tokens = whole.tokens.slice(0, at);
          expect(content(stopped)).toEqual({ tokens, text: textTo(at), stop: "stop", generatedTokens: at + 1 });
          tried++;
        }
        expect(tried, "prompts whose greedy text has a token to stop at").toBeGreaterThan(0);
      });

      it("ends before the first stop text, wherever in the text that is", async () => {
        let tried = 0;
        for (const request of requestsOf(1)) {
          const [whole] = await collect(engine, [request], greedy);
          const middle = whole.text.length >> 1;
          const stop = whole.text.slice(middle, middle + 2);
          // Half a character cannot be a stop text.
          if (stop.length < 2 || stop.includes("\uFFFD")) continue;
          const [stopped] = await collect(engine, [request], { ...greedy, stop: [stop, NEVER_WRITTEN] });
          const text = whole.text.slice(0, whole.text.indexOf(stop));
          expect(stopped).toMatchObject({ stop: "stop", text });
          expect(stopped.generatedTokens).toBeLessThanOrEqual(whole.generatedTokens);
          // If the stop text begins inside a token, an engine may write that token's remaining text in other tokens.
          const before = whole.tokens.filter((_, i) =>
            text.startsWith(engine.tokenizer.decode(whole.tokens.slice(0, i + 1))),
          );
          expect(stopped.tokens.slice(0, before.length)).toEqual(before);
          tried++;
        }
        expect(tried, "prompts whose greedy text has two characters to stop at").toBeGreaterThan(0);
      });

      it("ignores a stop text that does not appear", async () => {
        const free = await collect(engine, requestsOf(2), greedy);
        const stoppable = await collect(engine, requestsOf(2), { ...greedy, stop: [NEVER_WRITTEN] });
        expect(stoppable.map(content)).toEqual(free.map(content));
      });

      it("answers a stream of requests as it answers a list", async () => {
        async function* stream() {
          yield* requestsOf(6);
        }
        const streamed = await collect(engine, stream(), greedy);
        expect(streamed.map(content)).toEqual((await collect(engine, requestsOf(6), greedy)).map(content));
        expectSame(await collect(engine, stream(), sampling), await collect(engine, requestsOf(6), sampling));
      });

      it("asks a stream for no more than it has room for, and waits for requests that follow from samples", async () => {
        const requests = requestsOf(4);
        const { maxInFlight } = engine.capabilities;
        const first = Math.min(2, maxInFlight);
        let given = 0;
        let answered = 0;
        let wake = () => {};
        async function* stream() {
          for (const [i, request] of requests.entries()) {
            // After the first ones, each request waits for one more sample.
            while (answered < i + 1 - first) await new Promise<void>((resolve) => (wake = resolve));
            given++;
            yield request;
          }
        }
        const samples: Sample[] = [];
        for await (const sample of engine.sample(stream(), { ...greedy, longestPrompt: 99 })) {
          samples.push(sample);
          expect(given - answered).toBeLessThanOrEqual(maxInFlight);
          answered++;
          wake();
        }
        samples.sort((a, b) => a.index - b.index);
        expect(samples.map(content)).toEqual((await collect(engine, requests, greedy)).map(content));
      });

      it("fails as the stream of its requests fails", async () => {
        async function* stream() {
          yield requestsOf(1)[0];
          throw new Error("no more requests");
        }
        expect(String(await failureOf(() => collect(engine, stream(), greedy)))).toContain("no more requests");
      });

      it("ends with the signal's reason when it is aborted, between samples and while it waits for requests", async () => {
        const stop = new AbortController();
        const reason = new Error("enough");
        let count = 0;
        const aborted = await failureOf(async () => {
          for await (const _ of engine.sample(requestsOf(8), sampling, { signal: stop.signal })) {
            count++;
            stop.abort(reason);
          }
        });
        expect(aborted).toBe(reason);
        expect(count).toBeLessThan(8 * fixture.prompts.length);
        const waiting = new AbortController();
        async function* endless() {
          setTimeout(() => waiting.abort(reason), 5);
          await new Promise(() => {});
          yield requestsOf(1)[0];
        }
        const options = { signal: waiting.signal };
        expect(await failureOf(() => engine.sample(endless(), sampling, options)[Symbol.asyncIterator]().next())).toBe(
          reason,
        );
        expect((await collect(engine, requestsOf(1), greedy)).length).toBe(fixture.prompts.length);
      });

      it("gives log-probabilities, if it gives any, of every token", async () => {
        for (const { tokens, logProbabilities } of await collect(engine, requestsOf(2), sampling)) {
          if (logProbabilities === undefined) continue;
          expect(logProbabilities.length).toBe(tokens.length);
          expect(logProbabilities.every((value) => value <= 0)).toBe(true);
        }
      });

      it("refuses what exceeds the context, naming the request", async () => {
        const [request] = requestsOf(1);
        const tooLong = { ...sampling, maxTokens: engine.model.contextLength - request.prompt.length + 1 };
        const error = await failureOf(() => collect(engine, [{ ...request, name: "train[12] (chal-480)" }], tooLong));
        expect(error).toBeInstanceOf(UserError);
        expect(String(error)).toContain("train[12] (chal-480)");
        const byPrefix = { ...sampling, prefix: Array<number>(engine.model.contextLength).fill(fixture.prefix[0]) };
        expect(await failureOf(() => collect(engine, [request], byPrefix))).toBeInstanceOf(UserError);
      });
    });

    describe("trainStep", () => {
      it("counts tokens and lowers the loss of what it sees again", async () => {
        const { examples } = fixture;
        const first = await engine.trainStep(examples, fixture.optimizer);
        expect(first.tokens).toBe(examples.reduce((sum, { tokens }) => sum + tokens.length, 0));
        expect(first.completionTokens).toBe(
          examples.reduce((sum, { tokens, completionStart }) => sum + tokens.length - completionStart, 0),
        );
        expect(first.loss).toBeGreaterThan(0);
        expect(first.gradientNorm).toBeGreaterThan(0);
        for (let step = 0; step < 10; step++) await engine.trainStep(examples, fixture.optimizer);
        expect(await lossOf(...examples)).toBeLessThan(first.loss);
      });

      it("changes nothing at a learning rate of 0", async () => {
        const before = await engine.checksum();
        const loss = await lossOf(...fixture.examples);
        expectClose(await lossOf(...fixture.examples), loss);
        expect(await engine.checksum()).toBe(before);
      });

      it("covers the tokens from completionStart to the end, each once", async () => {
        const [{ name: called, tokens, completionStart: start }] = fixture.examples;
        const middle = (start + tokens.length) >> 1;
        const whole = await lossOf({ name: called, tokens, completionStart: start });
        const front = await lossOf({ name: called, tokens: tokens.slice(0, middle), completionStart: start });
        const back = await lossOf({ name: called, tokens, completionStart: middle });
        expectClose(front * (middle - start) + back * (tokens.length - middle), whole * (tokens.length - start));
      });

      it("takes the mean over all completion tokens of the batch, whatever its order", async () => {
        const weights = fixture.examples.map(({ tokens, completionStart }) => tokens.length - completionStart);
        let sum = 0;
        for (const [i, example] of fixture.examples.entries()) sum += weights[i] * (await lossOf(example));
        const mean = sum / weights.reduce((total, weight) => total + weight, 0);
        expectClose(await lossOf(...fixture.examples), mean);
        expectClose(await lossOf(...fixture.examples.toReversed()), mean);
      });

      it("clips the gradient, and reports its norm before that", async () => {
        const free = await engine.trainStep(fixture.examples, fixture.optimizer);
        const unclipped = await engine.checksum();
        await engine.reset();
        const clipped = await engine.trainStep(fixture.examples, { ...fixture.optimizer, maxGradientNorm: 1e-12 });
        expectClose(clipped.gradientNorm, free.gradientNorm);
        expect(await engine.checksum()).not.toBe(unclipped);
        await engine.reset();
        await engine.trainStep(fixture.examples, { ...fixture.optimizer, maxGradientNorm: 1e12 });
        expect(await engine.checksum()).toBe(unclipped);
      });

      it("decays weights with the gradient for adam, apart from it for adamw", async () => {
        const decayed = async (kind: "adam" | "adamw", weightDecay: number) => {
          await engine.reset();
          return train(2, fixture.examples, { ...fixture.optimizer, kind, weightDecay });
        };
        expect(await decayed("adam", 0)).toBe(await decayed("adamw", 0));
        const sums = [await decayed("adam", 0), await decayed("adam", 0.1), await decayed("adamw", 0.1)];
        expect(new Set(sums).size).toBe(3);
      });

      it("refuses what exceeds the context, naming the example, and leaves the weights alone", async () => {
        const before = await engine.checksum();
        const [{ tokens }] = fixture.examples;
        const tooLong = {
          name: "train[7] (gsm-11)",
          tokens: Array.from({ length: engine.model.contextLength + 1 }, (_, i) => tokens[i % tokens.length]),
          completionStart: 1,
        };
        const error = await failureOf(() => engine.trainStep([fixture.examples[1], tooLong], fixture.optimizer));
        expect(error).toBeInstanceOf(UserError);
        expect(String(error)).toContain("train[7] (gsm-11)");
        expect(await engine.checksum()).toBe(before);
      });

      it("may be called ahead: updates are made in the order of the calls, with the same results as one by one", async () => {
        const { examples, optimizer } = fixture;
        const batches = [examples, examples.slice(0, 1), examples.slice(1)];
        const expected = [];
        for (const batch of batches) expected.push(await engine.trainStep(batch, optimizer));
        const weights = await engine.checksum();
        await engine.reset();
        const order: number[] = [];
        const submitted = batches.map((batch, i) =>
          engine.trainStep(batch, optimizer).then((result) => {
            order.push(i);
            return result;
          }),
        );
        // A later call waits for them.
        expect(await engine.checksum()).toBe(weights);
        expect(await Promise.all(submitted)).toEqual(expected);
        expect(order).toEqual([0, 1, 2]);
      });

      it("fails for updates after one that failed, and keeps the weights of those before it", async () => {
        const { examples, optimizer } = fixture;
        await engine.trainStep(examples, optimizer);
        const weights = await engine.checksum();
        await engine.reset();
        const tokens = Array<number>(engine.model.contextLength + 1).fill(examples[0].tokens[0]);
        const steps = [examples, [{ name: "too long", tokens, completionStart: 1 }], examples];
        const [first, second, third] = await Promise.allSettled(steps.map((step) => engine.trainStep(step, optimizer)));
        expect(first.status).toBe("fulfilled");
        expect(second).toMatchObject({ status: "rejected", reason: expect.any(UserError) });
        expect(third).toEqual(second);
        expect(await engine.checksum()).toBe(weights);
        // A later call begins anew.
        expect((await engine.trainStep(examples, optimizer)).loss).toBeGreaterThan(0);
      });

      it("makes no update that has not begun when its signal is aborted", async () => {
        const { examples, optimizer } = fixture;
        await engine.trainStep(examples, optimizer);
        const weights = await engine.checksum();
        await engine.reset();
        const stop = new AbortController();
        const options = { signal: stop.signal };
        const steps = [1, 2, 3].map(() => engine.trainStep(examples, optimizer, options));
        const reason = new Error("enough");
        steps[0].then(() => stop.abort(reason)).catch(() => {});
        const [first, second, third] = await Promise.allSettled(steps);
        expect(first.status).toBe("fulfilled");
        // The second may have begun before the signal.
        if (second.status === "rejected") expect(second.reason).toBe(reason);
        expect(third).toEqual({ status: "rejected", reason });
        if (second.status === "rejected") expect(await engine.checksum()).toBe(weights);
        expect(await failureOf(() => engine.trainStep(examples, optimizer, options))).toBe(reason);
      });

      it("is what sampling continues with: a memorized example is written to its end", async () => {
        const [example] = fixture.examples;
        const base = await collect(engine, requestsOf(1), greedy);
        await train(fixture.memorizeSteps, [example]);
        const request = { name: "memorized", prompt: example.tokens.slice(0, example.completionStart), seed: 1 };
        const completion = example.tokens.slice(example.completionStart, -1);
        const written = async (maxTokens: number) =>
          content((await collect(engine, [request], { ...greedy, maxTokens }))[0]);
        const text = engine.tokenizer.decode(completion);
        const count = completion.length;
        expect(await written(count + 5)).toEqual({ tokens: completion, text, stop: "end", generatedTokens: count + 1 });
        expect(await written(count + 1)).toMatchObject({ stop: "end", generatedTokens: count + 1 });
        expect(await written(count)).toEqual({ tokens: completion, text, stop: "length", generatedTokens: count });
        expect(await written(2)).toMatchObject({ tokens: completion.slice(0, 2), stop: "length", generatedTokens: 2 });
        await engine.reset();
        expect((await collect(engine, requestsOf(1), greedy)).map(content)).toEqual(base.map(content));
      });
    });

    describe("weights", () => {
      it("come back bit for bit: reset to the base, restore to what was saved", async () => {
        const base = await engine.checksum();
        const trained = await train(3);
        expect(trained).not.toBe(base);
        const samples = await collect(engine, requestsOf(2), sampling);
        const saved = await engine.save(target("trained"));
        expect(saved.weights).toBe(trained);
        await engine.reset();
        expect(await engine.checksum()).toBe(base);
        await engine.restore(saved);
        expect(await engine.checksum()).toBe(trained);
        expect((await collect(engine, requestsOf(2), sampling)).map(content)).toEqual(samples.map(content));
      });

      it("come back in another engine, too, and its base is still the one it was opened with", async () => {
        const base = await engine.checksum();
        const trained = await train(2);
        const saved = await engine.save(target("elsewhere"));
        const other = await fixture.open();
        try {
          expect(await other.checksum()).toBe(base);
          await other.restore(saved);
          expect(await other.checksum()).toBe(trained);
          await other.reset();
          expect(await other.checksum()).toBe(base);
        } finally {
          await other.close();
        }
      });

      it("show in the canary, which sampling answers: the same for the same weights, others after training", async () => {
        const canary = () => engine.canary(fixture.prompts[0]);
        const base = await canary();
        expect(base.length).toBeGreaterThan(0);
        expect(base.every((value) => Number.isFinite(value) && value <= 0)).toBe(true);
        expect(await canary()).toEqual(base);
        await collect(engine, requestsOf(1), sampling);
        await train(2);
        const trained = await canary();
        expect(trained).not.toEqual(base);
        const saved = await engine.save(target("canary"));
        await engine.reset();
        expect(await canary()).toEqual(base);
        await engine.restore(saved);
        expect(await canary()).toEqual(trained);
      });

      it("are the same after the same training", async () => {
        const once = await train(3);
        await engine.reset();
        expect(await train(3)).toBe(once);
      });

      it("continue as if never interrupted when the optimizer was saved", async () => {
        await train(3);
        const saved = await engine.save(target("whole"), { optimizer: true });
        const uninterrupted = await train(2);
        await engine.reset();
        await engine.restore(saved);
        expect(await train(2)).toBe(uninterrupted);
      });

      it("continue with a fresh optimizer when it was not saved, even over a checkpoint that had one", async () => {
        await train(3);
        await engine.save(target("replaced"), { optimizer: true });
        const saved = await engine.save(target("replaced"));
        await engine.resetOptimizer();
        const fresh = await train(2);
        await engine.restore(saved);
        expect(await train(2)).toBe(fresh);
      });

      it("keep an optimizer that training has not reset", async () => {
        await train(3);
        const saved = await engine.save(target("before"));
        const continued = await train(1);
        await engine.restore(saved);
        expect(await train(1)).not.toBe(continued);
      });

      it("are refused from a place that holds none", async () => {
        const before = await engine.checksum();
        for (const place of [{ folder: join(folder, "nowhere") }, { uri: "nowhere://none" }]) {
          expect(await failureOf(() => engine.restore({ ...place, weights: before }))).toBeInstanceOf(UserError);
        }
        expect(await engine.checksum()).toBe(before);
      });
    });

    it("refuses every call once it is closed", async () => {
      const other = await fixture.open();
      await other.close();
      expect(await failureOf(() => collect(other, requestsOf(1), sampling))).toBeInstanceOf(Error);
      expect(await failureOf(() => other.trainStep(fixture.examples, fixture.optimizer))).toBeInstanceOf(Error);
      expect(await failureOf(() => other.save(target("closed")))).toBeInstanceOf(Error);
    });

    // A test of its own: nested groups are collected after this function has returned.
    vitestIt("has exceptions for tests that exist only", () => {
      const titles = skip.flatMap(({ tests }) => tests);
      expect(titles.filter((title) => !met.has(title))).toEqual([]);
    });
  });
}
