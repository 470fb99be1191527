import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CheckpointTokenizer } from "../../../src/engine/checkpoint/tokenizer.js";
import { wordTokenizer } from "../../../src/engine/checkpoint/word-tokenizer.js";
import { UserError } from "../../../src/errors.js";

const fixtures = join(import.meta.dirname, "../../fixtures");
const json = async (...path: string[]) => JSON.parse(await readFile(join(...path), "utf8"));

/** An entry of tokenizer-behaviour.expected.json. */
interface Behaviour {
  readonly tokenizer: object;
  readonly config: object;
  readonly decodings?: readonly { readonly tokens: readonly number[]; readonly text: string }[];
  readonly encodings?: readonly { readonly text: string; readonly tokens: readonly number[] }[];
  readonly start?: readonly number[];
}

/** A stand-in for GPT-2-like tokenizers: byte-level, no merges but one, each byte a token. */
function byteLevel(changes: object = {}, config: object = {}) {
  const characters: string[] = [];
  for (let byte = 0, extra = 256; byte < 256; byte++) {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    characters.push(String.fromCodePoint(printable ? byte : extra++));
  }
  const vocab = Object.fromEntries([...characters, "ab"].map((token, id) => [token, id]));
  const added = ["<s>", "</s>"].map((content, i) => ({ id: 257 + i, content, special: true, normalized: false }));
  const tokenizer = {
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab, merges: [["a", "b"]] },
    ...changes,
  };
  return new CheckpointTokenizer(
    tokenizer,
    { eos_token: "</s>", bos_token: "<s>", ...config },
    { vocabularySize: 300, endTokens: [] },
    "/m",
  );
}

/** SentencePiece-like: ▁ for spaces, a leading one dropped, single bytes as <0xNN>. */
function sentencePiece() {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  const vocab = Object.fromEntries(
    ["<unk>", "</s>", ...bytes, "▁", "▁a", "a", "b", "▁b", "."].map((token, id) => [token, id]),
  );
  const replace = { type: "Replace", pattern: { String: "▁" }, content: " " };
  const strip = { type: "Strip", content: " ", start: 1, stop: 0 };
  const tokenizer = {
    added_tokens: ["<unk>", "</s>"].map((content, id) => ({ id, content, special: true, normalized: false })),
    normalizer: null,
    pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: false },
    post_processor: null,
    decoder: { type: "Sequence", decoders: [replace, { type: "ByteFallback" }, { type: "Fuse" }, strip] },
    model: {
      type: "BPE",
      vocab,
      merges: [
        ["▁", "a"],
        ["▁", "b"],
      ],
      unk_token: "<unk>",
      byte_fallback: true,
      fuse_unk: true,
    },
  };
  return new CheckpointTokenizer(tokenizer, { eos_token: "</s>" }, { vocabularySize: 264, endTokens: [] }, "/m");
}

function streamed(tokenizer: CheckpointTokenizer, tokens: readonly number[]) {
  const stream = tokenizer.stream();
  const added = tokens.map((token) => stream.push(token));
  const stable = stream.text;
  added.push(stream.end());
  expect(added.join("")).toBe(stream.text);
  return { text: stream.text, stable };
}

describe("the word tokenizer", () => {
  it("is, token for token, what transformers loaded when the fixtures were made", async () => {
    const { words } = await json(fixtures, "tokenizer.expected.json");
    const made = wordTokenizer(words, { end: "<end>", pad: "<pad>", unknown: "<unknown>" });
    expect(made.tokenizerJson).toEqual(await json(fixtures, "tiny-llama/tokenizer.json"));
    expect(made.tokenizerConfig).toEqual(await json(fixtures, "tiny-llama/tokenizer_config.json"));
    expect(made).toMatchObject({ endToken: 0, vocabularySize: 61 });
  });

  it("encodes and decodes as transformers does", async () => {
    const tokenizer = await CheckpointTokenizer.read(join(fixtures, "tiny-llama"), {
      vocabularySize: 61,
      endTokens: [],
    });
    const expected = await json(fixtures, "tokenizer.expected.json");
    for (const { text, tokens } of expected.encodings) expect(tokenizer.encode(text), text).toEqual(tokens);
    for (const { tokens, text } of expected.decodings) {
      expect(tokenizer.decode(tokens)).toBe(text);
      expect(streamed(tokenizer, tokens).text).toBe(text);
    }
    expect(tokenizer).toMatchObject({ startTokens: [], endTokens: [0], padToken: 1 });
  });

  it("takes the longest token at every place, and gives texts back", () => {
    const words = ["a", "ab", "abc", "c", " ", "\n", "Balance", "Balance ", ".", "+", "(", "[", "\\"];
    const { tokenizerJson, tokenizerConfig, vocabularySize } = wordTokenizer(words, { end: "<end>" });
    const tokenizer = new CheckpointTokenizer(tokenizerJson, tokenizerConfig, { vocabularySize, endTokens: [] }, "/m");
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words)), (parts) => {
        const text = parts.join("");
        const greedy: number[] = [];
        for (let at = 0; at < text.length; ) {
          const fits = words.filter((word) => text.startsWith(word, at)).sort((a, b) => b.length - a.length)[0];
          greedy.push(1 + words.indexOf(fits));
          at += fits.length;
        }
        const tokens = tokenizer.encode(text);
        expect(tokens).toEqual(greedy);
        expect(tokenizer.decode(tokens)).toBe(text);
      }),
    );
    expect(() => tokenizer.encode("abc? a")).toThrow(/has tokens for, got "\?" in "abc\? a"/);
  });

  it("refuses empty and repeated tokens", () => {
    expect(() => wordTokenizer(["a", ""], { end: "e" })).toThrow(UserError);
    expect(() => wordTokenizer(["a", "a"], { end: "e" })).toThrow(/got "a" twice/);
    expect(() => wordTokenizer(["e"], { end: "e" })).toThrow(/got "e" twice/);
  });
});

