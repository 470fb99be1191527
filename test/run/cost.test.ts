/** Figures by hand: sums of 2·P + 2·n_layer·n_ctx·d_attn over every token, added up apart from this code. */

import { describe, expect, test } from "vitest";
import { addFlops, type CostedSample, isBudgetSpent, NO_FLOPS, ownCost, samplingCost } from "../../src/run/cost.js";

const facts = (name: string, nonEmbeddingParameters: number, layers: number, attentionWidth: number) => ({
  name,
  parameters: nonEmbeddingParameters,
  trainableParameters: nonEmbeddingParameters,
  nonEmbeddingParameters,
  layers,
  attentionWidth,
  contextLength: 4096,
  vocabularySize: 50_000,
});

/**
 * Two waves: (prompt 20, generated 5) and (20, 7) in the first, (30, 2) in the second; 100 tokens of worked examples
 * before each.
 */
const SAMPLES: readonly CostedSample[] = [
  { wave: 0, prefixTokens: 100, promptTokens: 20, generatedTokens: 5 },
  { wave: 0, prefixTokens: 100, promptTokens: 20, generatedTokens: 7 },
  { wave: 1, prefixTokens: 100, promptTokens: 30, generatedTokens: 2 },
];

const ARCHITECTURES = [
  {
    model: facts("SmolLM2-135M", 106_203_456, 30, 576),
    sharedPrefix: 42_830_438_400,
    prompt: 15_140_989_440,
    generation: 3_034_038_528,
    sampling: 61_005_466_368,
    unshared: 82_420_685_568,
    everyPrefix: 64_245_657_600,
    third: 6_925_860_864,
  },
  {
    model: facts("Llama-3.2-3B", 2_818_747_392, 28, 3072),
    sharedPrefix: 1_129_236_480_000,
    prompt: 395_981_107_200,
    generation: 79_225_294_848,
    sampling: 1_604_442_882_048,
    unshared: 2_169_061_122_048,
    everyPrefix: 1_693_854_720_000,
    third: 181_041_168_384,
  },
  {
    model: facts("Qwen2.5-3B", 2_774_773_760, 36, 2048),
    sharedPrefix: 1_111_398_809_600,
    prompt: 389_631_016_960,
    generation: 77_951_123_456,
    sampling: 1_578_980_950_016,
    unshared: 2_134_680_354_816,
    everyPrefix: 1_667_098_214_400,
    third: 178_135_236_608,
  },
] as const;

describe.each(ARCHITECTURES)("$model.name", ({ model, everyPrefix, third, ...expected }) => {
  test("sharing the worked examples within a wave", () => {
    const { samplingUnshared, ...cost } = samplingCost({ model, capabilities: { sharesPrefix: true } }, SAMPLES);
    expect({ ...cost, unshared: samplingUnshared }).toEqual(expected);
  });

  test("computing them for every sample", () => {
    expect(samplingCost({ model, capabilities: { sharesPrefix: false } }, SAMPLES)).toEqual({
      sharedPrefix: everyPrefix,
      prompt: expected.prompt,
      generation: expected.generation,
      sampling: expected.unshared,
      samplingUnshared: expected.unshared,
    });
  });

  test("a sample drawn in vain cost its own tokens, and its worked examples where they are not shared", () => {
    expect(ownCost({ model, capabilities: { sharesPrefix: true } }, SAMPLES.slice(2))).toBe(third);
    expect(ownCost({ model, capabilities: { sharesPrefix: false } }, SAMPLES.slice(2))).toBe(third + everyPrefix / 3);
  });
});

test("figures add up by purpose", () => {
  const one = Object.fromEntries(Object.keys(NO_FLOPS).map((purpose, i) => [purpose, i + 1]));
  const two = addFlops(one as unknown as typeof NO_FLOPS, one as unknown as typeof NO_FLOPS);
  expect(two).toEqual(Object.fromEntries(Object.keys(NO_FLOPS).map((purpose, i) => [purpose, 2 * (i + 1)])));
});

describe("isBudgetSpent", () => {
  test.each<[number | null, number[], boolean]>([
    [100, [], false],
    [1, [], false],
    [null, [1e30], false],
    [100, [40], false],
    // 40 are left for 9/10 · 60.
    [100, [60], true],
    [100, [30, 37], true],
    [100, [30, 36], false],
    [100, [120], true],
    [100, [100], true],
  ])("of a budget of %j after %j: %j", (budget, iterations, spent) => {
    expect(isBudgetSpent(budget, iterations)).toBe(spent);
  });
});
