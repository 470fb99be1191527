/**
 * Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019) as graphs over pieces of the weights, so that an update
 * uses all threads of the device. Every operation is elementwise, so the numbers do not depend on how weights are cut
 * into pieces or on the number of threads.
 */

import type { OptimizerParams } from "../engine.js";
import { type Device, floats, type Session, type Value } from "./device.js";
import { Graph, type Tensor } from "./graph/graph.js";
import type { ModelWeights } from "./model-weights.js";
import { arrayOf, type WeightArrays } from "./weight-arrays.js";

type OptimizerKind = OptimizerParams["kind"];

/** Where an optimizer applies the weight decay: as formulas of the gradient g and the weight θ. */
interface DecayRule {
  /** The gradient that the moments follow. */
  readonly gradient: (g: Graph, gradient: Tensor, weight: Tensor, scalars: Scalars) => Tensor;
  /** The weight that the step is subtracted from. */
  readonly weight: (g: Graph, weight: Tensor, scalars: Scalars) => Tensor;
}

const OPTIMIZERS: Readonly<Record<OptimizerKind, DecayRule>> = {
  // g + λθ
  adam: {
    gradient: (g, gradient, weight, { decay }) => g.add(gradient, g.mul(weight, decay)),
    weight: (_g, weight) => weight,
  },
  // (1 − ηλ)θ
  adamw: {
    gradient: (_g, gradient) => gradient,
    weight: (g, weight, { keep }) => g.mul(weight, keep),
  },
};

/** Factors of one update, the same for every weight. */
const SCALARS = {
  /** Factor on every gradient, from clipping. */
  scale: (_params: OptimizerParams, _step: number, scale: number) => scale,
  decay: ({ weightDecay }: OptimizerParams) => weightDecay,
  keep: ({ learningRate, weightDecay }: OptimizerParams) => 1 - learningRate * weightDecay,
  beta1: ({ beta1 }: OptimizerParams) => beta1,
  new1: ({ beta1 }: OptimizerParams) => 1 - beta1,
  beta2: ({ beta2 }: OptimizerParams) => beta2,
  new2: ({ beta2 }: OptimizerParams) => 1 - beta2,
  // The corrections of m̂ = m/(1 − β₁ᵗ) and v̂ = v/(1 − β₂ᵗ) are folded into two factors.
  stepSize: ({ learningRate, beta1 }: OptimizerParams, step: number) => learningRate / (1 - beta1 ** step),
  rootCorrection: ({ beta2 }: OptimizerParams, step: number) => 1 / Math.sqrt(1 - beta2 ** step),
  epsilon: ({ epsilon }: OptimizerParams) => epsilon,
} as const;
type ScalarName = keyof typeof SCALARS;
type Scalars = Readonly<Record<ScalarName, Tensor>>;
const SCALAR_NAMES = Object.keys(SCALARS) as ScalarName[];

/** Numbers of a weight that one run updates: few enough for the processor's caches, enough to be worth a run. */
const PIECE = 2 ** 18;

export interface Moments {
  /** Running mean of the gradient and of its square, in the weights' shapes. */
  readonly mean: WeightArrays;
  readonly square: WeightArrays;
  /** Updates made so far. */
  step: number;
}

export function clearMoments(moments: Moments): void {
  for (const arrays of [moments.mean, moments.square]) for (const array of arrays.values()) array.clear();
  moments.step = 0;
}

export class Optimizer {
  readonly moments: Moments;
  readonly #device: Device;
  readonly #weights: WeightArrays;
  readonly #piece: number;
  readonly #updates = new Map<OptimizerKind, Update>();

  /** @param piece numbers of a weight that one run updates, at most */
  constructor(weights: ModelWeights, piece = PIECE) {
    this.#piece = piece;
    this.#device = weights.device;
    this.#weights = weights.trainable;
    this.moments = { mean: weights.zeros(), square: weights.zeros(), step: 0 };
  }

