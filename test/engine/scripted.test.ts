import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runIteration } from "../../src/algorithm/iteration.js";
import { methodNamed } from "../../src/algorithm/methods.js";
import { ObservationQueue } from "../../src/algorithm/observation-queue.js";
import { seedFor } from "../../src/algorithm/random.js";
import { trainingBatches } from "../../src/algorithm/training-order.js";
import type { Engine, OptimizerParams, SamplingParams, TrainingExample } from "../../src/engine/engine.js";
import { codePointTokenizer } from "../../src/engine/scripted/code-point-tokenizer.js";
import { Learner } from "../../src/engine/scripted/learner.js";
import type { Lesson } from "../../src/engine/scripted/lesson.js";
import { openScriptedEngine } from "../../src/engine/scripted/scripted-engine.js";
import { UserError } from "../../src/errors.js";
import { lessonsOf } from "../../src/run/lessons.js";
import type { Observation, Task } from "../../src/tasks/task.js";
import { describeEngine } from "./conformance.js";

const { encode, decode, endTokens } = codePointTokenizer;

/** Sums in three groups of rising difficulty. */
function lessonList(count: number): Lesson[] {
  return Array.from({ length: count }, (_, i): Lesson => {
    const difficulty = i % 3;
    return {
      prompt: `Q: ${i} + ${difficulty}?\nA:`,
      hintedPrompt: `Q: ${i} + ${difficulty}? (${i + difficulty})\nA:`,
      completion: ` It is ${i + difficulty}.`,
      wrong: [` It is ${i + difficulty + 1}.`, ` I do not know.`],
      group: String(difficulty),
      difficulty,
    };
  });
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

const ADAM: OptimizerParams = {
  kind: "adam",
  learningRate: 0.01,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
};
const SAMPLING: SamplingParams = { prefix: [], temperature: 1, topP: 1, maxTokens: 60, stop: [] };

function exampleOf({ prompt, completion }: Lesson, answer = completion): TrainingExample {
  const context = encode(prompt);
  return { name: prompt, tokens: [...context, ...encode(answer), endTokens[0]], completionStart: context.length };
}

async function texts(
  engine: Engine,
  prompts: readonly string[],
  params: Partial<SamplingParams> = {},
  seed = 1,
): Promise<string[]> {
  const requests = prompts.map((prompt, i) => ({
    name: `prompt ${i}`,
    prompt: encode(prompt),
    seed: seedFor(seed, "sample", 1, i, 1),
  }));
  const found: string[] = [];
  for await (const { index, text } of engine.sample(requests, { ...SAMPLING, ...params })) found[index] = text;
  return found;
}

describeEngine("scripted", async () => {
  const lessons = lessonList(8);
  return {
    open: () => openScriptedEngine({ lessons }),
    prompts: lessons.slice(0, 4).map(({ prompt }) => encode(prompt)),
    prefix: encode("Q: 2 and 2?\nA: It is 4.\n\n"),
    examples: lessons.slice(2, 6).map((lesson) => exampleOf(lesson)),
    optimizer: ADAM,
    memorizeSteps: 20,
    maxTokens: 16,
    tolerance: { loss: 1e-12, samples: 0 },
  };
});

describe("the code point tokenizer", () => {
  it("gives back any text", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0x10_ffff })), (codePoints) => {
        const text = String.fromCodePoint(...codePoints);
        const tokens = encode(text);
        expect(decode(tokens)).toBe(text);
        expect(tokens.includes(endTokens[0])).toBe(false);
      }),
    );
  });
});

describe("the learner", () => {
  const lessons = lessonList(6);
  const traits = { ability: 0.3, difficultyStep: 0.7, hintBonus: 1, responsiveness: 2, byGroup: 0.5, byAll: 0.1 };

  it("has the gradient of its loss", () => {
    const learner = new Learner(lessons, traits);
    const batch = [
      { lesson: 1, right: 5, wrong: 0, length: 5 },
      { lesson: 4, right: 2, wrong: 6, length: 7 },
      { lesson: 1, right: 1, wrong: 1, length: 5 },
      { lesson: 2, right: 0, wrong: 3, length: 3 },
    ];
    learner.setState(Float64Array.from({ length: learner.parameters }, (_, i) => Math.sin(i)));
    const { gradient } = learner.gradient(batch);
    const weights = learner.state(false);
    const step = 1e-5;
    for (let place = 0; place < weights.length; place++) {
      const lossAt = (delta: number) => {
        const moved = weights.slice();
        moved[place] += delta;
        learner.setState(moved);
        return learner.gradient(batch).loss;
      };
      expect(gradient.get(place) ?? 0).toBeCloseTo((lossAt(step) - lossAt(-step)) / (2 * step), 8);
    }
  });

  it("takes Adam's steps", () => {
    const learner = new Learner(lessons.slice(0, 1), { ...traits, byGroup: 0, byAll: 0 });
    const params = { ...ADAM, learningRate: 0.1, weightDecay: 0.01 };
    // Kingma & Ba 2015, algorithm 1, on one weight with the gradients 2, −1, 0.5 plus the decay.
    let [weight, first, second] = [0, 0, 0];
    for (const [i, value] of [2, -1, 0.5].entries()) {
      const gradient = value + params.weightDecay * weight;
      first = params.beta1 * first + (1 - params.beta1) * gradient;
      second = params.beta2 * second + (1 - params.beta2) * gradient ** 2;
      const corrected = [first / (1 - params.beta1 ** (i + 1)), second / (1 - params.beta2 ** (i + 1))];
      weight -= (params.learningRate * corrected[0]) / (Math.sqrt(corrected[1]) + params.epsilon);
      learner.update(new Map([[0, value]]), 1, params);
    }
    expect(learner.state(false)[0]).toBeCloseTo(weight, 14);
  });
});

