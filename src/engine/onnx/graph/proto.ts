/**
 * The part of the ONNX protobuf format that our graphs need, written directly: a model is a few nested length-delimited
 * messages, and a writer of some hundred lines is easier to trust than a generated library. Field numbers are those of
 * onnx.proto3 (ONNX IR version 10).
 */

export type ElementType = "float" | "int32" | "int64" | "bool";

/** onnx.TensorProto.DataType */
const DATA_TYPE: Readonly<Record<ElementType, number>> = { float: 1, int32: 6, int64: 7, bool: 9 };

/** A size, or the name of one that is known only when the graph runs. */
export type Dim = number | string;

export type Attribute = number | readonly number[] | { readonly float: number } | { readonly text: string };

export interface NodeRecord {
  readonly op: string;
  /** Operator domain; empty is ONNX's own. */
  readonly domain: string;
  /** An empty name marks an optional input or output that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

interface ValueRecord {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Dim[];
}

export interface InitializerRecord {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Little-endian bytes in the model itself, or the name of a block that is handed to the session beside the model. */
  readonly data: Uint8Array | { readonly external: string; readonly length: number };
}

export interface ModelRecord {
  readonly nodes: readonly NodeRecord[];
  readonly inputs: readonly ValueRecord[];
  readonly outputs: readonly ValueRecord[];
  readonly initializers: readonly InitializerRecord[];
}

const ONNX_OPSET = 17;

/** Bytes of an onnx.ModelProto. */
export function encodeModel(model: ModelRecord): Uint8Array {
  const writer = new Writer();
  writer.integer(1, 8); // ir_version
  writer.text(2, "adastar"); // producer_name
  writer.message(7, (graph) => {
    for (const node of model.nodes) graph.message(1, (m) => writeNode(m, node));
    graph.text(2, "graph");
    for (const initializer of model.initializers) graph.message(5, (m) => writeInitializer(m, initializer));
    for (const input of model.inputs) graph.message(11, (m) => writeValue(m, input));
    for (const output of model.outputs) graph.message(12, (m) => writeValue(m, output));
  });
  for (const [domain, version] of [
    ["", ONNX_OPSET],
    ["com.microsoft", 1],
  ] as const) {
    writer.message(8, (opset) => {
      opset.text(1, domain);
      opset.integer(2, version);
    });
  }
  return writer.bytes();
}

function writeNode(writer: Writer, node: NodeRecord): void {
  for (const input of node.inputs) writer.text(1, input);
  for (const output of node.outputs) writer.text(2, output);
  writer.text(4, node.op);
  for (const [name, value] of Object.entries(node.attributes)) {
    writer.message(5, (attribute) => {
      attribute.text(1, name);
      if (typeof value === "number") {
        attribute.integer(3, value);
        attribute.integer(20, 2); // INT
      } else if ("float" in value) {
        attribute.float(2, value.float);
        attribute.integer(20, 1); // FLOAT
      } else if ("text" in value) {
        attribute.text(4, value.text);
        attribute.integer(20, 3); // STRING
      } else {
        for (const element of value) attribute.integer(8, element);
        attribute.integer(20, 7); // INTS
      }
    });
  }
  if (node.domain !== "") writer.text(7, node.domain);
}

function writeInitializer(writer: Writer, { name, type, shape, data }: InitializerRecord): void {
  for (const size of shape) writer.integer(1, size);
  writer.integer(2, DATA_TYPE[type]);
  writer.text(8, name);
  if (data instanceof Uint8Array) {
    writer.binary(9, data);
    return;
  }
  for (const [key, value] of [
    ["location", data.external],
    ["offset", "0"],
    ["length", String(data.length)],
  ] as const) {
    writer.message(13, (entry) => {
      entry.text(1, key);
      entry.text(2, value);
    });
  }
  writer.integer(14, 1); // data_location: EXTERNAL
}

function writeValue(writer: Writer, { name, type, shape }: ValueRecord): void {
  writer.text(1, name);
  writer.message(2, (typeProto) =>
    typeProto.message(1, (tensor) => {
      tensor.integer(1, DATA_TYPE[type]);
      tensor.message(2, (shapeProto) => {
        for (const dim of shape) {
          shapeProto.message(1, (d) => (typeof dim === "number" ? d.integer(1, dim) : d.text(2, dim)));
        }
      });
    }),
  );
}

/** Appends protobuf fields to a growing buffer. */
class Writer {
  #buffer = new Uint8Array(256);
  #length = 0;

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  integer(field: number, value: number): void {
    this.#varint(field * 8);
    this.#varint(value);
  }

  float(field: number, value: number): void {
    this.#varint(field * 8 + 5);
    this.#append(new Uint8Array(new Float32Array([value]).buffer));
  }

  text(field: number, value: string): void {
    this.binary(field, new TextEncoder().encode(value));
  }

  binary(field: number, value: Uint8Array): void {
    this.#varint(field * 8 + 2);
    this.#varint(value.length);
    this.#append(value);
  }

  message(field: number, write: (message: Writer) => void): void {
    const message = new Writer();
    write(message);
    this.binary(field, message.bytes());
  }

  /** Base-128, low groups first; a negative number takes ten bytes, as protobuf's int64 does. */
  #varint(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    const groups: number[] = [];
    do {
      const group = Number(rest & 127n);
      rest >>= 7n;
      groups.push(rest === 0n ? group : group | 128);
    } while (rest !== 0n);
    this.#append(Uint8Array.from(groups));
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
      larger.set(this.bytes());
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = needed;
  }
}
