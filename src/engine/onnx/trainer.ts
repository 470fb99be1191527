/** Training: packs examples into a batch, runs the training graph, adds up what the host owns of the gradient, updates the weights. */

import { UserError } from "../../errors.js";
import type { ModelConfig } from "../checkpoint/model-config.js";
import { EMBEDDING, modelTensors } from "../checkpoint/tensors.js";
import type { Weights } from "../checkpoint/weights.js";
import type { OptimizerParams, TrainingExample, TrainStepResult } from "../engine.js";
import { adamUpdate, clearMoments, globalNorm, type Moments, zeroMoments } from "./adam.js";
import { headName } from "./model.js";
import { type Feeds, floatData, floats, integers, Session } from "./session.js";
import { forwardGraph, type TrainingGraph, type TrainingShape, trainingGraph } from "./training-graph.js";

export interface TrainerOptions {
  readonly threads?: number;
  /** Most bytes that the intermediate results of one graph may take; a larger batch is split and its gradients added. */
  readonly activationBytes?: number;
}

const GIB = 2 ** 30;

/** A batch as the graph takes it. */
interface Packed {
  readonly shape: TrainingShape;
  /** [B·L] token ids, padded with 0. */
  readonly tokens: Int32Array;
  readonly rows: BigInt64Array;
  readonly targets: BigInt64Array;
  readonly weights: Float32Array;
}

interface Compiled {
  readonly graph: TrainingGraph;
  readonly session: Session;
  readonly bytes: number;
}

export class Trainer {
  readonly moments: Moments;
  readonly #config: ModelConfig;
  readonly #weights: Weights;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;
  readonly #gradients: ReadonlyMap<string, Float32Array>;
  /** Where a split batch's later parts put their gradients, before they are added. */
  #part: ReadonlyMap<string, Float32Array> | undefined;
  readonly #threads: number | undefined;
  readonly #activationBytes: number;
  /** Compiled graphs by shape, least recently used first. */
  readonly #compiled = new Map<string, Compiled>();

  /** @param weights updated in place by `step` */
  constructor(config: ModelConfig, weights: Weights, { threads, activationBytes = 4 * GIB }: TrainerOptions = {}) {
    this.#config = config;
    this.#weights = weights;
    this.#threads = threads;
    this.#activationBytes = activationBytes;
    this.#shapes = new Map(modelTensors(config).map(({ name, shape }) => [name, shape]));
    this.#gradients = emptyLike(weights);
    this.moments = zeroMoments(weights);
  }

  resetOptimizer(): void {
    clearMoments(this.moments);
  }

  async step(examples: readonly TrainingExample[], params: OptimizerParams): Promise<TrainStepResult> {
    const { loss, gradients, completionTokens } = await this.lossAndGradients(examples);
    const gradientNorm = globalNorm(gradients);
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
      throw new UserError(
        `expected a finite training loss, got ${loss} (gradient norm ${gradientNorm}); the weights are unchanged. ` +
          "Lower the learning rate or set a maximal gradient norm.",
      );
    }
    const limit = params.maxGradientNorm;
    // The 1e-6 is PyTorch's, so that clipped runs agree with its clip_grad_norm_.
    const scale = limit === undefined ? 1 : Math.min(1, limit / (gradientNorm + 1e-6));
    adamUpdate(this.#weights, gradients, this.moments, params, scale);
    const tokens = examples.reduce((sum, example) => sum + example.tokens.length, 0);
    return { loss, gradientNorm, tokens, completionTokens };
  }

