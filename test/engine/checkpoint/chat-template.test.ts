/** Chat templates, against what transformers wrote (test/fixtures/make_chat_fixture.py). */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { chatTemplateSource, JinjaChatTemplate } from "../../../src/engine/checkpoint/chat-template.js";
import { CheckpointTokenizer } from "../../../src/engine/checkpoint/tokenizer.js";
import { wordTokenizer } from "../../../src/engine/checkpoint/word-tokenizer.js";
import type { ChatMessage } from "../../../src/engine/engine.js";
import { UserError } from "../../../src/errors.js";

interface Fixture {
  readonly name: string;
  readonly template: string;
  readonly tokens: Record<string, string>;
  readonly cases: readonly {
    readonly messages: readonly ChatMessage[];
    readonly generate: boolean;
    readonly text: string;
    readonly tokens?: readonly number[];
  }[];
}

const path = join(import.meta.dirname, "../../fixtures/chat.expected.json");
const { templates } = JSON.parse(readFileSync(path, "utf8")) as { templates: readonly Fixture[] };
const hello: ChatMessage = { role: "user", content: "Hello" };

describe("conversations as transformers writes them", () => {
  const cases = templates.flatMap(({ name, template, tokens, cases }) =>
    cases.map(({ messages, generate, text }) => ({
      name,
      roles: messages.map(({ role }) => role).join(),
      generate,
      text,
      template,
      tokens,
      messages,
    })),
  );
  it.each(cases)("$name: $roles, generate $generate", ({ template, tokens, messages, generate, text }) => {
    expect(new JinjaChatTemplate(template, tokens, "/m").render(messages, generate)).toBe(text);
  });

  const { ADASTAR_SMOLLM2: dir } = process.env;
  it.skipIf(dir === undefined)(
    "SmolLM2, token for token (skipped unless ADASTAR_SMOLLM2 names its folder)",
    async () => {
      const tokenizer = await CheckpointTokenizer.read(dir as string, { vocabularySize: 49_152, endTokens: [2] });
      const cases = templates[0]?.cases ?? [];
      expect(cases.length).toBeGreaterThan(0);
      for (const { messages, generate, text, tokens } of cases) {
        const written = tokenizer.chat?.render(messages, generate) ?? "";
        expect(written).toBe(text);
        expect(tokenizer.encode(written)).toEqual(tokens);
      }
    },
  );
});

describe("where the template stands", () => {
  it("chat_template.jinja first, then tokenizer_config.json, there the default of several", () => {
    expect(chatTemplateSource("file", { chat_template: "config" })).toBe("file");
    expect(chatTemplateSource(null, { chat_template: "config" })).toBe("config");
    const several = [
      { name: "tool_use", template: "tools" },
      { name: "default", template: "plain" },
    ];
    expect(chatTemplateSource(null, { chat_template: several })).toBe("plain");
    expect(chatTemplateSource(null, { chat_template: several.slice(0, 1) })).toBeNull();
    expect(chatTemplateSource(null, {})).toBeNull();
  });

  it("a tokenizer has a chat form only with one, and lends it its special tokens", () => {
    const { tokenizerJson, tokenizerConfig } = wordTokenizer(["a"], { end: "<end>" });
    const model = { vocabularySize: 2, endTokens: [] };
    expect(new CheckpointTokenizer(tokenizerJson, tokenizerConfig, model, "/m").chat).toBeUndefined();
    const template = "{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}";
    const { chat } = new CheckpointTokenizer(tokenizerJson, tokenizerConfig, model, "/m", template);
    expect(chat?.render([hello], true)).toBe("Hello<end>");
  });
});

describe("templates that cannot be used", () => {
  it.each([
    ["one that is no Jinja", "{% for %}", /chat template of \/m/],
    ["one that refuses", "{{ raise_exception('system first, please') }}", /the last .*Hello.*system first, please/],
  ])("%s is an error that names it", (_, template, message) => {
    const render = () => new JinjaChatTemplate(template, {}, "/m").render([hello], true);
    expect(render).toThrow(UserError);
    expect(render).toThrow(message);
  });
});

it("the date in a prompt does not change overnight", () => {
  const template = "{{ strftime_now('%A, %d %B %Y (%d %b %y%%)') }}";
  vi.useFakeTimers({ now: new Date("2031-02-03T04:05:06Z"), toFake: ["Date"] });
  try {
    expect(new JinjaChatTemplate(template, {}, "/m").render([hello], true)).toBe("Friday, 26 July 2024 (26 Jul 24%)");
  } finally {
    vi.useRealTimers();
  }
});

it("refuses a date in a form that it does not know, rather than to write the directive", () => {
  const render = (format: string) =>
    new JinjaChatTemplate(`{{ strftime_now('${format}') }}`, {}, "/m").render([hello], true);
  expect(render("%-d.%-m.%Y, day %j, %I %p, %H:%M:%S")).toBe("26.7.2024, day 208, 12 AM, 00:00:00");
  for (const format of ["%Y-%V", "%Ey", "%-Q", "100%", "% d"]) {
    expect(() => render(format), format).toThrow(UserError);
    expect(() => render(format), format).toThrow(
      /chat template of \/m to write .* strftime_now with "%.*" *, which is no/,
    );
  }
});
