import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { forwardFlops, sampledFlops, sampledFlopsUnshared, trainedFlops } from "../../src/algorithm/flops.js";

/**
 * Non-embedding parameters by hand, from the published shapes: a layer has query and output projections (2 · hidden ·
 * heads · head size), keys and values (2 · hidden · key heads · head size), three feed-forward matrices, two norms, and
 * Qwen's query, key and value biases.
 */
const ARCHITECTURES = [
  {
    // 30 · (2·576·576 + 2·576·192 + 3·576·1536 + 2·576) + 576
    name: "SmolLM2-135M",
    facts: { nonEmbeddingParameters: 106_203_456, layers: 30, attentionWidth: 576 },
    // 2 · P + 2 · 30 · 1 · 576
    firstToken: 212_441_472,
    // 10 · 2 · P + 2 · 30 · 576 · (1 + 2 + … + 10)
    tenTokens: 2_125_969_920,
    // After a prefix of 100, a prompt of 20 and 5 new tokens: 25 · 2 · P + 2 · 30 · 576 · (101 + … + 125)
    continued: 5_407_804_800,
  },
  {
    // 28 · (2·3072·3072 + 2·3072·1024 + 3·3072·8192 + 2·3072) + 3072
    name: "Llama-3.2-3B",
    facts: { nonEmbeddingParameters: 2_818_747_392, layers: 28, attentionWidth: 3072 },
    firstToken: 5_637_666_816,
    tenTokens: 56_384_409_600,
    continued: 141_423_360_000,
  },
  {
    // 36 · (2·2048·2048 + 2·2048·256 + 3·2048·11008 + 2·2048 + 2560) + 2048
    name: "Qwen2.5-3B",
    facts: { nonEmbeddingParameters: 2_774_773_760, layers: 36, attentionWidth: 2048 },
    firstToken: 5_549_694_976,
    tenTokens: 55_503_585_280,
    continued: 139_155_251_200,
  },
];

describe.each(ARCHITECTURES)("$name", ({ facts, firstToken, tenTokens, continued }) => {
  it("costs what the formula says", () => {
    expect(forwardFlops(facts, 0, 1)).toBe(firstToken);
    expect(forwardFlops(facts, 0, 10)).toBe(tenTokens);
    expect(trainedFlops(facts, 10)).toBe(3 * tenTokens);
    expect(sampledFlops(facts, { prefix: 100, prompt: 20, generated: 5 })).toBe(continued);
  });

  it("costs the same as its tokens one by one", () => {
    let sum = 0;
    for (let position = 0; position < 125; position++) {
      sum += 2 * facts.nonEmbeddingParameters + 2 * facts.layers * (position + 1) * facts.attentionWidth;
    }
    expect(sampledFlopsUnshared(facts, { prefix: 100, prompt: 20, generated: 5 })).toBe(sum);
  });
});

describe("training an adapter", () => {
  const base = ARCHITECTURES[0].facts;
  const frozen = base.nonEmbeddingParameters;

  it("costs 4 FLOPs a frozen parameter, 6 a trained one, and attention as before", () => {
    const adapter = 4_884_480; // rank 16 on every projection of SmolLM2-135M
    const facts = { ...base, nonEmbeddingParameters: frozen + adapter, trainableParameters: adapter };
    const attention = 3 * 2 * 30 * 576 * 55;
    expect(trainedFlops(facts, 10)).toBe(10 * (4 * frozen + 6 * adapter) + attention);
  });

  it("costs as full training where all parameters are trained, embeddings among them", () => {
    expect(trainedFlops({ ...base, trainableParameters: frozen + 28_311_552 }, 10)).toBe(trainedFlops(base, 10));
  });
});

describe("sharing a prefix", () => {
  const facts = ARCHITECTURES[0].facts;
  const lengths = fc.nat({ max: 2_000 });

  it("saves the prefix of every sequence but one", () => {
    fc.assert(
      fc.property(lengths, lengths, lengths, (prefix, prompt, generated) => {
        const shared = sampledFlops(facts, { prefix, prompt, generated });
        expect(shared + forwardFlops(facts, 0, prefix)).toBe(
          sampledFlopsUnshared(facts, { prefix, prompt, generated }),
        );
      }),
    );
  });

  it("adds up whatever the cut", () => {
    fc.assert(
      fc.property(lengths, lengths, lengths, (before, first, second) => {
        expect(forwardFlops(facts, before, first) + forwardFlops(facts, before + first, second)).toBe(
          forwardFlops(facts, before, first + second),
        );
      }),
    );
  });
});
