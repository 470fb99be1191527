/**
 * Training: packs examples, runs the training graph, adds up what the host owns of the gradient, updates the weights.
 */

import { UserError } from "../../errors.js";
import { EMBEDDING } from "../checkpoint/tensors.js";
import type { OptimizerParams, TrainingExample, TrainStepResult } from "../engine.js";
import { floatData, type Session } from "./device.js";
import { graphWeights } from "./model.js";
import { arrayOf, type ModelWeights, type WeightArrays } from "./model-weights.js";
import { clearMoments, globalNorm, type Moments, Optimizer } from "./optimizer.js";
import { type PackedBatch, pack, split } from "./packing.js";
import { EMBEDDING_TABLE, type TrainingGraph, trainingGraph } from "./training-graph.js";

const GIB = 2 ** 30;

interface Compiled {
  readonly graph: TrainingGraph;
  readonly session: Session;
}

export class Trainer {
  readonly #weights: ModelWeights;
  readonly #optimizer: Optimizer;
  readonly #activationBytes: number;
  readonly #gradients: WeightArrays;
  /** Where the later parts of a batch put their gradients, before they are added. */
  #laterGradients: WeightArrays | undefined;
  #compiled: Promise<Compiled> | undefined;

  /**
   * @param weights updated in place by `step`
   * @param activationBytes about as much memory as the intermediate results may take; a larger batch is split, its
   * gradients added
   */
  constructor(weights: ModelWeights, activationBytes = 4 * GIB) {
    this.#weights = weights;
    this.#activationBytes = activationBytes;
    this.#gradients = weights.zeros();
    this.#optimizer = new Optimizer(weights);
  }

  resetOptimizer(): void {
    clearMoments(this.moments);
  }

  get moments(): Moments {
    return this.#optimizer.moments;
  }

  async step(examples: readonly TrainingExample[], params: OptimizerParams): Promise<TrainStepResult> {
    const { loss, gradients, completionTokens } = await this.lossAndGradients(examples);
    const gradientNorm = await globalNorm(gradients);
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
      throw new UserError(
        `expected a finite training loss, got ${loss} (gradient norm ${gradientNorm}); the weights are unchanged. ` +
          "Lower the learning rate or set a maximal gradient norm.",
      );
    }
    const limit = params.maxGradientNorm;
    // The 1e-6 is PyTorch's, so that clipped runs agree with its clip_grad_norm_.
    const scale = limit === undefined ? 1 : Math.min(1, limit / (gradientNorm + 1e-6));
    await this.#optimizer.update(gradients, params, scale);
    const tokens = examples.reduce((sum, example) => sum + example.tokens.length, 0);
    return { loss, gradientNorm, tokens, completionTokens };
  }

  /**
   * Mean negative log-likelihood over all completion tokens, and its gradient by weight. The gradient's arrays are
   * overwritten by the next call.
   */
  async lossAndGradients(
    examples: readonly TrainingExample[],
  ): Promise<{ loss: number; gradients: WeightArrays; completionTokens: number }> {
    const completionTokens = examples.reduce(
      (sum, { tokens, completionStart }) => sum + tokens.length - completionStart,
      0,
    );
    const { config } = this.#weights;
    const [first, ...later] = split(config, examples, this.#activationBytes).map((part) =>
      pack(config, part, 1 / completionTokens),
    );
    let loss = await this.#run(first, this.#gradients);
    for (const part of later) {
      this.#laterGradients ??= this.#weights.zeros();
      loss += await this.#run(part, this.#laterGradients);
      await addTo(this.#gradients, this.#laterGradients);
    }
    return { loss, gradients: this.#gradients, completionTokens };
  }

  async close(): Promise<void> {
    await this.#optimizer.close();
    await (await this.#compiled)?.session.close();
    this.#compiled = undefined;
  }

  /** Runs forward and backward; the gradients are written into `into`. Returns the loss. */
  async #run(batch: PackedBatch, into: WeightArrays): Promise<number> {
    const { graph, session } = await this.#compile();
    const { config } = this.#weights;
    const weights = graphWeights(config).map(({ name }) => [name, this.#weights.array(name).value]);
    const feeds = {
      ...batch.feeds,
      ...Object.fromEntries(weights),
      [EMBEDDING_TABLE]: this.#weights.array(EMBEDDING).value,
    };
    const gradients = [...graph.gradients].map(([name, output]) => [output, arrayOf(into, name).value]);
    const results = await session.run(feeds, {
      [graph.loss]: null,
      [graph.inputGradient]: null,
      ...Object.fromEntries(gradients),
    });
    const embedding = arrayOf(into, EMBEDDING);
    if (!graph.gradients.has(EMBEDDING)) embedding.clear();
    addToRows(embedding.host, batch.tokens, floatData(results[graph.inputGradient]));
    return floatData(results[graph.loss])[0];
  }

  #compile(): Promise<Compiled> {
    this.#compiled ??= (async () => {
      const graph = trainingGraph(this.#weights.config);
      return { graph, session: await this.#weights.device.compile(graph.model) };
    })();
    return this.#compiled;
  }
}

/** table[tokensᵢ] += rowsᵢ, in order, so that the sum is the same at every run. */
function addToRows(table: Float32Array, tokens: BigInt64Array, rows: Float32Array): void {
  const width = rows.length / tokens.length;
  for (const [i, token] of tokens.entries()) {
    const start = Number(token) * width;
    for (let j = 0; j < width; j++) table[start + j] += rows[i * width + j];
  }
}

async function addTo(sums: WeightArrays, parts: WeightArrays): Promise<void> {
  for (const [name, { host: sum }] of sums) {
    const part = await arrayOf(parts, name).read();
    for (let i = 0; i < sum.length; i++) sum[i] += part[i];
  }
}
