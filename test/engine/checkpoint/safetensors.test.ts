import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SafetensorsFile, writeSafetensors } from "../../../src/engine/checkpoint/safetensors.js";
import { replaceFile } from "../../../src/engine/files.js";
import { UserError } from "../../../src/errors.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "adastar-safetensors-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A file from a header (bytes, text or object) and data bytes. */
async function fileOf(header: unknown, data: Uint8Array = new Uint8Array(0), length?: bigint): Promise<string> {
  const raw = typeof header === "string" || header instanceof Uint8Array;
  const json = Buffer.from(raw ? (header as Uint8Array) : JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(length ?? BigInt(json.length));
  const path = join(folder, "hostile.safetensors");
  await writeFile(path, Buffer.concat([size, json, data]));
  return path;
}

async function readAll(path: string): Promise<Map<string, { shape: readonly number[]; values: Float32Array }>> {
  const file = await SafetensorsFile.open(path);
  try {
    const result = new Map();
    for (const { name, shape } of file.tensors.values()) result.set(name, { shape, values: await file.read(name) });
    return result;
  } finally {
    await file.close();
  }
}

const bytesOf = (values: Float32Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

/** The value of a float16, by its definition (IEEE 754, section 3.4). */
function halfValue(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

describe("reading", () => {
  it("widens every float16", async () => {
    const halves = Uint16Array.from({ length: 1 << 16 }, (_, i) => i);
    const path = await fileOf(
      { h: { dtype: "F16", shape: [256, 256], data_offsets: [0, 1 << 17] } },
      new Uint8Array(halves.buffer),
    );
    const values = (await readAll(path)).get("h")?.values as Float32Array;
    const wrong = [...values].findIndex((value, i) => !Object.is(value, halfValue(i)));
    expect(wrong).toBe(-1);
  });

  it("widens every bfloat16 to the float32 with the same upper half", async () => {
    const halves = Uint16Array.from({ length: 1 << 16 }, (_, i) => i);
    const path = await fileOf(
      { b: { dtype: "BF16", shape: [1 << 16], data_offsets: [0, 1 << 17] } },
      new Uint8Array(halves.buffer),
    );
    const values = (await readAll(path)).get("b")?.values as Float32Array;
    expect(new Uint32Array(values.buffer).every((bits, i) => bits === i * 65536)).toBe(true);
  });

  it("reads scalars, empty tensors and metadata", async () => {
    const path = await fileOf(
      {
        __metadata__: { format: "pt" },
        scalar: { dtype: "F32", shape: [], data_offsets: [0, 4] },
        empty: { dtype: "F32", shape: [3, 0], data_offsets: [4, 4] },
      },
      bytesOf(Float32Array.of(2.5)),
    );
    const file = await SafetensorsFile.open(path);
    expect(file.metadata).toEqual({ format: "pt" });
    expect(await file.read("scalar")).toEqual(Float32Array.of(2.5));
    expect(await file.read("empty")).toHaveLength(0);
    await expect(file.read("other")).rejects.toThrow(/expected a tensor "other" in .*hostile/);
    await file.close();
  });

  it("opens files with other types, and refuses those tensors by name", async () => {
    const path = await fileOf({ ids: { dtype: "I64", shape: [2], data_offsets: [0, 16] } }, new Uint8Array(16));
    const file = await SafetensorsFile.open(path);
    await expect(file.read("ids")).rejects.toThrow(/tensor "ids" of .* one of F32, F16, BF16, got I64/);
    await file.close();
  });
});

describe("hostile headers", () => {
  const f32 = (shape: number[], begin: number, end: number) => ({ dtype: "F32", shape, data_offsets: [begin, end] });
  const nested = `{"a":${"[".repeat(100_000)}`;
  it.each<[string, unknown, number, RegExp, bigint?]>([
    ["a length beyond the file", {}, 0, /header of at most 2 bytes .* got a length of 3/, 3n],
    ["a length of 2^64 - 1", {}, 0, /got a length of 18446744073709551615/, 2n ** 64n - 1n],
    ["not JSON", "{no", 0, /expected JSON in .*hostile/],
    ["a list", "[]", 0, /start with "\{"/],
    ["an empty header", "", 0, /start with "\{"/],
    ["bytes that are not UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d), 0, /expected JSON/],
    ["deep nesting", nested, 0, /at most 3 levels of nesting/],
    [
      "a tensor twice",
      '{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0074":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
      4,
      /got "t" twice/,
    ],
    ["a field twice", '{"t":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4, /got "dtype" twice/],
    ["a tensor that is no object", { t: 3 }, 0, /an object for tensor "t" of .*hostile.* got 3/],
    ["an unknown type", { t: { ...f32([1], 0, 4), dtype: "F4" } }, 4, /dtype among F64, .* for tensor "t" .* got "F4"/],
    ["a type named like an object's method", { t: { ...f32([1], 0, 4), dtype: "toString" } }, 4, /dtype among/],
    ["no shape", { t: { dtype: "F32", data_offsets: [0, 4] } }, 4, /a shape of at most 32 whole numbers/],
    ["a negative dimension", { t: f32([-1], 0, 4) }, 4, /a shape of .* got \[-1\]/],
    ["a fractional dimension", { t: f32([0.5, 2], 0, 4) }, 4, /a shape of/],
    ["33 dimensions", { t: f32(Array(33).fill(1), 0, 4) }, 4, /at most 32/],
    [
      "dimensions whose product overflows",
      { t: f32([2 ** 52, 2 ** 52, 2 ** 52], 0, 4) },
      4,
      /expected [\d.e+]+ bytes .* got 4/,
    ],
    [
      "a size that does not fit shape and type",
      { t: f32([2, 3], 0, 20) },
      20,
      /expected 24 bytes \(F32 \[2,3\]\) for tensor "t"/,
    ],
    [
      "more bytes than shape and type ask for",
      { t: f32([1], 0, 8) },
      8,
      /expected 4 bytes \(F32 \[1\]\) for tensor "t" .* got 8/,
    ],
    ["one offset", { t: { ...f32([1], 0, 4), data_offsets: [0] } }, 4, /data_offsets of two/],
    ["a negative offset", { t: f32([1], -4, 0) }, 4, /data_offsets of two whole numbers/],
    ["offsets in reverse", { t: f32([1], 4, 0) }, 4, /data_offsets within/],
    ["offsets beyond the file", { t: f32([3], 0, 12) }, 4, /within the file's 4 data bytes for tensor "t"/],
    [
      "overlapping tensors",
      { a: f32([2], 0, 8), b: f32([2], 4, 12) },
      12,
      /tensor "b" .* begin at data offset 8, .* got 4/,
    ],
    ["a gap", { a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12, /tensor "b" .* begin at data offset 4, .* got 8/],
    ["bytes after the last tensor", { a: f32([1], 0, 4) }, 8, /fill it to its end/],
    ["metadata that is no text", { __metadata__: { a: 1 } }, 0, /__metadata__.a of .* to be text, got 1/],
  ])("refuses %s", async (_, header, dataBytes, message, length) => {
    const path = await fileOf(header, new Uint8Array(dataBytes), length);
    await expect(SafetensorsFile.open(path)).rejects.toThrow(UserError);
    await expect(SafetensorsFile.open(path)).rejects.toThrow(message);
  });

  it("refuses a short file, a missing one and a folder", async () => {
    const path = join(folder, "short.safetensors");
    await writeFile(path, "1234567");
    await expect(SafetensorsFile.open(path)).rejects.toThrow(/got 7 bytes/);
    await expect(SafetensorsFile.open(join(folder, "absent"))).rejects.toThrow(/readable file at .*absent/);
    await expect(SafetensorsFile.open(folder)).rejects.toThrow(UserError);
  });

  it("never fails on random bytes but with a UserError", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.uint8Array({ maxLength: 16 }), async (text, data) => {
        const path = await fileOf(`{${text}`, data);
        const error: unknown = await SafetensorsFile.open(path).then(
          (file) => file.close(),
          (e: unknown) => e,
        );
        expect(error === undefined || error instanceof UserError).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe("writing", () => {
  it("gives back every float32, bit for bit, and the same bytes in any order of tensors", async () => {
    const path = join(folder, "round.safetensors");
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), fc.float32Array({ maxLength: 9 }), { maxKeys: 5 }), async (named) => {
        const tensors = Object.entries(named)
          .filter(([name]) => name !== "__metadata__")
          .map(([name, values]) => ({ name, shape: [1, values.length], values }));
        await writeSafetensors(path, tensors, { metadata: { format: "pt" } });
        const first = await readFile(path);
        await writeSafetensors(path, tensors.toReversed(), { metadata: { format: "pt" } });
        expect(first.equals(await readFile(path))).toBe(true);
        const read = await readAll(path);
        expect(read.size).toBe(tensors.length);
        for (const { name, shape, values } of tensors) {
          expect(read.get(name)?.shape).toEqual(shape);
          expect(bytesOf(read.get(name)?.values as Float32Array).equals(bytesOf(values))).toBe(true);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("rounds to the nearest bfloat16, ties to even", async () => {
    const path = join(folder, "brain.safetensors");
    const bits = [
      0x3f808000, 0x3f818000, 0x3f808001, 0x3f807fff, 0xbf818000, 0x7f7fffff, 0x7f800000, 0x7f800001, 0xffc00000,
      0x00000001, 0x80000000,
    ];
    const values = new Float32Array(Uint32Array.from(bits).buffer);
    await writeSafetensors(path, [{ name: "x", shape: [bits.length], values }], { dtype: "BF16" });
    const data = (await readFile(path)).subarray(-2 * bits.length);
    const written = bits.map((_, i) =>
      data
        .readUInt16LE(2 * i)
        .toString(16)
        .padStart(4, "0"),
    );
    expect(written).toEqual(["3f80", "3f82", "3f81", "3f80", "bf82", "7f80", "7f80", "7fc0", "ffc0", "0000", "8000"]);
  });

  it("converts a tensor longer than one block", async () => {
    const path = join(folder, "long.safetensors");
    const values = Float32Array.from({ length: (1 << 21) + 5 }, (_, i) => i % 256);
    await writeSafetensors(path, [{ name: "x", shape: [values.length], values }], { dtype: "BF16" });
    expect(bytesOf((await readAll(path)).get("x")?.values as Float32Array).equals(bytesOf(values))).toBe(true);
  });

  it("keeps the old file and leaves no other when writing fails", async () => {
    const inner = await mkdtemp(join(folder, "failing-"));
    const path = join(inner, "kept.safetensors");
    const good = { name: "x", shape: [1], values: Float32Array.of(1) };
    await writeSafetensors(path, [good]);
    const before = await readFile(path);
    await expect(writeSafetensors(path, [good, { ...good, name: "y", shape: [3] }])).rejects.toThrow(
      /shape \[3\] but 1 values/,
    );
    await expect(writeSafetensors(path, [good, good])).rejects.toThrow(/two tensors named "x"/);
    const halfway = replaceFile(path, async (file) => {
      await file.write("half");
      throw new Error("disk full");
    });
    await expect(halfway).rejects.toThrow("disk full");
    await expect(writeSafetensors(join(path, "below-a-file"), [good])).rejects.toThrow(
      /expected to write .*below-a-file, got: E/,
    );
    expect(before.equals(await readFile(path))).toBe(true);
    expect(await readdir(inner)).toEqual(["kept.safetensors"]);
  });
});
