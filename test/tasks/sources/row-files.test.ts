import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as zlib from "node:zlib";
import fc from "fast-check";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../../src/errors.js";
import { parseExactJson } from "../../../src/tasks/sources/formats/exact-json.js";
import { readRows } from "../../../src/tasks/sources/rows.js";

const PARQUET = fileURLToPath(new URL("../../fixtures/data/", import.meta.url));

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "adastar-rows-"));
});
afterAll(() => rm(root, { recursive: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(root, name);
  await writeFile(path, content);
  return path;
}

async function rowsOf(path: string): Promise<[number: number, fields: Record<string, unknown>][]> {
  const rows: [number, Record<string, unknown>][] = [];
  for await (const { number, fields } of readRows(path)) rows.push([number, fields]);
  return rows;
}

async function refusal(path: string): Promise<string> {
  const error: unknown = await rowsOf(path).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

/** Cells that every form can hold. Blank lines of a CSV file are no rows, so that a cell of its own is never empty. */
const cell = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.constantFrom('"', "a\nb", "a,b", "\\", '\\"', "],[", "{", "é\u2028", "😀"),
);

describe("every form gives the same rows", () => {
  it("whatever stands in the cells", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ q: cell, a: cell })), fc.constantFrom(0, 1, "\t"), async (rows, indent) => {
        const expected = rows.map((row, index) => [index + 1, row]);
        const lines = await file("a.jsonl", rows.map((row) => JSON.stringify(row)).join("\n"));
        const array = await file("a.json", JSON.stringify(rows, null, indent));
        const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
        const table = await file("a.csv", ["q,a", ...rows.map(({ q, a }) => `${quoted(q)},${quoted(a)}`)].join("\r\n"));
        for (const path of [lines, array, table]) expect(await rowsOf(path)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  it("whereever the pieces of the file end", async () => {
    // Some 64 KiB are read at a time: of these long rows each ends elsewhere in its piece, most often amid escapes.
    const rows = Array.from({ length: 60 }, (_, i) => ({ q: '\\"[{é,'.repeat(997 + i), a: [{ b: [i] }, "]"] }));
    const expected = rows.map((row, index) => [index + 1, row]);
    expect(await rowsOf(await file("long.json", `\ufeff ${JSON.stringify(rows)}\n`))).toEqual(expected);
    expect(await rowsOf(await file("long.jsonl", rows.map((row) => JSON.stringify(row)).join("\r\n")))).toEqual(
      expected,
    );
  });
});

describe("JSON", () => {
  it.each([
    ["", /expected a JSON array of rows, got: the end of the file/],
    ["  \n", /expected a JSON array of rows/],
    ['{"data": []}', /expected a JSON array of rows, got: \{/],
    ['"text"', /expected a JSON array of rows/],
    ["1, 2", /expected a JSON array of rows, got: 1/],
    ['[{"q": 1}', /expected the array of rows to end, got the end of the file/],
    ['[{"q": "1]', /expected the array of rows to end/],
    ['[{"q": 1}] [', /expected nothing after the array, got: .*"\["/],
    ['[{"q": 1}], 2', /expected nothing after the array/],
    ['[{"q": 1}]]', /expected nothing after the array, got: .*"\]"/],
    ['[{"q": 1},]', /row 2: expected JSON, got: .*"\]"/],
    ["[,]", /row 1: expected JSON, got: .*","/],
    ['[{"q": 1}, {"q": 1]}]', /row 2: expected JSON, got: .*"\]"/],
    ['[{"q": 1} {"q": 2}]', /row 2: expected JSON, got: .*"\{"/],
    ["[nonsense]", /row 1: expected JSON, got: .*"o"/],
    ["[[1]]", /row 1: expected an object with named columns, got \[1\]/],
  ])("%j", async (text, message) => {
    expect(await refusal(await file("bad.json", text))).toMatch(message);
  });

  it("may be empty", async () => {
    expect(await rowsOf(await file("empty.json", " [ ] "))).toEqual([]);
  });
});

describe("JSON numbers", () => {
  const written = [
    ["9007199254740993", "9007199254740993"],
    ["123456789012345678901234", "123456789012345678901234"],
    ["-0.1234567890123456789", "-0.1234567890123456789"],
    ["1e400", "1e400"],
    ["1.0000000000000001e-7", 1.0000000000000001e-7],
    ["9007199254740992", 9007199254740992],
    ["100000000000000000000", 100000000000000000000],
    ["1.10000000000000000000", 1.1],
    ["0.30000000000000004", 0.30000000000000004],
    ["1E+02", 100],
    ["-0", -0],
  ] as const;

  it.each(written)("%s keeps every digit, as a number where one holds them", async (text, value) => {
    const row = `{"answer": ${text}, "list": [${text}], "text": "${text}"}`;
    const expected = [[1, { answer: value, list: [value], text }]];
    expect(await rowsOf(await file("numbers.jsonl", row))).toEqual(expected);
    expect(await rowsOf(await file("numbers.json", `[${row}]`))).toEqual(expected);
  });

  it("of every kind are those of JSON.parse, or say the same as text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer()), (value) => {
        expect(parseExactJson(JSON.stringify([value]))).toEqual([JSON.parse(JSON.stringify(value))]);
      }),
    );
    fc.assert(
      fc.property(fc.bigInt(), (value) => {
        expect(BigInt(parseExactJson(`${value}`) as string | number)).toBe(value);
      }),
    );
  });
});

