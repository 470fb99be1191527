/** Every rule of the autodiff table against central differences, computed by the same runtime. */

import { describe, expect, it } from "vitest";
import { uniform } from "../../../../src/algorithm/random.js";
import { Device, floatData, floats, integers } from "../../../../src/engine/onnx/device.js";
import { gradients } from "../../../../src/engine/onnx/graph/autodiff.js";
import { Graph, type PrimitiveName, type Tensor, volume } from "../../../../src/engine/onnx/graph/graph.js";

interface Case {
  readonly title: string;
  /** Shapes of the float inputs, all of which are differentiated. */
  readonly inputs: readonly (readonly number[])[];
  readonly build: (g: Graph, ...inputs: Tensor[]) => Tensor;
  /** Keeps inputs away from zero, for rules with a kink or a pole there. */
  readonly offset?: number;
}

const indices = (g: Graph, values: readonly number[], shape: readonly number[] = [values.length]) =>
  g.constant(BigInt64Array.from(values, BigInt), shape);

const angles = (g: Graph, positions: number, half: number) => {
  const angle = Float32Array.from({ length: positions * half }, (_, i) => 0.3 * i + 0.1);
  return [
    g.constant(angle.map(Math.cos), [positions, half]),
    g.constant(angle.map(Math.sin), [positions, half]),
  ] as const;
};

/** Of two sequences of 3 and 2 places. */
const real = (g: Graph) => g.constant(Float32Array.of(1, 1, 1, 1, 1, 0), [2, 3, 1]);

/** A case for each primitive: leaving one out does not compile. */
const CASES: Readonly<Record<PrimitiveName, readonly Case[]>> = {
  add: [
    {
      title: "same shape",
      inputs: [
        [2, 3],
        [2, 3],
      ],
      build: (g, a, b) => g.add(a, b),
    },
    {
      title: "broadcast on both sides",
      inputs: [
        [4, 1, 3],
        [2, 1],
      ],
      build: (g, a, b) => g.add(a, b),
    },
    { title: "the same tensor twice", inputs: [[3]], build: (g, a) => g.add(a, g.mul(a, a)) },
  ],
  sub: [{ title: "broadcast vector", inputs: [[2, 3], [3]], build: (g, a, b) => g.sub(a, b) }],
  mul: [
    {
      title: "same shape",
      inputs: [
        [2, 3],
        [2, 3],
      ],
      build: (g, a, b) => g.mul(a, b),
    },
    {
      title: "broadcast column",
      inputs: [
        [2, 3],
        [2, 1],
      ],
      build: (g, a, b) => g.mul(a, b),
    },
  ],
  matmul: [false, true].flatMap((transA) =>
    [false, true].flatMap((transB) => [
      {
        title: `transA ${transA}, transB ${transB}`,
        inputs: [transA ? [4, 3] : [3, 4], transB ? [5, 4] : [4, 5]],
        build: (g: Graph, a: Tensor, b: Tensor) => g.matmul(a, b, { transA, transB, scale: 0.7 }),
      },
      {
        title: `transA ${transA}, transB ${transB}, batches, one of them broadcast`,
        inputs: [transA ? [2, 2, 4, 3] : [2, 2, 3, 4], transB ? [1, 2, 5, 4] : [1, 2, 4, 5]],
        build: (g: Graph, a: Tensor, b: Tensor) => g.matmul(a, b, { transA, transB }),
      },
    ]),
  ),
  reshape: [{ title: "2x6 to 3x4", inputs: [[2, 6]], build: (g, x) => g.reshape(x, [3, 4]) }],
  transpose: [{ title: "three axes, a cycle", inputs: [[2, 3, 4]], build: (g, x) => g.transpose(x, [2, 0, 1]) }],
  slice: [
    { title: "from the middle", inputs: [[2, 5]], build: (g, x) => g.slice(x, 1, 1, 4) },
    { title: "from the start of the first axis", inputs: [[3, 2]], build: (g, x) => g.slice(x, 0, 0, 2) },
  ],
  concat: [
    {
      title: "unequal parts",
      inputs: [
        [2, 3],
        [2, 1],
      ],
      build: (g, a, b) => g.concat([a, b, a], 1),
    },
  ],
  softmax: [{ title: "last axis", inputs: [[2, 2, 4]], build: (g, x) => g.softmax(x) }],
  tanh: [{ title: "matrix", inputs: [[2, 3]], build: (g, x) => g.tanh(x) }],
  gelu: [
    { title: "exact", inputs: [[4, 4]], build: (g, x) => g.gelu(x, false) },
    { title: "tanh form", inputs: [[4, 4]], build: (g, x) => g.gelu(x, true) },
  ],
  swiglu: [
    {
      title: "gate and up",
      inputs: [
        [3, 4],
        [3, 4],
      ],
      build: (g, gate, up) => g.swiglu(gate, up),
    },
  ],
  rmsNorm: [
    { title: "matrix", inputs: [[3, 5], [5]], build: (g, x, weight) => g.rmsNorm(x, weight, 1e-5) },
    { title: "three axes", inputs: [[2, 2, 3], [3]], build: (g, x, weight) => g.rmsNorm(x, weight, 1e-5) },
  ],
  rotate: [
    {
      title: "two heads, positions out of order",
      inputs: [[2, 3, 8]],
      build: (g, x) => g.rotate(x, indices(g, [0, 1, 2, 4, 3, 0], [2, 3]), ...angles(g, 5, 2)),
    },
    {
      title: "the first four of six dimensions of two heads",
      inputs: [[2, 3, 12]],
      build: (g, x) => g.rotate(x, indices(g, [0, 1, 2, 4, 3, 0], [2, 3]), ...angles(g, 5, 2), 2),
    },
  ],
  takeRows: [{ title: "some rows", inputs: [[5, 3]], build: (g, x) => g.takeRows(x, indices(g, [4, 0, 2])) }],
  spread: [
    {
      title: "two sequences of unequal length; the fill does not reach the loss",
      inputs: [[5, 3]],
      build: (g, x) => g.mul(g.spread(x, indices(g, [0, 1, 2, 3, 4, 0], [2, 3]), indices(g, [0, 1, 2, 3, 4])), real(g)),
    },
  ],
  collect: [
    {
      title: "two sequences of unequal length",
      inputs: [[2, 3, 4]],
      build: (g, x) => g.collect(x, indices(g, [0, 1, 2, 3, 4, 0], [2, 3]), indices(g, [0, 1, 2, 3, 4]), real(g)),
    },
  ],
  crossEntropy: [
    {
      title: "weighted rows, one of weight zero",
      inputs: [[3, 5]],
      build: (g, logits) =>
        g.crossEntropy(logits, indices(g, [1, 4, 0], [3, 1]), g.constant(Float32Array.of(0.5, 1.5, 0), [3, 1])),
    },
  ],
};

