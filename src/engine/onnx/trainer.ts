/**
 * Training: packs examples, runs the training graph, adds up what the host owns of the gradient, updates the weights.
 */

import { UserError } from "../../errors.js";
import { EMBEDDING } from "../checkpoint/tensors.js";
import type { OptimizerParams, TrainingExample, TrainStepResult } from "../engine.js";
import { type Feeds, floatData, floats, type Session } from "./device.js";
import { fillMask } from "./dropout.js";
import { graphWeights } from "./model.js";
import type { ModelWeights } from "./model-weights.js";
import { clearMoments, globalNorm, type Moments, Optimizer } from "./optimizer.js";
import { type PackedBatch, pack, split } from "./packing.js";
import { EMBEDDING_TABLE, type TrainingGraph, trainingGraph } from "./training-graph.js";
import { arrayOf, type WeightArrays } from "./weight-arrays.js";

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
  readonly #masks = new Map<string, Float32Array>();
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

  /** @param seed key of the dropout of adapters */
  async step(examples: readonly TrainingExample[], params: OptimizerParams, seed = 0): Promise<TrainStepResult> {
    const { loss, gradients, completionTokens } = await this.lossAndGradients(examples, seed);
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
   * Mean negative log-likelihood over all completion tokens, and its gradient by what is trained. The gradient's arrays
   * are overwritten by the next call.
   */
  async lossAndGradients(
    examples: readonly TrainingExample[],
    seed = 0,
  ): Promise<{ loss: number; gradients: WeightArrays; completionTokens: number }> {
    const completionTokens = examples.reduce(
      (sum, { tokens, completionStart }) => sum + tokens.length - completionStart,
      0,
    );
    const { config } = this.#weights;
    const [first, ...later] = split(config, examples, this.#activationBytes).map((part) =>
      pack(config, part, 1 / completionTokens),
    );
    let loss = await this.#run(first, this.#gradients, { seed, part: 0 });
    for (const [i, part] of later.entries()) {
      this.#laterGradients ??= this.#weights.zeros();
      loss += await this.#run(part, this.#laterGradients, { seed, part: i + 1 });
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
  async #run(batch: PackedBatch, into: WeightArrays, dropout: { seed: number; part: number }): Promise<number> {
    const { graph, session } = await this.#compile();
    const feeds = {
      ...batch.feeds,
      ...this.#weightFeeds(),
      ...this.#dropoutFeeds(graph, batch.tokens.length, dropout),
    };
    const gradients = [...graph.gradients].map(([name, output]) => [output, arrayOf(into, name).value]);
    const rows: Record<string, null> = graph.inputGradient === null ? {} : { [graph.inputGradient]: null };
    const results = await session.run(feeds, { [graph.loss]: null, ...rows, ...Object.fromEntries(gradients) });
    if (graph.inputGradient !== null) {
      const embedding = arrayOf(into, EMBEDDING);
      if (!graph.gradients.has(EMBEDDING)) embedding.clear();
      addToRows(embedding.host, batch.tokens, floatData(results[graph.inputGradient]));
    }
    return floatData(results[graph.loss])[0];
  }

  #weightFeeds(): Feeds {
    const { config, adapter } = this.#weights;
    return {
      ...Object.fromEntries(graphWeights(config).map(({ name }) => [name, this.#weights.array(name).value])),
      ...Object.fromEntries([...(adapter?.arrays ?? [])].map(([name, array]) => [name, array.value])),
      [EMBEDDING_TABLE]: this.#weights.array(EMBEDDING).value,
    };
  }

  /** What dropout keeps, in memory that every run uses again. */
  #dropoutFeeds(graph: TrainingGraph, tokens: number, { seed, part }: { seed: number; part: number }): Feeds {
    const share = this.#weights.adapter?.lora.dropout ?? 0;
    const feeds = graph.dropout.map(({ name, width }, stream) => {
      const size = tokens * width;
      const known = this.#masks.get(name);
      const memory = known !== undefined && known.length >= size ? known : new Float32Array(size);
      this.#masks.set(name, memory);
      const mask = memory.subarray(0, size);
      fillMask(mask, share, seed, part, stream);
      return [name, floats(mask, [tokens, width])] as const;
    });
    return Object.fromEntries(feeds);
  }

  #compile(): Promise<Compiled> {
    this.#compiled ??= (async () => {
      const graph = trainingGraph(this.#weights.config, this.#weights.adapter?.lora);
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