describe("skill", () => {
  it("gives right answers as often as the log-odds say, fewer where it is difficult, more with a hint", async () => {
    const lessons = lessonList(9_000);
    const engine = await openScriptedEngine({ lessons, ability: 1, difficultyStep: 1.5, hintBonus: 2 });
    const share = async (prompts: (lesson: Lesson) => string, difficulty: number, temperature: number) => {
      const asked = lessons.filter((lesson) => lesson.difficulty === difficulty);
      const written = await texts(engine, asked.map(prompts), { temperature });
      return written.filter((text, i) => text === asked[i].completion).length / asked.length;
    };
    const plain = ({ prompt }: Lesson) => prompt;
    // The standard error of a share of 3000 is at most 0.009.
    expect(Math.abs((await share(plain, 0, 1)) - sigmoid(1))).toBeLessThan(0.04);
    expect(Math.abs((await share(plain, 1, 1)) - sigmoid(-0.5))).toBeLessThan(0.04);
    // At temperature ½ the weights are squared: e^−0.5 of the right one, ½ of each of the two wrong ones.
    const sharpened = Math.exp(-1) / (Math.exp(-1) + 2 / 4);
    expect(Math.abs((await share(plain, 1, 0.5)) - sharpened)).toBeLessThan(0.04);
    expect(Math.abs((await share(({ hintedPrompt = "" }) => hintedPrompt, 1, 1)) - sigmoid(1.5))).toBeLessThan(0.04);
    expect([await share(plain, 0, 0), await share(plain, 2, 0)]).toEqual([1, 0]);
  });

  it("grows on what is trained, less on its like, least on the rest, and shrinks on wrong answers", async () => {
    const lessons = lessonList(6);
    const trained = async (answer?: string) => {
      const engine = await openScriptedEngine({ lessons });
      const lossOf = async (i: number) =>
        (await engine.trainStep([exampleOf(lessons[i])], { ...ADAM, learningRate: 0 })).loss;
      const before = [await lossOf(0), await lossOf(3), await lossOf(1)];
      await engine.resetOptimizer();
      await engine.trainStep([exampleOf(lessons[0], answer)], { ...ADAM, learningRate: 1e-3 });
      return [before[0] - (await lossOf(0)), before[1] - (await lossOf(3)), before[2] - (await lossOf(1))];
    };
    const [own, like, rest] = await trained();
    expect(own).toBeGreaterThan(like);
    expect(like).toBeGreaterThan(rest);
    expect(rest).toBeGreaterThan(0);
    expect((await trained(" 99999999 and much more."))[0]).toBeLessThan(0);
  });

  it("keeps only the likelier side in a small nucleus", async () => {
    const lessons = lessonList(300);
    const engine = await openScriptedEngine({ lessons, ability: 1, difficultyStep: 0 });
    const all = lessons.map(({ prompt }) => prompt);
    const right = lessons.map(({ completion }) => completion);
    expect(await texts(engine, all, { topP: 0.7 })).toEqual(right);
    expect(await texts(engine, all, { topP: 0.8 })).not.toEqual(right);
  });
});