  /** Mean negative log-likelihood over all completion tokens, and its gradient; the arrays are overwritten by the next call. */
  async lossAndGradients(
    examples: readonly TrainingExample[],
  ): Promise<{ loss: number; gradients: ReadonlyMap<string, Float32Array>; completionTokens: number }> {
    const completionTokens = examples.reduce(
      (sum, { tokens, completionStart }) => sum + tokens.length - completionStart,
      0,
    );
    let loss = 0;
    for (const [i, part] of this.#split(examples).entries()) {
      this.#part ??= i > 0 ? emptyLike(this.#weights) : undefined;
      const into = i === 0 ? this.#gradients : (this.#part as ReadonlyMap<string, Float32Array>);
      loss += await this.#run(part, 1 / completionTokens, into);
      if (i > 0) addTo(this.#gradients, into);
    }
    return { loss, gradients: this.#gradients, completionTokens };
  }

  /** Logits [length, vocabulary] of every position of one sequence, by the full forward pass. */
  async logits(tokens: readonly number[]): Promise<Float32Array> {
    const shape = { batch: 1, length: tokens.length, rows: tokens.length };
    const graph = forwardGraph(this.#config, shape);
    const session = await Session.open(graph.model, { threads: this.#threads });
    const rows = BigInt64Array.from(tokens, (_, i) => BigInt(i));
    const feeds = {
      ...this.#weightFeeds(),
      x: this.#lookUp(Int32Array.from(tokens)),
      rows: integers(rows, [rows.length]),
    };
    const results = await session.run(feeds, { [graph.logits]: null });
    await session.close();
    return floatData(results[graph.logits]);
  }

  async close(): Promise<void> {
    for (const { session } of this.#compiled.values()) await session.close();
    this.#compiled.clear();
  }

  /** Parts whose intermediate results fit; examples of like length together, so that little is padding. */
  #split(examples: readonly TrainingExample[]): TrainingExample[][] {
    const byLength = [...examples].sort((a, b) => b.tokens.length - a.tokens.length);
    const parts: TrainingExample[][] = [];
    let part: TrainingExample[] = [];
    for (const example of byLength) {
      const longest = part[0] ?? example;
      const shape = { batch: part.length + 1, length: longest.tokens.length, rows: 0 };
      if (part.length > 0 && activationBytes(this.#config, shape) > this.#activationBytes) {
        parts.push(part);
        part = [];
      }
      part.push(example);
    }
    return part.length > 0 ? [...parts, part] : parts;
  }

  async #run(
    examples: readonly TrainingExample[],
    tokenWeight: number,
    into: ReadonlyMap<string, Float32Array>,
  ): Promise<number> {
    const packed = pack(examples, tokenWeight);
    const { graph, session } = await this.#compile(packed.shape);
    const { batch, length, rows } = packed.shape;
    const feeds: Feeds = {
      ...this.#weightFeeds(),
      x: this.#lookUp(packed.tokens),
      rows: integers(packed.rows, [rows]),
      targets: integers(packed.targets, [rows, 1]),
      weights: floats(packed.weights, [rows, 1]),
    };
    const inputGradient = new Float32Array(batch * length * this.#config.width);
    const fetches = {
      [graph.loss]: null,
      [graph.inputGradient]: floats(inputGradient, [batch * length, this.#config.width]),
      ...Object.fromEntries([...graph.gradients].map(([name, output]) => [output, this.#tensor(name, into)])),
    };
    const results = await session.run(feeds, fetches);
    if (!graph.gradients.has(EMBEDDING)) into.get(EMBEDDING)?.fill(0);
    this.#addToRows(into.get(EMBEDDING) as Float32Array, packed.tokens, inputGradient);
    return floatData(results[graph.loss])[0] as number;
  }

  #weightFeeds(): Feeds {
    const graphWeights = [...this.#weights.keys()].filter(
      (name) => name !== EMBEDDING || headName(this.#config) === EMBEDDING,
    );
    return Object.fromEntries(graphWeights.map((name) => [name, this.#tensor(name, this.#weights)]));
  }

  #tensor(name: string, from: ReadonlyMap<string, Float32Array>) {
    return floats(from.get(name) as Float32Array, this.#shapes.get(name) as readonly number[]);
  }

  /** Embedding rows [N, D] of the tokens. */
  #lookUp(tokens: Int32Array) {
    const { width } = this.#config;
    const table = this.#weights.get(EMBEDDING) as Float32Array;
    const x = new Float32Array(tokens.length * width);
    for (const [i, token] of tokens.entries()) x.set(table.subarray(token * width, (token + 1) * width), i * width);
    return floats(x, [tokens.length, width]);
  }

  /** table[tokensᵢ] += rowsᵢ, in order, so that the sum is the same at every run. */
  #addToRows(table: Float32Array, tokens: Int32Array, rows: Float32Array): void {
    const { width } = this.#config;
    for (const [i, token] of tokens.entries()) {
      for (let j = 0; j < width; j++) table[token * width + j] += rows[i * width + j];
    }
  }

  async #compile(shape: TrainingShape): Promise<Compiled> {
    const key = `${shape.batch}x${shape.length}:${shape.rows}`;
    let compiled = this.#compiled.get(key);
    if (compiled === undefined) {
      const bytes = activationBytes(this.#config, shape);
      await this.#makeRoom(bytes);
      const graph = trainingGraph(this.#config, shape);
      const session = await Session.open(graph.model, { threads: this.#threads });
      compiled = { graph, session, bytes };
    }
    this.#compiled.delete(key); // to the end of the order of use
    this.#compiled.set(key, compiled);
    return compiled;
  }

  /** A session keeps the memory of its largest run: drop the least used until the new one fits. */
  async #makeRoom(bytes: number): Promise<void> {
    const held = () => [...this.#compiled.values()].reduce((sum, entry) => sum + entry.bytes, 0);
    for (const [key, { session }] of this.#compiled) {
      if (held() + bytes <= this.#activationBytes) break;
      this.#compiled.delete(key);
      await session.close();
    }
  }
}

/** Rough size of what one training graph keeps between forward and backward. */
function activationBytes(config: ModelConfig, { batch, length, rows }: TrainingShape): number {
  const attention = config.heads * (4 * config.headDim + 3 * length);
  const perToken = config.layers * (8 * config.width + 7 * config.mlpWidth + attention);
  return 4 * (batch * length * perToken + 3 * rows * config.vocabularySize);
}

/** Few different sizes, so that few graphs are compiled, at the price of some padding. */
function bucket(size: number): number {
  const step = size <= 128 ? 8 : size <= 256 ? 16 : 64;
  return Math.ceil(size / step) * step;
}

/** @param tokenWeight weight of each completion token in the loss */
function pack(examples: readonly TrainingExample[], tokenWeight: number): Packed {
  const batch = examples.length;
  const length = bucket(Math.max(...examples.map((example) => example.tokens.length - 1)));
  const tokens = new Int32Array(batch * length);
  const used = new Uint8Array(batch * length);
  const chosen: number[] = [];
  const targets: number[] = [];
  for (const [b, example] of examples.entries()) {
    for (let i = 0; i + 1 < example.tokens.length; i++) {
      const row = b * length + i;
      tokens[row] = example.tokens[i] as number;
      if (i + 1 < example.completionStart) continue;
      chosen.push(row);
      targets.push(example.tokens[i + 1] as number);
      used[row] = 1;
    }
  }
  const step = Math.ceil((batch * length) / 8);
  const rows = Math.min(batch * length, Math.ceil(chosen.length / step) * step);
  const weights = new Float32Array(rows).fill(tokenWeight, 0, chosen.length);
  // Rows must be distinct: fill up with positions that no loss covers, at weight 0.
  for (let row = 0; chosen.length < rows; row++) if (used[row] === 0) chosen.push(row);
  const targetIds = new BigInt64Array(rows);
  for (const [i, target] of targets.entries()) targetIds[i] = BigInt(target);
  return {
    shape: { batch, length, rows },
    tokens,
    rows: BigInt64Array.from(chosen, BigInt),
    targets: targetIds,
    weights,
  };
}

function emptyLike(weights: ReadonlyMap<string, Float32Array>): ReadonlyMap<string, Float32Array> {
  return new Map([...weights].map(([name, data]) => [name, new Float32Array(data.length)]));
}

function addTo(sum: ReadonlyMap<string, Float32Array>, part: ReadonlyMap<string, Float32Array>): void {
  for (const [name, total] of sum) {
    const data = part.get(name) as Float32Array;
    for (let i = 0; i < total.length; i++) total[i] += data[i];
  }
}