  /**
   * One update of all weights that are trained, in place.
   *
   * @param scale factor on every gradient, from clipping
   */
  async update(gradients: WeightArrays, params: OptimizerParams, scale: number): Promise<void> {
    const { mean, square } = this.moments;
    this.moments.step += 1;
    const update = await this.#updateOf(params.kind);
    const scalars: Record<string, Value> = {};
    for (const name of SCALAR_NAMES) {
      scalars[name] = floats(Float32Array.of(SCALARS[name](params, this.moments.step, scale)), []);
    }
    for (const [name, weight] of this.#weights) {
      const [means, squares, slopes] = [mean, square, gradients].map((arrays) =>
        arrayOf(arrays, name).pieces(this.#piece),
      );
      for (const [i, piece] of weight.pieces(this.#piece).entries()) {
        await update.run(scalars, { weight: piece, mean: means[i], square: squares[i], gradient: slopes[i] });
      }
    }
  }

  async close(): Promise<void> {
    for (const update of this.#updates.values()) await update.close();
    this.#updates.clear();
  }

  async #updateOf(kind: OptimizerKind): Promise<Update> {
    const known = this.#updates.get(kind);
    if (known !== undefined) return known;
    const update = await Update.compile(this.#device, kind);
    this.#updates.set(kind, update);
    return update;
  }
}

/** A piece of one weight and what belongs to it, all of one length. */
interface Piece {
  readonly weight: Value;
  readonly mean: Value;
  readonly square: Value;
  readonly gradient: Value;
}

/** The compiled formulas of one optimizer. */
class Update {
  readonly #session: Session;
  /** Names of the graph's outputs. */
  readonly #outputs: Readonly<Record<"weight" | "mean" | "square", string>>;

  private constructor(session: Session, outputs: Readonly<Record<"weight" | "mean" | "square", string>>) {
    this.#session = session;
    this.#outputs = outputs;
  }

  static async compile(device: Device, kind: OptimizerKind): Promise<Update> {
    const g = new Graph();
    const [weight, mean, square, gradient] = ["weight", "mean", "square", "gradient"].map((name) =>
      g.input(name, ["n"]),
    );
    const scalars = Object.fromEntries(SCALAR_NAMES.map((name) => [name, g.input(name, [])])) as Scalars;
    const { scale, beta1, new1, beta2, new2, stepSize, rootCorrection, epsilon } = scalars;
    const rule = OPTIMIZERS[kind];
    // m ← β₁m + (1 − β₁)g,  v ← β₂v + (1 − β₂)g²,  θ ← θ − η·m̂/(√v̂ + ε)
    const slope = rule.gradient(g, g.mul(gradient, scale), weight, scalars);
    const newMean = g.add(g.mul(mean, beta1), g.mul(slope, new1));
    const newSquare = g.add(g.mul(square, beta2), g.mul(g.mul(slope, slope), new2));
    const root = g.add(g.mul(g.sqrt(newSquare), rootCorrection), epsilon);
    const step = g.mul(g.div(newMean, root), stepSize);
    const newWeight = g.sub(rule.weight(g, weight, scalars), step);
    for (const tensor of [newWeight, newMean, newSquare]) g.output(tensor);
    const outputs = { weight: newWeight.name, mean: newMean.name, square: newSquare.name };
    return new Update(await device.compile(g.encode()), outputs);
  }

  /** Updates weight and moments in place: each output replaces an input that all its other readers come before. */
  async run(scalars: Readonly<Record<string, Value>>, { weight, mean, square, gradient }: Piece): Promise<void> {
    const { weight: newWeight, mean: newMean, square: newSquare } = this.#outputs;
    const into = { [newWeight]: weight, [newMean]: mean, [newSquare]: square };
    await this.#session.run({ ...scalars, weight, mean, square, gradient }, into);
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}

/** L2 norm over all gradients together. */
export async function globalNorm(gradients: WeightArrays): Promise<number> {
  let sum = 0;
  for (const gradient of gradients.values()) sum += sumOfSquares(await gradient.read());
  return Math.sqrt(sum);
}

/** Four partial sums, so that additions need not wait for each other. */
function sumOfSquares(x: Float32Array): number {
  const end = x.length - (x.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < end; i += 4) {
    a += x[i] * x[i];
    b += x[i + 1] * x[i + 1];
    c += x[i + 2] * x[i + 2];
    d += x[i + 3] * x[i + 3];
  }
  for (let i = end; i < x.length; i++) a += x[i] * x[i];
  return a + b + c + d;
}
