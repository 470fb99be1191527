/** Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019) over typed arrays, in place. */

import type { OptimizerParams } from "../engine.js";

export interface Moments {
  /** Running mean of the gradient and of its square, one array a weight. */
  readonly mean: Map<string, Float32Array>;
  readonly square: Map<string, Float32Array>;
  /** Updates made so far. */
  step: number;
}

export function zeroMoments(weights: ReadonlyMap<string, Float32Array>): Moments {
  const zeros = () => new Map([...weights].map(([name, data]) => [name, new Float32Array(data.length)]));
  return { mean: zeros(), square: zeros(), step: 0 };
}

export function clearMoments(moments: Moments): void {
  for (const data of moments.mean.values()) data.fill(0);
  for (const data of moments.square.values()) data.fill(0);
  moments.step = 0;
}

/** L2 norm over all gradients together. */
export function globalNorm(gradients: ReadonlyMap<string, Float32Array>): number {
  let sum = 0;
  for (const data of gradients.values()) sum += sumOfSquares(data);
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

/**
 * One update of all weights.
 *
 * @param scale factor on every gradient, from clipping
 */
export function adamUpdate(
  weights: ReadonlyMap<string, Float32Array>,
  gradients: ReadonlyMap<string, Float32Array>,
  moments: Moments,
  params: OptimizerParams,
  scale: number,
): void {
  moments.step += 1;
  for (const [name, weight] of weights) {
    const gradient = gradients.get(name);
    const mean = moments.mean.get(name);
    const square = moments.square.get(name);
    if (!gradient || !mean || !square) throw new Error(`no gradient or moments for ${name}`);
    updateOne(weight, gradient, mean, square, moments.step, params, scale);
  }
}

function updateOne(
  weight: Float32Array,
  gradient: Float32Array,
  mean: Float32Array,
  square: Float32Array,
  step: number,
  { kind, learningRate, beta1, beta2, epsilon, weightDecay }: OptimizerParams,
  scale: number,
): void {
  // θ ← θ − η·m̂/(√v̂ + ε), with m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ); the corrections are folded into two factors outside the loop.
  const stepSize = learningRate / (1 - beta1 ** step);
  const rootCorrection = 1 / Math.sqrt(1 - beta2 ** step);
  const keep = kind === "adamw" ? 1 - learningRate * weightDecay : 1;
  const coupled = kind === "adam" ? weightDecay : 0;
  const [new1, new2] = [1 - beta1, 1 - beta2];
  for (let i = 0; i < weight.length; i++) {
    const g = gradient[i] * scale + coupled * weight[i];
    const m = beta1 * mean[i] + new1 * g;
    const v = beta2 * square[i] + new2 * g * g;
    mean[i] = m;
    square[i] = v;
    weight[i] = keep * weight[i] - (stepSize * m) / (Math.sqrt(v) * rootCorrection + epsilon);
  }
}
