/** A row's summary never changes the token: compared with the sampler that sees the whole row. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { uniform } from "../../../src/algorithm/random.js";
import { Device, floatData, floats, integerData } from "../../../src/engine/onnx/device.js";
import { Graph } from "../../../src/engine/onnx/graph/graph.js";
import { massError, type RowSummary, summarizeRows } from "../../../src/engine/onnx/row-summary.js";
import { greedyToken, NucleusSampler } from "../../../src/engine/onnx/sampler.js";
import { TokenChooser } from "../../../src/engine/onnx/token-chooser.js";

/** The true mass of a row, in float64. */
function massOf(logits: Float32Array, temperature: number): number {
  const largest = logits[greedyToken(logits)];
  return logits.reduce((sum, logit) => sum + Math.exp((logit - largest) / temperature), 0);
}

/** The `count` likeliest tokens, and a mass that is off by `error` parts of what it may be off by. */
function summaryOf(logits: Float32Array, temperature: number, count: number, error: number): RowSummary {
  const ids = [...logits.keys()].sort((a, b) => logits[b] - logits[a] || a - b).slice(0, count);
  const allowed = 1e-3;
  return {
    logits: Float32Array.from(ids, (id) => logits[id]),
    ids: BigInt64Array.from(ids, BigInt),
    mass: massOf(logits, temperature) * (1 + error * allowed),
    // The true mass is within this of the summary's, which is up to `allowed` off from the true one.
    massError: allowed / (1 - allowed) + 1e-12,
    temperature,
  };
}

const rows = fc.oneof(
  // Quarters: many ties, also between the summary's last token and those it leaves out.
  fc.array(
    fc.integer({ min: -20, max: 20 }).map((n) => n / 4),
    { minLength: 8, maxLength: 80 },
  ),
  fc.array(fc.float({ min: -8, max: 8, noNaN: true }), { minLength: 8, maxLength: 80 }),
);
const temperatures = fc.double({ min: 0.05, max: 3, noNaN: true });
const shares = fc.double({ min: 0.01, max: 1, noNaN: true });
const randoms = fc.double({ min: 0, max: 0.9999999, noNaN: true });

describe("a token chosen by a summary", () => {
  it("is the one that the whole row gives, whatever the rounding of the mass, ties included", () => {
    let settled = 0;
    const property = (values: number[], temperature: number, topP: number, random: number, error: number) => {
      const logits = Float32Array.from(values);
      const summary = summaryOf(logits, temperature, 6, error);
      const expected = new NucleusSampler(logits.length).draw(logits, temperature, topP, random);
      const chooser = new TokenChooser(logits.length);
      expect(chooser.choose(logits, summary, { temperature, topP }, random)).toBe(expected);
      expect(chooser.choose(logits, summary, { temperature: 0, topP }, random)).toBe(greedyToken(logits));
      // A row of other values shows whether the summary settled it.
      const blank = new Float32Array(logits.length);
      if (chooser.choose(blank, summary, { temperature, topP }, 1 - 1e-12) !== logits.length - 1) settled += 1;
    };
    fc.assert(fc.property(rows, temperatures, shares, randoms, fc.double({ min: -1, max: 1, noNaN: true }), property), {
      numRuns: 3000,
      endOnFailure: true,
    });
    expect(settled).toBeGreaterThan(500);
  });

  it.each([1024, 1021, 5000])("is the same by a summary that the graph computes, of %d tokens", async (vocabulary) => {
    const count = 8;
    const g = new Graph();
    const input = g.input("logits", ["R", vocabulary]);
    const summaries = summarizeRows(g, input, vocabulary, g.input("inverse", []));
    for (const tensor of [summaries.logits, summaries.ids, summaries.masses]) g.output(tensor);
    const session = await new Device({ threads: 1 }).compile(g.encode());
    const chooser = new TokenChooser(vocabulary);
    const sampler = new NucleusSampler(vocabulary);
    for (const [round, temperature] of [0.3, 0.7, 1, 1.6].entries()) {
      const logits = Float32Array.from({ length: count * vocabulary }, (_, i) => 40 * uniform(round, i) ** 6);
      // Some rows with ties at the top.
      for (let i = 0; i < 3 * vocabulary; i++) logits[i] = Math.round(logits[i]);
      const feeds = {
        logits: floats(logits, [count, vocabulary]),
        inverse: floats(Float32Array.of(1 / temperature), []),
      };
      const into = { [summaries.logits.name]: null, [summaries.ids.name]: null, [summaries.masses.name]: null };
      const results = await session.run(feeds, into);
      const [top, masses] = [floatData(results[summaries.logits.name]), floatData(results[summaries.masses.name])];
      const ids = integerData(results[summaries.ids.name]);
      const size = top.length / count;
      for (let row = 0; row < count; row++) {
        const own = logits.subarray(row * vocabulary, (row + 1) * vocabulary);
        const error = massError(vocabulary);
        expect(Math.abs(masses[row] / massOf(own, temperature) - 1)).toBeLessThan(error);
        const [begin, end] = [row * size, (row + 1) * size];
        const summary = {
          logits: top.slice(begin, end),
          ids: ids.slice(begin, end),
          mass: masses[row],
          massError: error,
          temperature,
        };
        expect(chooser.choose(own, summary, { temperature: 0, topP: 1 }, 0)).toBe(greedyToken(own));
        for (let draw = 0; draw < 40; draw++) {
          const [topP, random] = [0.1 + 0.9 * uniform(draw, 1), uniform(draw, 2)];
          const expected = sampler.draw(own, temperature, topP, random);
          expect(chooser.choose(own, summary, { temperature, topP }, random)).toBe(expected);
        }
      }
    }
    await session.close();
  });
});