describe("decoding token by token", () => {
  it.each([
    ["byte-level", byteLevel(), 259],
    ["sentencepiece-like", sentencePiece(), 264],
  ])("equals decoding the whole, at every prefix, for a %s tokenizer and any tokens", (_, tokenizer, size) => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: size - 1 }), { maxLength: 12 }), (tokens) => {
        const { text, stable } = streamed(tokenizer, tokens);
        const whole = tokenizer.decode(tokens);
        expect(text).toBe(whole);
        expect(whole.startsWith(stable)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("holds a character back until its last byte is there", () => {
    const tokenizer = byteLevel();
    const tokens = tokenizer.encode("é🙂");
    const stream = tokenizer.stream();
    const steps = tokens.map((token) => stream.push(token));
    expect(steps.filter((step) => step !== "").join("|")).toBe("é|🙂");
    expect(stream.end()).toBe("");
    const cut = tokenizer.stream();
    for (const token of tokens.slice(0, -1)) cut.push(token);
    expect(cut.text).toBe("é");
    expect(cut.end()).toMatch(/^\ufffd+$/);
  });

  it("holds a run of byte tokens back until it ends, as one invalid byte changes all of it", () => {
    const tokenizer = sentencePiece();
    const tokens = tokenizer.encode("é🙂.");
    const stream = tokenizer.stream();
    const steps = tokens.map((token) => stream.push(token));
    expect(steps.filter((step) => step !== "")).toEqual(["é🙂."]);
    expect(stream.end()).toBe("");
    const cut = tokenizer.stream();
    for (const token of tokens.slice(0, -2)) cut.push(token);
    expect(cut.text).toBe("");
    expect(cut.end()).toBe("\ufffd".repeat(5));
  });

  it("gives any text back from a byte-level tokenizer", () => {
    const tokenizer = byteLevel();
    const codePoint = fc.oneof(
      fc.nat({ max: 0x7ff }),
      fc.nat({ max: 0xd7ff }),
      fc.integer({ min: 0xe000, max: 0x10ffff }),
    );
    fc.assert(
      fc.property(fc.array(codePoint), (points) => {
        const text = String.fromCodePoint(...points);
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
    // One to four bytes each; between them nearly every byte that UTF-8 has.
    const codes = Array.from({ length: 128 }, (_, i) => [i, 0x80 + 15 * i, 0x1000 + 0x180 * i, 0x10000 + 0x2035 * i]);
    const all = codes.map((points) => String.fromCodePoint(...points)).join("");
    expect(tokenizer.decode(tokenizer.encode(all))).toBe(all);
  });

  it("leaves special tokens and ids without text out", () => {
    const tokenizer = byteLevel();
    const [a] = tokenizer.encode("a") as [number];
    expect(tokenizer.decode([257, a, 299, 258])).toBe("a");
    expect(tokenizer.decode([])).toBe("");
    expect(sentencePiece().decode([1, 263, 270])).toBe(".");
  });

  it("does not tidy spaces before punctuation", () => {
    const tokenizer = byteLevel({}, { clean_up_tokenization_spaces: true });
    expect(tokenizer.decode(tokenizer.encode("a , b ."))).toBe("a , b .");
  });
});

describe("beside transformers", () => {
  const expected = JSON.parse(readFileSync(join(fixtures, "tokenizer-behaviour.expected.json"), "utf8")) as Record<
    string,
    Behaviour
  >;
  const entries = Object.entries(expected).map(([name, behaviour]) => ({ name, ...behaviour }));
  const made = ({ tokenizer, config }: Behaviour) =>
    new CheckpointTokenizer(tokenizer, config, { vocabularySize: 300, endTokens: [1] }, "/m");

  it.each(entries.filter(({ decodings }) => decodings))(
    "decodes the same text, at once and token by token: $name",
    (entry) => {
      const tokenizer = made(entry);
      for (const { tokens, text } of entry.decodings ?? []) {
        expect(tokenizer.decode(tokens), `[${tokens}]`).toBe(text);
        expect(streamed(tokenizer, tokens).text).toBe(text);
      }
    },
  );

  it.each(entries.filter(({ decodings }) => decodings))("never takes back what a stream has given: $name", (entry) => {
    const tokenizer = made(entry);
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 267 }), { maxLength: 12 }), (tokens) => {
        const { text, stable } = streamed(tokenizer, tokens);
        expect(text).toBe(tokenizer.decode(tokens));
        expect(text.startsWith(stable)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it.each(entries.filter(({ encodings }) => encodings))("finds the same added tokens: $name", (entry) => {
    const tokenizer = made(entry);
    for (const { text, tokens } of entry.encodings ?? []) expect(tokenizer.encode(text), text).toEqual(tokens);
  });

  it.each(entries.filter(({ start }) => start))("puts the same tokens before a text: $name", (entry) => {
    expect(made(entry).startTokens).toEqual(entry.start);
  });
});

describe("start and end tokens", () => {
  const template = (single: object[], special: string[]) => ({
    post_processor: {
      type: "TemplateProcessing",
      single,
      pair: [],
      special_tokens: Object.fromEntries(special.map((id) => [id, { id, ids: [257], tokens: [id] }])),
    },
  });
  const text = { Sequence: { id: "A", type_id: 0 } };
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });

  it("finds what the tokenizer itself puts before a text", () => {
    expect(byteLevel().startTokens).toEqual([]);
    expect(byteLevel(template([special("<s>"), text], ["<s>"])).startTokens).toEqual([257]);
    expect(byteLevel(template([special("<s>"), text, special("</s>")], ["<s>", "</s>"])).startTokens).toEqual([257]);
    expect(byteLevel(template([text, special("</s>")], ["</s>"])).startTokens).toEqual([]);
    expect(byteLevel(template([special("<s>"), text], ["<s>"])).encode("ab")).toEqual([256]);
  });

  it("takes the model's end tokens first, else the tokenizer's, else refuses", async () => {
    const read = (endTokens: number[]) =>
      CheckpointTokenizer.read(join(fixtures, "tiny-tied"), { vocabularySize: 61, endTokens });
    expect((await read([0, 7])).endTokens).toEqual([0, 7]);
    expect((await read([])).endTokens).toEqual([0]);
    expect(() => byteLevel({}, { eos_token: null })).toThrow(/expected an end-of-text token .* \/m, got none/);
  });
});

describe("unusable tokenizers", () => {
  it("are refused with the folder's name", async () => {
    expect(() => byteLevel({ model: { type: "Strange" } })).toThrow(
      /tokenizer this engine can read in tokenizer\.json of \/m, got: .*Strange/,
    );
    expect(() => byteLevel({ added_tokens: null })).toThrow(UserError);
    expect(() => new CheckpointTokenizer([], {}, { vocabularySize: 9, endTokens: [0] }, "/m")).toThrow(
      /an object in tokenizer\.json of \/m/,
    );
    const model = { vocabularySize: 61, endTokens: [] };
    await expect(CheckpointTokenizer.read(join(fixtures, "none"), model)).rejects.toThrow(
      /tokenizer at .*none.*tokenizer\.json, got none/,
    );
  });

  it("refuses text whose tokens the model has no embedding for", async () => {
    const small = await CheckpointTokenizer.read(join(fixtures, "tiny-llama"), { vocabularySize: 20, endTokens: [0] });
    expect(small.encode("12")).toEqual([4, 5]);
    expect(() => small.encode("1=2")).toThrow(/below the model's vocabulary size 20, got "=" = 22 in "1=2"/);
  });

  it("refuses what the library would leave out or fall over later", () => {
    const split = (pattern: unknown, behavior: unknown) => ({
      pre_tokenizer: { type: "Split", pattern, behavior, invert: false },
    });
    expect(() => byteLevel(split({ Glob: "*" }, "Isolated"))).toThrow(/neither Regex nor String: .*Glob/);
    expect(() => byteLevel(split({ Regex: "a" }, 7)).encode("a")).toThrow(UserError);
  });
});
