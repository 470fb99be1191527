/**
 * Reverse-mode differentiation of a graph, as a table "primitive → rule". A rule gets the application y = f(x₁, …) and
 * dy, the gradient of the loss with respect to y. It adds the nodes that compute dx₁, …; null where no gradient flows
 * (indices, targets). A rule may return a gradient in the broadcast shape: `unbroadcast` sums it down once, outside the
 * rules.
 */

import { type Application, type Graph, isStatic, type PrimitiveName, type Tensor, volume } from "./graph.js";
import type { Dim } from "./proto.js";

type Rule<P extends PrimitiveName> = (g: Graph, y: Application<P>, dy: Tensor) => readonly (Tensor | null)[];

const RULES: { readonly [P in PrimitiveName]: Rule<P> } = {
  // y = a + b
  add: (_g, _y, dy) => [dy, dy],

  // y = a − b
  sub: (g, _y, dy) => [dy, g.neg(dy)],

  // y = a ∘ b:  da = dy ∘ b,  db = dy ∘ a
  mul: (g, { inputs: [a, b] }, dy) => [g.mul(dy, b), g.mul(dy, a)],

  // y = s·A·B:  dA = s·dy·Bᵀ,  dB = s·Aᵀ·dy;  a transposed operand's gradient is the transpose of that, again by flags
  // only.
  matmul: (g, { inputs: [a, b], attributes: { transA, transB, scale } }, dy) => [
    transA ? g.matmul(b, dy, { transA: transB, transB: true, scale }) : g.matmul(dy, b, { transB: !transB, scale }),
    transB ? g.matmul(dy, a, { transA: true, transB: transA, scale }) : g.matmul(a, dy, { transA: !transA, scale }),
  ],

  reshape: (g, { inputs: [x] }, dy) => [g.reshape(dy, x.shape)],

  // dx is permuted back: inverse[permutation[i]] = i
  transpose: (g, { attributes: { permutation } }, dy) => [
    g.transpose(
      dy,
      permutation.map((_, axis) => permutation.indexOf(axis)),
    ),
  ],

  // dx is dy with zeros where x was cut away
  slice: (g, { inputs: [x], attributes: { axis, start, end } }, dy) => {
    const size = staticSize(x, axis);
    const zeros = (length: number) => g.zeros(x.shape.map((dim, i) => (i === axis ? length : dim)));
    const parts = [...(start > 0 ? [zeros(start)] : []), dy, ...(end < size ? [zeros(size - end)] : [])];
    return [parts.length === 1 ? dy : g.concat(parts, axis)];
  },

  concat: (g, { inputs, attributes: { axis } }, dy) => {
    let start = 0;
    return inputs.map((x) => {
      const end = start + staticSize(x, axis);
      const dx = g.slice(dy, axis, start, end);
      start = end;
      return dx;
    });
  },

  // dx = y ∘ (dy − Σ dy∘y)
  softmax: (g, { output: y }, dy) => {
    const sum = g.reduceSum(g.mul(dy, y), [y.shape.length - 1]);
    return [g.mul(y, g.sub(dy, sum))];
  },

  // dx = dy ∘ (1 − y²)
  tanh: (g, { output: y }, dy) => [g.mul(dy, g.sub(g.scalar(1), g.mul(y, y)))],

  gelu: (g, { inputs: [x], attributes: { approximate } }, dy) => [
    g.mul(dy, approximate ? tanhGeluSlope(g, x) : geluSlope(g, x)),
  ],

  // y = a ∘ up with a = gate ∘ σ(gate):  dup = dy ∘ a,  dgate = dy ∘ up ∘ (σ + a ∘ (1 − σ))
  swiglu: (g, { inputs: [gate, up], saved: [a] }, dy) => {
    const sigma = g.sigmoid(gate);
    const slope = g.add(sigma, g.mul(a, g.sub(g.scalar(1), sigma)));
    return [g.mul(g.mul(dy, up), slope), g.mul(dy, a)];
  },

  // y = x̂ ∘ w with x̂ = x·r, r = 1/√(mean(x²) + ε):  dw = Σ dy ∘ x̂,  dx = r·(dy∘w − x̂·mean(dy∘w∘x̂))
  rmsNorm: (g, { inputs: [x, weight], saved: [r] }, dy) => {
    const last = x.shape.length - 1;
    const normalized = g.mul(x, r);
    const weighted = g.mul(dy, weight);
    const mean = g.mul(g.reduceSum(g.mul(weighted, normalized), [last]), g.scalar(1 / staticSize(x, last)));
    return [g.mul(r, g.sub(weighted, g.mul(normalized, mean))), g.mul(dy, normalized)];
  },

  // A rotation's transpose is the rotation back: the same with −sin
  rotate: (g, { attributes: { positions, cosines, sines, heads } }, dy) => [
    g.rotate(dy, positions, cosines, g.neg(sines), heads),
  ],

  // dx has dy's rows at the indices, zeros elsewhere
  takeRows: (g, { inputs: [x, indices] }, dy) => [g.putRows(g.zerosLike(x), indices, dy), null],

  // No gradient comes from the fill: dx has dy's rows at the places
  spread: (g, { attributes: { places } }, dy) => [g.lookUp(g.rows(dy), places)],

  // dx has dy's rows at the places, zeros in the fill
  collect: (g, { attributes: { padded, real } }, dy) => [g.mul(g.lookUp(dy, padded), real)],

  // dlogits = dy · w ∘ (softmax(logits) − onehot(target))
  crossEntropy: (g, { inputs: [, targets, weights], saved: [logProbabilities] }, dy) => {
    const scaled = g.mul(weights, dy);
    const probabilities = g.mul(g.exp(logProbabilities), scaled);
    return [g.addAtColumns(probabilities, targets, g.neg(scaled)), null, null];
  },
};

