/** A checkpoint's chat template: a Jinja program that writes conversations the way the model was trained on them. */

import { Template } from "@huggingface/jinja";
import { messageOf, shown, UserError } from "../../errors.js";
import type { ChatMessage, ChatTemplate } from "../engine.js";
import { isRecord } from "../files.js";

/**
 * The template of a checkpoint: chat_template.jinja where it has one, else `chat_template` of tokenizer_config.json;
 * null where neither is there.
 */
export function chatTemplateSource(file: string | null, tokenizerConfig: Record<string, unknown>): string | null {
  if (file !== null) return file;
  const template = tokenizerConfig["chat_template"];
  if (typeof template === "string") return template;
  if (!Array.isArray(template)) return null;
  // Several templates by name; "default" is the one for plain conversations.
  const named: unknown = template.find((entry) => isRecord(entry) && entry["name"] === "default");
  const source = isRecord(named) ? named["template"] : null;
  return typeof source === "string" ? source : null;
}

/**
 * Templates may ask for today's date. A prompt that changes overnight would end every run that is resumed the day
 * after, so all of them get the date that Llama's templates fall back to: Friday, 26 July 2024, 00:00.
 */
const FIXED_DATE: Readonly<Record<string, string>> = {
  Y: "2024",
  y: "24",
  m: "07",
  "-m": "7",
  B: "July",
  b: "Jul",
  h: "Jul",
  d: "26",
  "-d": "26",
  e: "26",
  j: "208",
  A: "Friday",
  a: "Fri",
  u: "5",
  w: "5",
  F: "2024-07-26",
  D: "07/26/24",
  H: "00",
  I: "12",
  p: "AM",
  M: "00",
  S: "00",
  f: "000000",
  T: "00:00:00",
  R: "00:00",
  "%": "%",
};

/** The fixed date in a format of Python's strftime. Throws Error for a directive that it has no text for. */
function fixedDate(format: string): string {
  return format.replace(/%(-?.|$)/gsu, (directive, name: string) => {
    const text = FIXED_DATE[name];
    if (text === undefined) throw new Error(`strftime_now with ${shown(directive)}, which is no directive known here`);
    return text;
  });
}

/**
 * Makes `strftime_now` of a template the fixed date. The empty output stands between, as a newline after a block would
 * be dropped.
 */
const SET_DATE = "{% set strftime_now = fixed_date %}{{ '' }}";

export class JinjaChatTemplate implements ChatTemplate {
  readonly #source: string;
  /** Texts of the special tokens by role (`bos_token`, …), which templates may write. */
  readonly #tokens: Readonly<Record<string, string>>;
  readonly #where: string;
  /** Parsed at the first use, so that a broken template stops only those who use it. */
  #template: Template | undefined;

  /** `where` names the checkpoint's folder in errors. */
  constructor(source: string, tokens: Readonly<Record<string, string>>, where: string) {
    this.#source = source;
    this.#tokens = tokens;
    this.#where = where;
  }

  render(messages: readonly ChatMessage[], generate: boolean): string {
    try {
      this.#template ??= new Template(SET_DATE + this.#source);
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
        `expected the chat template of ${this.#where} to write ${messages.length} messages, ` +
          `the last ${last === undefined ? "none" : shown(last)}, got: ${messageOf(error)}`,
      );
    }
  }
}