describe("what is written", () => {
  const lessons: Lesson[] = [
    { prompt: "a:", completion: " one. two. three.", wrong: [" no."], group: "x", difficulty: 0 },
    { prompt: "ba:", completion: " longer prompt", wrong: [" no."], group: "x", difficulty: 0 },
    { prompt: "é𝄞:", completion: " 𝄞𝄞 é", wrong: [" no."], group: "x", difficulty: 0 },
  ];
  const open = () => openScriptedEngine({ lessons, ability: 9 });

  it("ends at the stop text that is complete first", async () => {
    const engine = await open();
    expect(await texts(engine, ["a:"], { stop: ["three", ". tw"] })).toEqual([" one"]);
    expect(await texts(engine, ["a:"], { stop: ["one. two. three", "two"] })).toEqual([" one. "]);
    expect(await texts(engine, ["a:"], { stop: ["e.", "one."] })).toEqual([" "]);
  });

  it("is unfinished when the limit comes before the stop text is complete", async () => {
    const engine = await open();
    const requests = [{ name: "one", prompt: encode("a:"), seed: 1 }];
    for await (const sample of engine.sample(requests, { ...SAMPLING, stop: ["two"], maxTokens: 8 })) {
      expect(sample).toMatchObject({ text: " one. tw", stop: "length", generatedTokens: 8 });
    }
    for await (const sample of engine.sample(requests, { ...SAMPLING, stop: ["two"], maxTokens: 9 })) {
      expect(sample).toMatchObject({ text: " one. ", stop: "stop", generatedTokens: 9 });
    }
  });

  it("belongs to the longest prompt that the text ends with, wherever the prefix ends", async () => {
    const engine = await open();
    expect(await texts(engine, ["say ba:", "say a:", "é𝄞:"])).toEqual([" longer prompt", " one. two. three.", " 𝄞𝄞 é"]);
    expect(await texts(engine, ["a:"], { prefix: encode("b") })).toEqual([" longer prompt"]);
  });
});

describe("refusals", () => {
  const lesson: Lesson = { prompt: "p", completion: "c", wrong: ["w"], group: "g", difficulty: 0 };

  it.each([
    { change: { prompt: "" }, says: "expected a prompt for lesson 0" },
    { change: { wrong: [] }, says: "expected wrong completions" },
    { change: { wrong: ["x", "c"] }, says: "other than the right one" },
    { change: { difficulty: -1 }, says: "expected a difficulty" },
    { change: { difficulty: Number.NaN }, says: "expected a difficulty" },
  ])("of the lesson %j", async ({ change, says }) => {
    await expect(openScriptedEngine({ lessons: [{ ...lesson, ...change }] })).rejects.toThrow(UserError);
    await expect(openScriptedEngine({ lessons: [{ ...lesson, ...change }] })).rejects.toThrow(says);
  });

  it("of one prompt with two completions, but not of the same lesson twice", async () => {
    await expect(openScriptedEngine({ lessons: [lesson, { ...lesson, completion: "d" }] })).rejects.toThrow(
      'got "p" for lessons 0 and 1',
    );
    await expect(openScriptedEngine({ lessons: [lesson, lesson] })).resolves.toBeDefined();
  });

  it("of what is not a lesson, by name", async () => {
    const engine = await openScriptedEngine({ lessons: [lesson] });
    await expect(texts(engine, ["unknown"])).rejects.toThrow(
      "prompt 0: expected a prompt that ends with one of the 1 lessons",
    );
    const stray = { name: "train[3]", tokens: encode("unknown"), completionStart: 3 };
    await expect(engine.trainStep([stray], ADAM)).rejects.toThrow(
      "train[3]: expected an example of one of the 1 lessons",
    );
    await expect(engine.trainStep([], ADAM)).rejects.toThrow("expected at least one example");
  });

  it("of a loss that is not finite, with the weights as they were", async () => {
    const engine = await openScriptedEngine({ lessons: [lesson] });
    await engine.trainStep([exampleOf(lesson)], { ...ADAM, learningRate: -1e308 });
    const before = await engine.checksum();
    await expect(engine.trainStep([exampleOf(lesson)], ADAM)).rejects.toThrow("expected a finite loss");
    expect(await engine.checksum()).toBe(before);
  });
});

describe("a checkpoint", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "adastar-scripted-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("of other lessons, cut or altered is refused, and leaves the learner as it was", async () => {
    const lessons = lessonList(5);
    const engine = await openScriptedEngine({ lessons });
    await engine.trainStep([exampleOf(lessons[0])], ADAM);
    const saved = await engine.save({ folder, name: "learner" });
    const other = await openScriptedEngine({ lessons: lessonList(6) });
    await expect(other.restore(saved)).rejects.toThrow("open the engine with those lessons");

    const path = join(folder, "learner.bin");
    const content = await readFile(path);
    const before = await engine.checksum();
    for (let at = 0; at < content.length; at += 3) {
      const altered = Buffer.from(content);
      altered[at] ^= 1;
      await writeFile(path, altered);
      await expect(engine.restore(saved), `byte ${at}`).rejects.toThrow(UserError);
    }
    await writeFile(path, content.subarray(0, content.length - 8));
    await expect(engine.restore(saved)).rejects.toThrow("is damaged");
    expect(await engine.checksum()).toBe(before);
  });
});

