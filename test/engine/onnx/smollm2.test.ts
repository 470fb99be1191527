/** The readers on a real pre-trained model. Set ADASTAR_SMOLLM2 to a folder of SmolLM2-135M or its Instruct variant. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readCheckpoint } from "../../../src/engine/checkpoint/checkpoint.js";
import { parameterCount } from "../../../src/engine/checkpoint/model-facts.js";

const { ADASTAR_SMOLLM2: dir } = process.env;

describe.skipIf(dir === undefined)("SmolLM2-135M (skipped unless ADASTAR_SMOLLM2 names its folder)", () => {
  it("is read whole, and encodes, decodes and streams as transformers does", async () => {
    const { config, weights, tokenizer, dtype } = await readCheckpoint(dir as string);
    expect(parameterCount(config)).toBe(134_515_008);
    expect([...weights.values()].reduce((sum, { length }) => sum + length, 0)).toBe(134_515_008);
    expect(dtype).toBe("bfloat16");
    expect(tokenizer.startTokens).toEqual([]);
    const path = join(import.meta.dirname, "../../fixtures/smollm2-tokenizer.expected.json");
    const expected = JSON.parse(await readFile(path, "utf8"));
    for (const { text, tokens } of expected.encodings) expect(tokenizer.encode(text), text).toEqual(tokens);
    for (const { tokens, text } of expected.decodings) {
      expect(tokenizer.decode(tokens)).toBe(text);
      const stream = tokenizer.stream();
      for (const token of tokens) stream.push(token);
      stream.end();
      expect(stream.text).toBe(text);
    }
  }, 60_000);
});
