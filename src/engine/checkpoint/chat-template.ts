/** A checkpoint's chat template: a Jinja program that writes conversations the way the model was trained on them. */

import { Template } from "@huggingface/jinja";
import { messageOf, shown, UserError } from "../../errors.js";
import type { ChatMessage, ChatTemplate } from "../engine.js";
import { isRecord } from "../files.js";

/** The template of a checkpoint: chat_template.jinja where it has one, else what tokenizer_config.json holds; null where neither does. */
export function chatTemplateSource(file: string | null, tokenizerConfig: Record<string, unknown>): string | null {
  if (file !== null) return file;
  const { chat_template: held } = tokenizerConfig;
  if (!Array.isArray(held)) return typeof held === "string" ? held : null;
  // Several by name, of which `default` is for plain conversations.
  const named = held.find((one) => isRecord(one) && (one as { name?: unknown }).name === "default") as
    | { readonly template?: unknown }
    | undefined;
  return typeof named?.template === "string" ? named.template : null;
}

/**
 * Templates may ask for today's date. A prompt that changes overnight would end every run that is resumed the day after, so they all
 * get the one that Llama's templates fall back to.
 */
const TODAY = new Date(Date.UTC(2024, 6, 26));
const FIXED_DATE = "{% set strftime_now = fixed_date %}{{ '' }}";

/** The directives of Python's strftime that templates use. */
function fixedDate(format: string): string {
  const iso = TODAY.toISOString();
  const month = TODAY.toLocaleString("en-US", { month: "long", timeZone: "UTC" });
  const day = TODAY.toLocaleString("en-US", { weekday: "long", timeZone: "UTC" });
  const parts: Readonly<Record<string, string>> = {
    Y: iso.slice(0, 4),
    y: iso.slice(2, 4),
    m: iso.slice(5, 7),
    d: iso.slice(8, 10),
    B: month,
    b: month.slice(0, 3),
    A: day,
    a: day.slice(0, 3),
    H: "00",
    M: "00",
    S: "00",
    "%": "%",
  };
  return format.replace(/%([a-zA-Z%])/g, (whole, letter: string) => parts[letter] ?? whole);
}

export class JinjaChatTemplate implements ChatTemplate {
  readonly #source: string;
  /** Texts of the special tokens by role (`bos_token`, …), which templates may write. */
  readonly #tokens: Readonly<Record<string, string>>;
  readonly #where: string;
  /** Parsed when first needed: a broken template is no hindrance to those who do without. */
  #template: Template | undefined;

  /** `where` names the checkpoint's folder in errors. */
  constructor(source: string, tokens: Readonly<Record<string, string>>, where: string) {
    this.#source = source;
    this.#tokens = tokens;
    this.#where = where;
  }

  render(messages: readonly ChatMessage[], generate: boolean): string {
    try {
      this.#template ??= new Template(FIXED_DATE + this.#source);
      return this.#template.render({
        ...this.#tokens,
        // transformers sets these as well, and templates compare them with none.
        tools: null,
        documents: null,
        messages: messages.map(({ role, content }) => ({ role, content })),
        add_generation_prompt: generate,
        fixed_date: fixedDate,
      });
    } catch (error) {
      const last = messages.at(-1);
      throw new UserError(
        `expected the chat template of ${this.#where} to write ${messages.length} messages, the last ${last === undefined ? "none" : shown(last)}, got: ${messageOf(error)}`,
      );
    }
  }
}
