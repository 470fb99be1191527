/**
 * A small typed graph builder. Every method adds one operation, infers its result's shape and returns the result, so
 * that a model reads as the formulas it computes. Operations are of two kinds: *primitives*, which autodiff.ts has a
 * rule for, and *helpers*, which only rules and parts without a gradient use. A primitive without a rule does not
 * compile.
 *
 * A size is a number, or a name ("N") where it is known only when the graph runs.
 */

import {
  type Attribute,
  type Dim,
  type ElementType,
  encodeModel,
  type InitializerRecord,
  type NodeRecord,
} from "./proto.js";

/** Attributes of each primitive, as its rule needs them. */
export interface Primitives {
  add: Record<never, never>;
  sub: Record<never, never>;
  mul: Record<never, never>;
  matmul: { transA: boolean; transB: boolean; scale: number };
  reshape: Record<never, never>;
  transpose: { permutation: readonly number[] };
  slice: { axis: number; start: number; end: number };
  concat: { axis: number };
  softmax: Record<never, never>;
  tanh: Record<never, never>;
  gelu: { approximate: boolean };
  swiglu: Record<never, never>;
  rmsNorm: { epsilon: number };
  rotate: { positions: Tensor; cosines: Tensor; sines: Tensor; heads: number | null };
  takeRows: Record<never, never>;
  spread: { places: Tensor };
  collect: { padded: Tensor; real: Tensor };
  crossEntropy: Record<never, never>;
}

export type PrimitiveName = keyof Primitives;

export interface Tensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Dim[];
}

/** One primitive as it was applied; what reverse mode walks. */
export interface Application<P extends PrimitiveName = PrimitiveName> {
  readonly primitive: P;
  readonly inputs: readonly Tensor[];
  readonly attributes: Primitives[P];
  readonly output: Tensor;
  /** Intermediate results that the rule reuses instead of computing them again. */
  readonly saved: readonly Tensor[];
}

export interface MatmulOptions {
  /** Use the transpose of the last two axes of a, of b. */
  readonly transA?: boolean;
  readonly transB?: boolean;
  /** Factor on the product. */
  readonly scale?: number;
}

export class Graph {
  /** In the order of application, so inputs always come before what uses them. */
  readonly applications: Application[] = [];
  readonly #nodes: NodeRecord[] = [];
  readonly #inputs: Tensor[] = [];
  readonly #outputs: Tensor[] = [];
  readonly #initializers: InitializerRecord[] = [];
  #counter = 0;

  /** A value that is fed at every run. */
  input(name: string, shape: readonly Dim[], type: ElementType = "float"): Tensor {
    const tensor = { name, shape, type };
    this.#inputs.push(tensor);
    return tensor;
  }

  /** A value that never changes, stored in the model. */
  constant(data: Float32Array | BigInt64Array, shape: readonly number[]): Tensor {
    const type = data instanceof Float32Array ? "float" : "int64";
    const tensor = this.#fresh("constant", shape, type);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#initializers.push({ name: tensor.name, type, shape, data: bytes });
    return tensor;
  }

  scalar(value: number): Tensor {
    return this.constant(Float32Array.of(value), []);
  }

  /** A weight that is constant for the session; its bytes are handed over beside the model under `name`. */
  externalWeight(name: string, shape: readonly number[]): Tensor {
    this.#initializers.push({ name, type: "float", shape, data: { external: name, length: 4 * volume(shape) } });
    return { name, shape, type: "float" };
  }

  /** Makes `tensor` a result of the graph, under its own name. */
  output(tensor: Tensor): Tensor {
    this.#outputs.push(tensor);
    return tensor;
  }

  encode(): Uint8Array {
    const nodes = this.#neededNodes();
    const used = new Set(nodes.flatMap(({ inputs }) => inputs));
    return encodeModel({
      nodes,
      inputs: this.#inputs,
      outputs: this.#outputs,
      initializers: this.#initializers.filter(({ name }) => used.has(name)),
    });
  }

