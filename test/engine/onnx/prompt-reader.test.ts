/** What is computed for a prompt is a function of the prompt alone, bit for bit. */

import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { readCheckpoint } from "../../../src/engine/checkpoint/checkpoint.js";
import { Decoder } from "../../../src/engine/onnx/decoder.js";
import { Device } from "../../../src/engine/onnx/device.js";
import { ModelWeights } from "../../../src/engine/onnx/model-weights.js";
import { PromptReader, type ReadPrompt } from "../../../src/engine/onnx/prompt-reader.js";

const MODELS = ["test/fixtures/tiny-llama", "test/fixtures/tiny-tied", "models/starter"];

const prompt = (length: number, seed: number) => Array.from({ length }, (_, i) => 2 + ((seed * 31 + i * i * 7) % 33));

const bits = ({ logits, keys, values }: ReadPrompt) =>
  [logits, ...[...keys, ...values].map(({ host }) => host)].map((data) =>
    Buffer.from(data.slice().buffer).toString("hex"),
  );

describe.each(MODELS)("prompts of %s", (model) => {
  let decoder: Decoder | undefined;
  afterEach(() => decoder?.close());

  const open = async (threads: number, prefixLength: number, bytes = 2 ** 24) => {
    const { config, weights } = await readCheckpoint(join(import.meta.dirname, "../../..", model));
    decoder = await Decoder.open(ModelWeights.upload(new Device({ threads }), config, weights));
    const prefix = await decoder.computePrefix(prompt(prefixLength, 99));
    return { fresh: () => new PromptReader(decoder as Decoder, prefix, bytes) };
  };

  it.each([
    [1, 0],
    [2, 0],
    [2, 13],
  ])(
    "are read alone as they are read in company, with %d threads and a prefix of %d",
    async (threads, prefixLength) => {
      const { fresh } = await open(threads, prefixLength);
      const prompts = [1, 2, 3, 7, 7, 7, 7, 7, 16, 16, 16, 25].map(prompt);
      const together = await fresh().read(prompts);
      for (const [i, alone] of prompts.entries()) {
        const [own] = await fresh().read([alone]);
        expect(bits(own), `prompt ${i}`).toEqual(bits(together[i]));
      }
    },
  );

  it("are remembered as far as memory goes, and computed again the same beyond it", async () => {
    const { fresh } = await open(1, 4, 30_000);
    const reader = fresh();
    const first = prompt(2, 1);
    const [before] = await reader.read([first]);
    expect((await reader.read([first, first])).every((again) => again === before)).toBe(true);
    await reader.read(Array.from({ length: 200 }, (_, i) => prompt(9 + (i % 3), i)));
    const [after] = await reader.read([first]);
    expect(after).not.toBe(before);
    expect(bits(after)).toEqual(bits(before));
  });
});
