import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseModelConfig } from "../../../src/engine/checkpoint/config-json.js";
import { type Rotary, rotaryTables } from "../../../src/engine/checkpoint/rotary.js";
import { SafetensorsFile } from "../../../src/engine/checkpoint/safetensors.js";

const fixtures = join(import.meta.dirname, "../../fixtures");

/** A Llama config around the given fields. */
const parse = (changes: object) => {
  const sizes = {
    vocab_size: 100,
    hidden_size: 24,
    num_hidden_layers: 2,
    num_attention_heads: 6,
    intermediate_size: 37,
  };
  return parseModelConfig({ model_type: "llama", ...sizes, max_position_embeddings: 64, ...changes }, null, "/m");
};

describe("rotaryTables", () => {
  it("equal transformers' for every way of stretching them, at near and far positions", async () => {
    const expected = JSON.parse(await readFile(join(fixtures, "rope.expected.json"), "utf8"));
    const file = await SafetensorsFile.open(join(fixtures, "rope.expected.safetensors"));
    for (const [name, parameters] of Object.entries(expected.ropeParameters)) {
      const { attention } = parse({ head_dim: expected.headDim, rope_parameters: parameters });
      const tables = rotaryTables(attention[0].rotary as Rotary, Math.max(...expected.positions) + 1);
      for (const kind of ["cos", "sin"] as const) {
        const values = await file.read(`${name}.${kind}`);
        const pairs = expected.headDim / 2;
        let worst = 0;
        for (const [row, position] of expected.positions.entries()) {
          for (let pair = 0; pair < pairs; pair++) {
            const ours = tables[kind][position * pairs + pair];
            worst = Math.max(worst, Math.abs(ours - values[row * pairs + pair]));
          }
        }
        // A frequency that is off by its last bit moves a far angle by a few 1e-6 (a wrong blend: by 1e-2 and more).
        expect(worst, `${name}.${kind}`).toBeLessThan(1e-5);
      }
    }
    await file.close();
  });
});