const STEP = 1e-2;
const TOLERANCE = 2e-3;

describe.each(Object.entries(CASES))("the rule of %s", (_name, cases) => {
  it.each(cases)("agrees with central differences: $title", async ({ inputs, build }) => {
    const g = new Graph();
    const tensors = inputs.map((shape, i) => g.input(`input${i}`, shape));
    const y = build(g, ...tensors);
    const size = volume(y.shape as number[]);
    // The loss Σ c·y with fixed random c reaches every element of y differently.
    const coefficients = g.constant(random(size, 99), [size, 1]);
    const loss = g.output(g.matmul(g.reshape(y, [1, size]), coefficients));
    const slopes = gradients(g, loss, tensors).map((tensor) => g.output(tensor));
    const session = await new Device({ threads: 1 }).compile(g.encode());
    const values = inputs.map((shape, i) => random(volume(shape), i));
    const run = (name: string) =>
      session
        .run(Object.fromEntries(values.map((data, i) => [`input${i}`, floats(data, inputs[i] ?? [])])), {
          [name]: null,
        })
        .then((results) => floatData(results[name]));

    for (const [i, data] of values.entries()) {
      const analytic = Float32Array.from(await run(slopes[i]?.name ?? ""));
      expect(analytic.length).toBe(data.length);
      for (let j = 0; j < data.length; j++) {
        const at = data[j];
        data[j] = at + STEP;
        const above = (await run(loss.name))[0];
        data[j] = at - STEP;
        const below = (await run(loss.name))[0];
        data[j] = at;
        expect(Math.abs(analytic[j] - (above - below) / (2 * STEP)), `input ${i}, element ${j}`).toBeLessThan(
          TOLERANCE,
        );
      }
    }
    await session.close();
  });
});

describe("gradients", () => {
  it("refuses a loss that does not depend on what it is differentiated by", () => {
    const g = new Graph();
    const [a, b] = [g.input("a", [1]), g.input("b", [1])];
    expect(() => gradients(g, g.add(a, a), [b])).toThrow("does not depend on b");
  });

  it("refuses a loss that is not a scalar", () => {
    const g = new Graph();
    const a = g.input("a", [2]);
    expect(() => gradients(g, g.add(a, a), [a])).toThrow("expected a scalar");
  });

  it("adds nothing for inputs that are not differentiated", () => {
    const g = new Graph();
    const [a, b] = [g.input("a", [1]), g.input("b", [1])];
    const loss = g.mul(a, b);
    const before = g.applications.length;
    gradients(g, loss, [a]);
    expect(g.applications.length - before).toBe(2); // the rule's two products; nothing beyond b
  });
});

describe("feeding", () => {
  it("keeps int64 feeds apart from float ones", async () => {
    const g = new Graph();
    const table = g.input("table", [3, 2]);
    const rows = g.input("rows", ["n"], "int64");
    const taken = g.output(g.lookUp(table, rows));
    const session = await new Device({ threads: 1 }).compile(g.encode());
    const feeds = {
      table: floats(Float32Array.of(0, 1, 2, 3, 4, 5), [3, 2]),
      rows: integers(BigInt64Array.of(2n, 2n, 0n), [3]),
    };
    expect([...floatData((await session.run(feeds, { [taken.name]: null }))[taken.name])]).toEqual([4, 5, 4, 5, 0, 1]);
    await session.close();
  });
});

function random(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => 2 * uniform(seed, i) - 1);
}
