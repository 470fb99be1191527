import { describe, expect, it } from "vitest";
import type { Method } from "../../../src/algorithm/methods.js";
import { METHODS } from "../../../src/algorithm/methods.js";
import { CheckpointTokenizer } from "../../../src/engine/checkpoint/tokenizer.js";
import type { Engine } from "../../../src/engine/engine.js";
import type { PromptSources, Prompts } from "../../../src/run/prompts/encoded-prompts.js";
import { encodePrompts, trainingExample } from "../../../src/run/prompts/prompts.js";
import { plainFormat } from "../../../src/tasks/prompt.js";

/** Byte-level, with special tokens that a chat template writes; puts `<s>` before every plain text. */
function tokenizerWith(template: string | null): CheckpointTokenizer {
  const characters = Array.from({ length: 256 }, (_, byte) => byte);
  let extra = 256;
  const vocab = Object.fromEntries(
    characters.map((byte) => {
      const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
      return [String.fromCodePoint(printable ? byte : extra++), byte];
    }),
  );
  const special = ["<s>", "</s>", "<turn>", "<end>"].map((content, i) => ({
    id: 256 + i,
    content,
    special: true,
    normalized: false,
  }));
  const json = {
    added_tokens: special,
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      pair: [],
      special_tokens: { "<s>": { id: "<s>", ids: [256], tokens: ["<s>"] } },
    },
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab, merges: [] },
  };
  const config = { bos_token: "<s>", eos_token: "</s>" };
  return new CheckpointTokenizer(json, config, { vocabularySize: 260, endTokens: [257, 259] }, "/m", template);
}

const TURNS =
  "{{ bos_token }}{% for m in messages %}<turn>{{ m.role }}\n{{ m.content }}<end>\n{% endfor %}{% if add_generation_prompt %}<turn>assistant\n{% endif %}";

const method: Method = METHODS["adastar"];
const exemplars = [
  { question: "1 + 1?", rationale: "1 + 1 = 2.", answer: "2" },
  { question: "2 + 2?", rationale: "2 + 2 = 4.", answer: "4" },
];
const train = [
  { id: "a", question: "3 + 4?", answer: "7" },
  { id: "b", question: "  <5> + 4?", answer: "9" },
];
const test = [{ id: "c", question: "6 + 4?", answer: "10" }];

function engineWith(tokenizer: CheckpointTokenizer): Pick<Engine, "model" | "tokenizer"> {
  const model = { name: "tiny", contextLength: 4096 } as Engine["model"];
  return { model, tokenizer };
}

function prompts(template: string | null, changes: Partial<PromptSources> = {}): Prompts {
  const sources = { task: { format: plainFormat() }, exemplars, train, test, method, maxTokens: 8, chat: true };
  return encodePrompts(engineWith(tokenizerWith(template)), { ...sources, ...changes });
}

/** The text of tokens, special ones written out. */
function textOf(tokens: readonly number[]): string {
  const special: Record<number, string> = { 256: "<s>", 257: "</s>", 258: "<turn>", 259: "<end>" };
  return tokens.map((token) => special[token] ?? String.fromCharCode(token)).join("");
}