describe("lessonsOf", () => {
  const format: Task["format"] = {
    prompt: ({ question }) => `Q: ${question}\nA:`,
    hintedPrompt: ({ question, answer }) => `Q: ${question} (${answer})\nA:`,
    completion: (rationale, answer) => ` ${rationale} Answer ${answer}!`,
    separator: "\n\n",
    stop: ["\nQ:"],
  };
  const verifier: Task["verifier"] = {
    verify: (output, { answer }) => {
      const extracted = /Answer (.*)!/.exec(output)?.[1] ?? null;
      const strict = extracted === null ? "none" : extracted === answer ? "correct" : "wrong";
      return { strict, lenient: strict, extracted };
    },
    canonical: (answer) => answer,
  };
  const options = ["A", "B", "C"].map((label) => ({ label, text: label }));
  const train: Observation[] = [
    { id: "number", question: "2 + 3?", answer: "5", difficulty: 2 },
    { id: "broken", question: "1 / 2?", answer: "0.5" },
    { id: "choice", question: "Which?", answer: "B", options },
    { id: "yes", question: "Is it?", answer: "yes" },
    { id: "no", question: "Is it not?", answer: "no" },
  ];
  const test: Observation[] = [{ id: "text", question: "Who?", answer: "Ada" }];

  it("has answers that the task's verifier judges as they are meant", async () => {
    const lessons = lessonsOf({ train, test, format, verifier });
    const all = [...train, ...test];
    expect(lessons.map(({ completion }, i) => verifier.verify(completion, all[i]).strict)).toEqual(
      all.map(() => "correct"),
    );
    expect(
      lessons.flatMap(({ wrong }, i) => wrong.map((output) => verifier.verify(output, all[i]).strict)),
    ).not.toContain("correct");
    expect(lessons[2].wrong.map((output) => verifier.verify(output, train[2]).extracted)).toEqual(["A", "C"]);
    expect(lessons[0]).toMatchObject({ difficulty: 2, group: "2", prompt: "Q: 2 + 3?\nA:" });
    expect((await texts(await openScriptedEngine({ lessons, ability: 99 }), [lessons[5].prompt]))[0]).toBe(
      " From memory. Answer Ada!",
    );
  });

  it("refuses a verifier that does not know its own format, naming the observation", () => {
    const blind = { ...verifier, verify: () => ({ strict: "none", lenient: "none", extracted: null }) as const };
    expect(() => lessonsOf({ train, test, format, verifier: blind })).toThrow(
      /observation number: expected the task's verifier/,
    );
  });
});

describe("AdaSTaR on the simulated learner", () => {
  it("teaches itself: accuracy on unseen lessons climbs", async () => {
    const lessons = lessonList(600);
    const [train, test] = [lessons.slice(0, 500), lessons.slice(500)];
    const engine = await openScriptedEngine({ lessons, ability: 0, difficultyStep: 1 });
    const method = methodNamed("adastar");
    const queue = ObservationQueue.create(train.length, method.queueKey);
    const accuracy = async () => {
      const written = await texts(
        engine,
        test.map(({ prompt }) => prompt),
      );
      return written.filter((text, i) => text === test[i].completion).length / test.length;
    };
    const before = await accuracy();
    for (let iteration = 1; iteration <= 6; iteration++) {
      await runIteration({
        method,
        queue,
        iteration,
        seed: 1,
        target: 80,
        waveSize: 32,
        power: 2,
        draw: async (requests) => {
          const prompts = requests.map(({ observation, hinted }) => {
            const { prompt, hintedPrompt = prompt } = train[observation];
            return hinted ? hintedPrompt : prompt;
          });
          const written = await texts(engine, prompts, {}, iteration);
          return written.map((text, i) => ({
            ...requests[i],
            correct: text === train[requests[i].observation].completion,
          }));
        },
        train: async ({ kept }) => {
          await engine.resetOptimizer();
          const order = { size: kept.length, batchSize: 8, steps: 10, seed: 1, iteration };
          for (const batch of trainingBatches(order)) {
            await engine.trainStep(
              batch.map((entry) => exampleOf(train[kept[entry].observation])),
              ADAM,
            );
          }
        },
      });
    }
    expect(before).toBeLessThan(0.5);
    expect(await accuracy()).toBeGreaterThan(before + 0.3);
  });

  it("answers a hundred thousand requests in a moment", async () => {
    const lessons = lessonList(100_000);
    const engine = await openScriptedEngine({ lessons });
    const written = await texts(
      engine,
      lessons.map(({ prompt }) => prompt),
    );
    expect(written.length).toBe(100_000);
  }, 20_000);
});