/** Φ(x) + x·φ(x), with the normal distribution's Φ and its density φ. */
function geluSlope(g: Graph, x: Tensor): Tensor {
  const half = g.scalar(0.5);
  const mass = g.add(half, g.mul(half, g.erf(g.mul(x, g.scalar(Math.SQRT1_2)))));
  const density = g.mul(g.exp(g.mul(g.mul(x, x), g.scalar(-0.5))), g.scalar(1 / Math.sqrt(2 * Math.PI)));
  return g.add(mass, g.mul(x, density));
}

/** Of y = x·½(1 + t) with t = tanh(s·(x + c·x³)):  ½(1 + t) + x·½(1 − t²)·s·(1 + 3c·x²) */
function tanhGeluSlope(g: Graph, x: Tensor): Tensor {
  const [one, half] = [g.scalar(1), g.scalar(0.5)];
  const [s, c] = [g.scalar(Math.sqrt(2 / Math.PI)), 0.044715];
  const square = g.mul(x, x);
  const t = g.tanh(g.mul(g.mul(x, s), g.add(one, g.mul(square, g.scalar(c)))));
  const inner = g.mul(s, g.add(one, g.mul(square, g.scalar(3 * c))));
  const curve = g.mul(g.sub(one, g.mul(t, t)), inner);
  return g.mul(half, g.add(g.add(one, t), g.mul(x, curve)));
}

/**
 * Adds the nodes that compute ∂loss/∂wrt to the graph.
 *
 * @param loss a scalar of the graph
 * @param wrt the tensors to differentiate with respect to
 * @returns one gradient for each of `wrt`, in its shape
 * @throws Error when the loss does not depend on one of them
 */
export function gradients(g: Graph, loss: Tensor, wrt: readonly Tensor[]): Tensor[] {
  if (!isStatic(loss.shape) || volume(loss.shape) !== 1)
    throw new Error(`gradients of ${loss.name}: expected a scalar, got [${loss.shape}]`);
  const applications = [...g.applications]; // rules append to the graph's own list
  const needed = dependents(applications, wrt);
  const gradient = new Map<string, Tensor>([[loss.name, g.constant(Float32Array.of(1), loss.shape)]]);
  for (const application of applications.reverse()) {
    const dy = gradient.get(application.output.name);
    if (dy === undefined || !application.inputs.some((input) => needed.has(input.name))) continue;
    // The table's type pairs each name with its own rule; TypeScript cannot follow that through a lookup by union.
    const rule = RULES[application.primitive] as Rule<PrimitiveName>;
    for (const [i, dx] of rule(g, application, dy).entries()) {
      const x = application.inputs[i];
      if (dx === null || !needed.has(x.name)) continue;
      const own = unbroadcast(g, dx, x.shape);
      const sum = gradient.get(x.name);
      gradient.set(x.name, sum === undefined ? own : g.add(sum, own));
    }
  }
  return wrt.map((x) => {
    const dx = gradient.get(x.name);
    if (dx === undefined) throw new Error(`gradients of ${loss.name}: it does not depend on ${x.name}`);
    return dx;
  });
}

/** The size of an axis that must be known when the graph is built. */
function staticSize(x: Tensor, axis: number): number {
  const size = x.shape[axis];
  if (typeof size === "string") throw new Error(`expected axis ${axis} of ${x.name} [${x.shape}] to be a number`);
  return size;
}

/** Names of `roots` and of everything computed from them: only there does a gradient matter. */
function dependents(applications: readonly Application[], roots: readonly Tensor[]): Set<string> {
  const names = new Set(roots.map((root) => root.name));
  for (const { inputs, output } of applications) {
    if (inputs.some((input) => names.has(input.name))) names.add(output.name);
  }
  return names;
}

/** Sums a gradient over the axes along which its operand had been broadcast. */
function unbroadcast(g: Graph, dx: Tensor, shape: readonly Dim[]): Tensor {
  const extra = dx.shape.length - shape.length;
  const axes = dx.shape.flatMap((size, axis) =>
    axis < extra || (shape[axis - extra] === 1 && size !== 1) ? [axis] : [],
  );
  const summed = axes.length === 0 ? dx : g.reduceSum(dx, axes);
  return extra === 0 ? summed : g.reshape(summed, shape);
}