describe("prompts in the chat form", () => {
  const shared =
    "<s><turn>user\n1 + 1?<end>\n<turn>assistant\n1 + 1 = 2. The answer is 2.<end>\n<turn>user\n2 + 2?<end>\n<turn>assistant\n2 + 2 = 4. The answer is 4.<end>\n";

  it("put worked examples as turns, once for all questions, and begin the text once", () => {
    const made = prompts(TURNS);
    expect(made.notices).toEqual([]);
    expect(textOf(made.prefix)).toBe(shared);
    expect(made.train.map(textOf)).toEqual([
      "<turn>user\n3 + 4?<end>\n<turn>assistant\n",
      "<turn>user\n  <5> + 4?<end>\n<turn>assistant\n",
    ]);
    for (const tokens of [
      ...made.train.map((rest) => [...made.prefix, ...rest]),
      ...made.trainZeroShot,
      ...made.test,
    ]) {
      expect(tokens.filter((token) => token === 256)).toHaveLength(1);
      expect(tokens[0]).toBe(256);
    }
  });

  it("are the tokens of the whole text", () => {
    const tokenizer = tokenizerWith(TURNS);
    const made = prompts(TURNS);
    for (const rest of made.train) {
      const whole = [...made.prefix, ...rest];
      expect(tokenizer.encode(textOf(whole))).toEqual(whole);
    }
  });

  it("give hints in the same way", () => {
    const made = prompts(TURNS);
    expect(textOf(made.hintedPrefix)).toContain(
      "<turn>user\n1 + 1?\nHint: The answer is 2.<end>\n<turn>assistant\n1 + 1 = 2.",
    );
    expect(textOf(made.hinted[0] ?? [])).toBe("<turn>user\n3 + 4?\nHint: The answer is 7.<end>\n<turn>assistant\n");
    expect(prompts(TURNS, { method: { ...method, rationalize: false } }).hinted).toEqual([]);
  });

  it("are zero-shot in training and evaluation, and train the end of the turn", () => {
    const made = prompts(TURNS);
    expect(made.zeroShotPrefix).toEqual([]);
    expect(textOf(made.test[0] ?? [])).toBe("<s><turn>user\n6 + 4?<end>\n<turn>assistant\n");
    const completion = tokenizerWith(TURNS).encode("3 + 4 = 7. The answer is 7.");
    const example = trainingExample(made, "a", 0, completion);
    expect(textOf(example.tokens)).toBe(
      "<s><turn>user\n3 + 4?<end>\n<turn>assistant\n3 + 4 = 7. The answer is 7.<end>",
    );
    expect(example.tokens.slice(example.completionStart)).toEqual([...completion, 259]);
  });

  it("do without a shared part where there are no worked examples", () => {
    const made = prompts(TURNS, { exemplars: [] });
    expect([made.prefix, made.notices]).toEqual([[], []]);
    expect(made.train).toEqual(made.trainZeroShot);
  });

  it("compute everything anew, and say so, where the template writes examples by what follows", () => {
    const counting = TURNS.replace("<turn>{{ m.role }}", "<turn>{{ messages | length }} {{ m.role }}");
    const made = prompts(counting);
    expect(made.prefix).toEqual([]);
    expect(textOf(made.train[0] ?? [])).toMatch(
      /^<s><turn>5 user\n1 \+ 1\?<end>.*<turn>5 user\n3 \+ 4\?<end>\n<turn>assistant\n$/s,
    );
    expect(made.notices).toEqual([
      expect.stringMatching(/chat template of tiny writes worked examples .* computes them anew/),
    ]);
  });

  it("share nothing where tokens could cross from the examples into the question", () => {
    const plain = TURNS.replaceAll("<turn>", "# ");
    expect(prompts(plain).prefix).toEqual([]);
    expect(prompts(plain).notices).toHaveLength(1);
  });
});

describe("checkpoints that cannot chat", () => {
  it("for want of a template", () => {
    expect(() => prompts(null)).toThrow(
      /^chat: expected a checkpoint with a chat template .*, got tiny, which has none/,
    );
  });

  it("because no generation would end with the turn", () => {
    expect(() => prompts(TURNS.replace("<end>", "."))).toThrow(
      /end the assistant's turn with one of the tokens that end a generation \(257, 259\), got ".\\n"\. Add the id/,
    );
  });

  it("because a prompt is too long for the model", () => {
    expect(() => prompts(TURNS, { maxTokens: 4000 })).toThrow(/^train\[0\] \(a\): expected at most 4096 tokens/);
  });
});

it("the plain form stays as it is", () => {
  const made = prompts(TURNS, { chat: false });
  expect(textOf(made.prefix)).toMatch(/^<s>Q: 1 \+ 1\?\nA: 1 \+ 1 = 2\. The answer is 2\.\n\nQ: 2/);
  expect(made.trainZeroShot).toBe(made.train);
  expect([made.endToken, made.zeroShotPrefix]).toEqual([257, [256]]);
});