  /**
   * Nodes that an output depends on: rules also give gradients of what is frozen, and the runtime would compute them.
   */
  #neededNodes(): NodeRecord[] {
    const wanted = new Set(this.#outputs.map(({ name }) => name));
    const needed = this.#nodes.toReversed().filter(({ inputs, outputs }) => {
      const used = outputs.some((name) => wanted.has(name));
      if (used) for (const name of inputs) wanted.add(name);
      return used;
    });
    return needed.reverse();
  }

  // ---- primitives ----

  add(a: Tensor, b: Tensor): Tensor {
    return this.#apply("add", [a, b], {}, this.#simple("Add", [a, b], broadcast(a, b)));
  }

  sub(a: Tensor, b: Tensor): Tensor {
    return this.#apply("sub", [a, b], {}, this.#simple("Sub", [a, b], broadcast(a, b)));
  }

  mul(a: Tensor, b: Tensor): Tensor {
    return this.#apply("mul", [a, b], {}, this.#simple("Mul", [a, b], broadcast(a, b)));
  }

  /** scale · op(a) · op(b) over the last two axes, the axes before them broadcast. */
  matmul(a: Tensor, b: Tensor, { transA = false, transB = false, scale = 1 }: MatmulOptions = {}): Tensor {
    const [rows, innerA] = lastTwo(a, transA);
    const [innerB, columns] = lastTwo(b, transB);
    if (innerA !== innerB)
      throw new Error(`matmul of ${describe(a)} and ${describe(b)}: inner sizes ${innerA} and ${innerB}`);
    const shape = [...broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns];
    const output = this.#fresh("matmul", shape);
    const attributes = { transA: Number(transA), transB: Number(transB), alpha: { float: scale } };
    this.#node("FusedMatMul", [a, b], [output], attributes, "com.microsoft");
    return this.#apply("matmul", [a, b], { transA, transB, scale }, output);
  }

  /** At most one size may be a name that `x` does not have at the same place. */
  reshape(x: Tensor, shape: readonly Dim[]): Tensor {
    const sizes = shape.map((dim, axis) => (typeof dim === "number" ? dim : x.shape[axis] === dim ? 0 : -1));
    if (sizes.filter((size) => size === -1).length > 1) {
      throw new Error(`reshape of ${describe(x)} to [${shape}]: more than one size has to be inferred`);
    }
    if (isStatic(x.shape) && isStatic(shape) && volume(x.shape) !== volume(shape)) {
      throw new Error(`reshape of ${describe(x)} to [${shape}]: ${volume(x.shape)} elements into ${volume(shape)}`);
    }
    const target = this.constant(BigInt64Array.from(sizes, BigInt), [sizes.length]);
    return this.#apply("reshape", [x], {}, this.#simple("Reshape", [x, target], shape));
  }

  transpose(x: Tensor, permutation: readonly number[]): Tensor {
    const shape = permutation.map((axis) => x.shape[axis]);
    return this.#apply("transpose", [x], { permutation }, this.#simple("Transpose", [x], shape, { perm: permutation }));
  }

  /** x[…, start:end, …] along `axis` (not negative). */
  slice(x: Tensor, axis: number, start: number, end: number): Tensor {
    const shape = x.shape.map((size, i) => (i === axis ? end - start : size));
    const bounds = [start, end, axis].map((value) => this.constant(BigInt64Array.of(BigInt(value)), [1]));
    return this.#apply("slice", [x], { axis, start, end }, this.#simple("Slice", [x, ...bounds], shape));
  }

  concat(tensors: readonly Tensor[], axis: number): Tensor {
    const sizes: readonly Dim[] = tensors.map((tensor) => tensor.shape[axis]);
    const joined = isStatic(sizes) ? sizes.reduce((sum, size) => sum + size, 0) : sizes.join("+");
    const shape = tensors[0].shape.map((size, i) => (i === axis ? joined : size));
    return this.#apply("concat", tensors, { axis }, this.#simple("Concat", tensors, shape, { axis }));
  }

  /** Over the last axis. */
  softmax(x: Tensor): Tensor {
    return this.#apply("softmax", [x], {}, this.#simple("Softmax", [x], x.shape, { axis: -1 }));
  }

  tanh(x: Tensor): Tensor {
    return this.#apply("tanh", [x], {}, this.#simple("Tanh", [x], x.shape));
  }

  /** x · Φ(x), Φ the normal distribution function; or its tanh approximation (Hendrycks & Gimpel 2016, section 2). */
  gelu(x: Tensor, approximate: boolean): Tensor {
    const output = this.#fresh("gelu", x.shape);
    this.#node(approximate ? "FastGelu" : "Gelu", [x], [output], {}, "com.microsoft");
    return this.#apply("gelu", [x], { approximate }, output);
  }

  /** SiLU(gate) · up, with SiLU(x) = x · σ(x) (Shazeer 2020). */
  swiglu(gate: Tensor, up: Tensor): Tensor {
    const activated = this.#fresh("silu", gate.shape);
    this.#node("QuickGelu", [gate], [activated], { alpha: { float: 1 } }, "com.microsoft");
    const output = this.#simple("Mul", [activated, up], gate.shape);
    return this.#apply("swiglu", [gate, up], {}, output, [activated]);
  }

  /** x / √(mean(x²) + ε) · weight over the last axis (Zhang & Sennrich 2019). */
  rmsNorm(x: Tensor, weight: Tensor, epsilon: number): Tensor {
    const output = this.#fresh("rms_norm", x.shape);
    const inverse = this.#fresh("inverse_rms", [...x.shape.slice(0, -1), 1]);
    this.#node("SimplifiedLayerNormalization", [x, weight], [output, inverse], {
      axis: -1,
      epsilon: { float: epsilon },
    });
    return this.#apply("rmsNorm", [x, weight], { epsilon }, output, [inverse]);
  }

  /**
   * Rotary position embedding (Su et al. 2021), the half-split form of Llama: each pair (xᵢ, xᵢ₊ₕ) of a head turns by
   * its position's angle.
   *
   * @param x [batch, length, heads · 2h]
   * @param positions [batch, length] int64, rows of the tables
   * @param cosines [positions, h]
   * @param sines [positions, h]
   * @param heads where heads are wider than 2h, how many there are: the dimensions of each beyond 2h stay as they are
   */
  rotate(x: Tensor, positions: Tensor, cosines: Tensor, sines: Tensor, heads: number | null = null): Tensor {
    const output = this.#fresh("rotated", x.shape);
    const partial = heads === null ? {} : { num_heads: heads, rotary_embedding_dim: 2 * Number(cosines.shape[1]) };
    this.#node("RotaryEmbedding", [x, positions, cosines, sines], [output], partial, "com.microsoft");
    return this.#apply("rotate", [x], { positions, cosines, sines, heads }, output);
  }

  /**
   * Rows of x [rows, width] at `indices` [n]. They must be distinct: the reverse writes each row once, in no certain
   * order.
   */
  takeRows(x: Tensor, indices: Tensor): Tensor {
    const shape = [...indices.shape, ...x.shape.slice(1)];
    return this.#apply("takeRows", [x, indices], {}, this.#simple("Gather", [x, indices], shape, { axis: 0 }));
  }

  /**
   * Sequences that lie one after another in x [N, width], one a row of the result [B, L, width]. Rows are filled up
   * with copies of any rows of x; these must not reach the loss, so that no gradient comes back from them.
   *
   * @param padded [B, L] int64, the row of x for each place of the result
   * @param places [N] int64, distinct: the place among B·L of each row of x
   */
  spread(x: Tensor, padded: Tensor, places: Tensor): Tensor {
    return this.#apply("spread", [x], { places }, this.lookUp(x, padded));
  }

  /**
   * The reverse of `spread`: [B, L, width] → [N, width], without the rows' fill.
   *
   * @param real [B, L, 1], 1 for a place that one of `places` names, else 0
   */
  collect(x: Tensor, padded: Tensor, places: Tensor, real: Tensor): Tensor {
    return this.#apply("collect", [x], { padded, real }, this.lookUp(this.rows(x), places));
  }

  /**
   * −Σᵢ weightsᵢ · log softmax(logitsᵢ)[targetsᵢ], for logits [n, classes], targets [n, 1] int64 and weights [n, 1].
   */
  crossEntropy(logits: Tensor, targets: Tensor, weights: Tensor): Tensor {
    const logProbabilities = this.#simple("LogSoftmax", [logits], logits.shape, { axis: -1 });
    const picked = this.#simple("GatherElements", [logProbabilities, targets], targets.shape, { axis: 1 });
    const weighted = this.#simple("Mul", [picked, weights], targets.shape);
    const sum = this.#simple("ReduceSum", [weighted], [], { keepdims: 0 });
    const output = this.#simple("Neg", [sum], []);
    return this.#apply("crossEntropy", [logits, targets, weights], {}, output, [logProbabilities]);
  }

  // ---- helpers: no gradient flows through these ----

  sigmoid(x: Tensor): Tensor {
    return this.#simple("Sigmoid", [x], x.shape);
  }

  erf(x: Tensor): Tensor {
    return this.#simple("Erf", [x], x.shape);
  }

  exp(x: Tensor): Tensor {
    return this.#simple("Exp", [x], x.shape);
  }

  neg(x: Tensor): Tensor {
    return this.#simple("Neg", [x], x.shape);
  }

  sqrt(x: Tensor): Tensor {
    return this.#simple("Sqrt", [x], x.shape);
  }

  div(a: Tensor, b: Tensor): Tensor {
    return this.#simple("Div", [a, b], broadcast(a, b));
  }

  /** x [..., width] as a matrix [rows, width]. */
  rows(x: Tensor): Tensor {
    const leading = x.shape.slice(0, -1);
    const width = x.shape[leading.length];
    const rows = isStatic(leading) ? volume(leading) : leading.join("·");
    const target = this.constant(BigInt64Array.of(-1n, BigInt(width)), [2]);
    return this.#simple("Reshape", [x, target], [rows, width]);
  }

  /** The largest value of the last axis, which stays as size 1. */
  reduceMax(x: Tensor): Tensor {
    return this.#simple("ReduceMax", [x], [...x.shape.slice(0, -1), 1], { axes: [-1], keepdims: 1 });
  }

  /** The `count` largest values of each row and their places, int64; largest first. */
  topK(x: Tensor, count: number): readonly [values: Tensor, places: Tensor] {
    const shape = [...x.shape.slice(0, -1), count];
    const [values, places] = [this.#fresh("largest", shape), this.#fresh("places", shape, "int64")];
    this.#node("TopK", [x, this.constant(BigInt64Array.of(BigInt(count)), [1])], [values, places], { axis: -1 });
    return [values, places];
  }

  /** Sum over `axes`, which stay as size 1. */
  reduceSum(x: Tensor, axes: readonly number[]): Tensor {
    const shape = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const list = this.constant(BigInt64Array.from(axes, BigInt), [axes.length]);
    return this.#simple("ReduceSum", [x, list], shape, { keepdims: 1 });
  }

  zeros(shape: readonly Dim[]): Tensor {
    if (!isStatic(shape)) throw new Error(`zeros of [${shape}]: expected a shape of numbers`);
    const sizes = this.constant(BigInt64Array.from(shape, BigInt), [shape.length]);
    return this.#simple("ConstantOfShape", [sizes], shape);
  }

  zerosLike(x: Tensor): Tensor {
    if (isStatic(x.shape)) return this.zeros(x.shape);
    const sizes = this.#simple("Shape", [x], [x.shape.length], {}, "int64");
    return this.#simple("ConstantOfShape", [sizes], x.shape);
  }

  /** A copy of `base` [rows, …] whose rows at `indices` (distinct) are replaced by `rows`. */
  putRows(base: Tensor, indices: Tensor, rows: Tensor): Tensor {
    const places = this.#simple(
      "Reshape",
      [indices, this.constant(BigInt64Array.of(-1n, 1n), [2])],
      [...indices.shape, 1],
      {},
      "int64",
    );
    return this.#simple("ScatterND", [base, places, rows], base.shape);
  }

  /** x with `values` [n, 1] added at column `columns` [n, 1] of each row: one place a row, so no two additions meet. */
  addAtColumns(x: Tensor, columns: Tensor, values: Tensor): Tensor {
    return this.#simple("ScatterElements", [x, columns, values], x.shape, { axis: 1, reduction: { text: "add" } });
  }

  /** A reshape to sizes that are known only when the graph runs, fed as `sizes`. */
  reshapeTo(x: Tensor, sizes: Tensor, shape: readonly Dim[]): Tensor {
    return this.#simple("Reshape", [x, sizes], shape);
  }

  /** x cut along its last axis into parts whose sizes are fed as `sizes`; `names` are the parts' sizes in shapes. */
  split(x: Tensor, sizes: Tensor, names: readonly Dim[]): Tensor[] {
    const parts = names.map((name) => this.#fresh("split", [...x.shape.slice(0, -1), name]));
    this.#node("Split", [x, sizes], parts, { axis: -1 });
    return parts;
  }

  /** Rows of a table by index, for indices that may repeat. */
  lookUp(table: Tensor, indices: Tensor): Tensor {
    return this.#simple("Gather", [table, indices], [...indices.shape, ...table.shape.slice(1)], { axis: 0 });
  }

  // Parts that the operators above share.

  #apply<P extends PrimitiveName>(
    primitive: P,
    inputs: readonly Tensor[],
    attributes: Primitives[P],
    output: Tensor,
    saved: readonly Tensor[] = [],
  ): Tensor {
    this.applications.push({ primitive, inputs, attributes, output, saved });
    return output;
  }

  #simple(
    op: string,
    inputs: readonly Tensor[],
    shape: readonly Dim[],
    attributes: Readonly<Record<string, Attribute>> = {},
    type: ElementType = "float",
  ): Tensor {
    const output = this.#fresh(op.toLowerCase(), shape, type);
    this.#node(op, inputs, [output], attributes);
    return output;
  }

  #node(
    op: string,
    inputs: readonly Tensor[],
    outputs: readonly Tensor[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = "",
  ): void {
    const names = (tensors: readonly Tensor[]) => tensors.map((tensor) => tensor.name);
    this.#nodes.push({ op, domain, inputs: names(inputs), outputs: names(outputs), attributes });
  }

  #fresh(hint: string, shape: readonly Dim[], type: ElementType = "float"): Tensor {
    this.#counter += 1;
    return { name: `${hint}_${this.#counter}`, shape, type };
  }
}

export function isStatic(shape: readonly Dim[]): shape is readonly number[] {
  return shape.every((dim) => typeof dim === "number");
}

export function volume(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function describe(tensor: Tensor): string {
  return `${tensor.name} [${tensor.shape}]`;
}

function lastTwo(tensor: Tensor, transposed: boolean): readonly [Dim, Dim] {
  const [rows, columns] = tensor.shape.slice(-2);
  if (rows === undefined || columns === undefined) throw new Error(`matmul needs two axes, got ${describe(tensor)}`);
  return transposed ? [columns, rows] : [rows, columns];
}

function broadcast(a: Tensor, b: Tensor): readonly Dim[] {
  return broadcastShapes(a.shape, b.shape);
}

/** NumPy's rule: shapes are aligned at the last axis; sizes must be equal or 1. */
function broadcastShapes(a: readonly Dim[], b: readonly Dim[]): readonly Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const sizeA = a[a.length - rank + i] ?? 1;
    const sizeB = b[b.length - rank + i] ?? 1;
    if (sizeA === sizeB || sizeB === 1) return sizeA;
    if (sizeA === 1) return sizeB;
    throw new Error(`shapes [${a}] and [${b}] do not broadcast`);
  });
}
