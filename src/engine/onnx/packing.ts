/** A training batch as its graph takes it: the tokens of all examples one after another. */

import type { ModelConfig } from "../checkpoint/model-config.js";
import type { TrainingExample } from "../engine.js";
import { type Feeds, floats, integers } from "./device.js";
import { causalMask } from "./masks.js";
import { type BatchInputs, maskName } from "./training-graph.js";

export interface PackedBatch {
  /** [N] ids; the last token of an example is only a target. */
  readonly tokens: BigInt64Array;
  /** Feeds for `BatchInputs` and the masks. */
  readonly feeds: Feeds;
}

/** @param tokenWeight weight of each completion token in the loss */
export function pack(config: ModelConfig, examples: readonly TrainingExample[], tokenWeight: number): PackedBatch {
  const lengths = examples.map(({ tokens }) => tokens.length - 1);
  const [batch, length] = [examples.length, Math.max(...lengths)];
  const count = lengths.reduce((sum, own) => sum + own, 0);
  const tokens = new BigInt64Array(count);
  const places = new BigInt64Array(count);
  const padded = new BigInt64Array(batch * length);
  const real = new Float32Array(batch * length);
  const rows: bigint[] = [];
  const targets: bigint[] = [];
  let row = 0;
  for (const [b, example] of examples.entries()) {
    for (let i = 0; i < lengths[b]; i++, row++) {
      const place = b * length + i;
      tokens[row] = BigInt(example.tokens[i]);
      places[row] = BigInt(place);
      padded[place] = BigInt(row);
      real[place] = 1;
      if (i + 1 < example.completionStart) continue;
      rows.push(BigInt(row));
      targets.push(BigInt(example.tokens[i + 1]));
    }
  }
  const positions = BigInt64Array.from({ length: batch * length }, (_, place) => BigInt(place % length));
  const inputs: Readonly<Record<keyof BatchInputs, Feeds[string]>> = {
    tokens: integers(tokens, [count]),
    places: integers(places, [count]),
    padded: integers(padded, [batch, length]),
    real: floats(real, [batch, length, 1]),
    positions: integers(positions, [batch, length]),
    rows: integers(BigInt64Array.from(rows), [rows.length]),
    targets: integers(BigInt64Array.from(targets), [rows.length, 1]),
    tokenWeights: floats(new Float32Array(rows.length).fill(tokenWeight), [rows.length, 1]),
  };
  return { tokens, feeds: { ...inputs, ...masks(config, length) } };
}

function masks(config: ModelConfig, length: number): Feeds {
  const group = config.heads / config.keyValueHeads;
  const windows = new Set(config.attention.map(({ window }) => window));
  return Object.fromEntries(
    [...windows].map((window) => [
      maskName(window),
      floats(causalMask(group, length, window), [group * length, length]),
    ]),
  );
}

/**
 * Parts of a batch whose intermediate results fit into memory, at least one example each. Examples of like length are
 * together, so that little of attention is spent on fill.
 */
export function split(
  config: ModelConfig,
  examples: readonly TrainingExample[],
  bytes: number,
): readonly (readonly TrainingExample[])[] {
  const byLength = examples.toSorted((a, b) => b.tokens.length - a.tokens.length);
  const parts: TrainingExample[][] = [];
  for (const example of byLength) {
    const grown = [...(parts.at(-1) ?? []), example];
    if (parts.length > 0 && activationBytes(config, grown) <= bytes) parts[parts.length - 1] = grown;
    else parts.push([example]);
  }
  return parts;
}

/** Rough size of what the training graph keeps between forward and backward. */
function activationBytes(config: ModelConfig, examples: readonly TrainingExample[]): number {
  const { layers, width, mlpWidth, heads, headDim, vocabularySize } = config;
  const length = Math.max(...examples.map(({ tokens }) => tokens.length));
  const tokens = examples.reduce((sum, example) => sum + example.tokens.length, 0);
  const rows = examples.reduce((sum, example) => sum + example.tokens.length - example.completionStart, 0);
  const linear = tokens * (8 * width + 7 * mlpWidth);
  const attention = examples.length * length * heads * (4 * headDim + 3 * length);
  return 4 * (layers * (linear + attention) + 3 * rows * vocabularySize);
}