describe("CSV", () => {
  it("keeps line breaks and quotes in cells, skips blank lines, takes a byte order mark, trims names of columns", async () => {
    const path = await file("a.csv", '\ufeffid, question ,answer\r\n1,"a ""b""\nc",2\r\n\r\n2,,3\r\n');
    expect(await rowsOf(path)).toEqual([
      [1, { id: "1", question: 'a "b"\nc', answer: "2" }],
      [2, { id: "2", question: "", answer: "3" }],
    ]);
  });

  it.each([
    ["a row of fewer cells", "a,b\n1\n", /expected CSV with a header and as many cells in every row, got: .*line 2/],
    ["a row of more cells", "a,b\n1,2,3\n", /got: Invalid Record Length/],
    ["a quote that does not end", 'a,b\n"1,2\n', /got: Quote Not Closed/],
    ["columns of the same name", "a,b,a\n1,2,3\n", /expected a header of different columns, got "a" twice/],
  ])("%s", async (_, text, message) => {
    expect(await refusal(await file("bad.csv", text))).toMatch(message);
  });

  it("that is not UTF-8, or not there", async () => {
    expect(await refusal(await file("latin.csv", Uint8Array.from([0x61, 0x0a, 0xe9, 0x0a])))).toMatch(
      /expected a readable UTF-8 file/,
    );
    expect(await refusal(join(root, "none.csv"))).toMatch(/expected a readable UTF-8 file, got .*none\.csv.*ENOENT/);
  });
});

describe("Parquet", () => {
  it("numbers rows through all row groups", async () => {
    const rows = await rowsOf(join(PARQUET, "gsm8k/main/train-00000-of-00001.parquet"));
    expect(rows.map(([number]) => number)).toEqual([1, 2, 3]);
    expect(rows[2]?.[1]["answer"]).toBe("700+700=<<700+700=1400>>1400\n#### 1400");
  });

  const zstd = "zstdDecompressSync" in zlib;
  it.each(["none", "snappy", "gzip", "brotli", ...(zstd ? ["zstd"] : [])])(
    "is read with compression %s",
    async (name) => {
      expect(await rowsOf(join(PARQUET, `compressed/${name}.parquet`))).toEqual([
        // 2**53 + 1 is no exact number, and stays as its digits.
        [1, { id: "9007199254740993", question: "1 + 1?".repeat(40), answer: 2 }],
        [2, { id: 7, question: "2 + 2?".repeat(40), answer: 4.5 }],
      ]);
    },
  );

  it("32-bit floats are their shortest decimal, 64-bit ones what they are, also within lists and groups", async () => {
    const single = Float32Array.of(0.1, 16_777_217, 3.4e38)[0];
    const schema = [
      { name: "root", num_children: 5 },
      { name: "single", type: "FLOAT", repetition_type: "OPTIONAL" },
      { name: "double", type: "DOUBLE", repetition_type: "REQUIRED" },
      { name: "list", num_children: 1, converted_type: "LIST", repetition_type: "OPTIONAL" },
      { name: "list", num_children: 1, repetition_type: "REPEATED" },
      { name: "element", type: "FLOAT", repetition_type: "OPTIONAL" },
      { name: "price", type: "INT64", converted_type: "DECIMAL", scale: 2, precision: 18, repetition_type: "REQUIRED" },
      { name: "extra", type: "BYTE_ARRAY", converted_type: "JSON", repetition_type: "REQUIRED" },
    ] as const;
    const columnData = [
      { name: "single", data: [single, null, 0.3] },
      { name: "double", data: [single, 0.1, 1] },
      { name: "list", data: [[0.1, 2.5], [], [1e-7]] },
      { name: "price", data: [0.07, 33.33, 1_234_567_890_123.45] },
      { name: "extra", data: [{ n: 1 }, { n: 2 }, { n: 3 }] },
    ];
    const path = await file("floats.parquet", new Uint8Array(parquetWriteBuffer({ columnData, schema: [...schema] })));
    expect(await rowsOf(path)).toEqual([
      [1, { single: 0.1, double: 0.10000000149011612, list: [0.1, 2.5], price: 0.07, extra: { n: 1 } }],
      [2, { single: null, double: 0.1, list: [], price: 33.33, extra: { n: 2 } }],
      [3, { single: 0.3, double: 1, list: [1e-7], price: 1_234_567_890_123.45, extra: { n: 3 } }],
    ]);
  });

  it("a decimal whose digits do not fit a number is refused by row", async () => {
    const schema = [
      { name: "root", num_children: 1 },
      { name: "price", type: "INT64", converted_type: "DECIMAL", scale: 2, precision: 18, repetition_type: "REQUIRED" },
    ] as const;
    const columnData = [{ name: "price", data: [100n, 900_719_925_474_099_301n] }];
    const path = await file("wide.parquet", new Uint8Array(parquetWriteBuffer({ columnData, schema: [...schema] })));
    expect(await refusal(path)).toMatch(
      /row 2: expected a decimal of at most 15 digits in price, got one of about 9007/,
    );
  });

  it.each(["lz4", ...(zstd ? [] : ["zstd"])])("is refused with compression %s", async (name) => {
    expect(await refusal(join(PARQUET, `compressed/${name}.parquet`))).toMatch(
      /expected Parquet compressed with snappy, gzip, brotli or .* zstd, got (LZ4|ZSTD).* write it again with snappy/,
    );
  });

  it("that is none, is cut, or not there", async () => {
    expect(await refusal(await file("no.parquet", "PAR1 no"))).toMatch(
      /expected a readable Parquet file, got .*no\.parquet/,
    );
    expect(await refusal(await file("tiny.parquet", ""))).toMatch(/expected a readable Parquet file/);
    expect(await refusal(join(root, "none.parquet"))).toMatch(/expected a readable Parquet file, got .*ENOENT/);
  });
});
