/**
 * The part of an output that states the answer: what stands in the last answer tag, else what follows the thinking, up
 * to the end of the model's turn. Runs once over the output, in time linear in its length.
 */

import type { AnswerTags } from "../task.js";

export const DEFAULT_TAGS: AnswerTags = {
  thinking: ["think", "thinking", "reasoning", "thought"],
  answer: ["answer"],
};

/**
 * Texts that end a turn for good: of Llama, Qwen, Phi, Gemma, Mistral, DeepSeek, Command, Granite, GLM, OpenChat and
 * their like.
 */
const END_TOKENS = [
  String.raw`<\|(?:endoftext|end_of_text|eo[tms]_id|eot|eom|eos|eod|im_end|im_start|im_sep|return|call|stop|end_of_turn|endofturn)\|>`,
  String.raw`<\|(?:(?:START|END)_OF_TURN_TOKEN|(?:start|end)_of_role|(?:start|end)_header_id|header_(?:start|end))\|>`,
  String.raw`<\|(?:(?:user|assistant)(?:_start|_end)?|system|observation|begin_of_text|end_of_sentence|pad)\|>`,
  String.raw`<(?:(?:start|end)_of_turn|end_of_utterance|eod|turn\||\|turn|/?s|eos|bos|pad|EOT)>`,
  "<｜(?:begin▁of▁sentence|end▁of▁sentence|User|Assistant)｜>",
  String.raw`\[/?INST\]|\[EOS\]`,
];
/** Ends a turn, except within a thinking channel, whose own end it is. */
const END_OF_MESSAGE = String.raw`<\|end\|>`;
/** gpt-oss: `<|channel|>analysis<|message|>…<|end|><|start|>assistant<|channel|>final<|message|>…<|return|>`. */
const CHANNEL = String.raw`<\|channel\|>\s{0,3}(?<channel>[a-z]+)[^<>]{0,80}(?:<\|constrain\|>[^<>]{0,40})?<\|message\|>`;
const START_OF_MESSAGE = String.raw`<\|start\|>(?:assistant)?`;
/** Where a decoder has dropped the special tokens, this is what is left between the last thinking and the answer. */
const BARE_FINAL = "assistantfinal";
/** The opening of the model's own turn, which some records include. */
const OWN_OPENING =
  /^\s{0,10}(?:(?:<s>|<bos>|<\|begin_of_text\|>|<\|im_start\|>|<\|start_header_id\|>|<start_of_turn>|<\|assistant\|>|<｜Assistant｜>|\[\/INST\])\s{0,3}(?:(?:assistant|model)\s{0,3}(?:<\|end_header_id\|>)?(?=\s))?\s{0,3}){1,3}/;

/** Outputs without any of these have no mark, which is nearly all of a base model's. */
const MAY_HAVE_MARKS = /[<[]|^\s{0,10}analysis/;

/** The text of `output` that counts as the model's answer; empty where all of it is thinking. */
export function finalText(output: string, tags: AnswerTags = DEFAULT_TAGS): string {
  if (!MAY_HAVE_MARKS.test(output)) return output;
  const turn = withoutOpening(output);
  const speech = new Speech(tags);
  let from = 0;
  for (const match of turn.matchAll(patternOf(tags))) {
    speech.add(turn.slice(from, match.index));
    from = match.index + match[0].length;
    if (speech.isEndedBy(match.groups ?? {})) return speech.result();
  }
  speech.add(turn.slice(from));
  return speech.result();
}

function withoutOpening(output: string): string {
  const bare = /^\s{0,10}analysis/.test(output) ? output.lastIndexOf(BARE_FINAL) : -1;
  const text = bare < 0 ? output : output.slice(bare + BARE_FINAL.length);
  return text.slice(OWN_OPENING.exec(text)?.[0].length ?? 0);
}

const PATTERNS = new WeakMap<AnswerTags, RegExp>();

/** Every mark, in named groups. */
function patternOf(tags: AnswerTags): RegExp {
  let pattern = PATTERNS.get(tags);
  if (pattern === undefined) {
    const names = [...tags.thinking, ...tags.answer].map((name) => name.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
    const marks = [`(?<end>${END_TOKENS.join("|")})`, `(?<messageEnd>${END_OF_MESSAGE})`, START_OF_MESSAGE, CHANNEL];
    const any = names.join("|");
    if (names.length > 0) marks.push(String.raw`<(?<slash>\/?)(?<tag>${any})(?:\s[^<>]{0,100})?>`);
    // Mistral's `[THINK]`.
    if (names.length > 0) marks.push(String.raw`\[(?<slashInBrackets>\/?)(?<tagInBrackets>${any})\]`);
    pattern = new RegExp(marks.join("|"), "gi");
    PATTERNS.set(tags, pattern);
  }
  return pattern;
}

/** In place of a tag's name: a channel other than the final one. */
const THINKING_CHANNEL = "<|channel|>";

/** What has been said so far, and what of it was thinking or an answer. */
class Speech {
  readonly #thinkingTags: ReadonlySet<string>;
  /** The tag or channel of thinking that has not ended. */
  #thinking: string | null = null;
  /** Said since the last thinking ended. */
  #said = "";
  /** Said before that. */
  #earlier = "";
  /** What the open answer tag holds so far. */
  #inAnswer: string | null = null;
  /** What the last answer tag held that was not empty. */
  #answer: string | null = null;

  constructor(tags: AnswerTags) {
    this.#thinkingTags = new Set(tags.thinking.map((name) => name.toLowerCase()));
  }

  add(text: string): void {
    if (this.#thinking !== null) return;
    this.#said += text;
    if (this.#inAnswer !== null) this.#inAnswer += text;
  }

  /** Takes a mark, by its groups; true where it ends the turn. */
  isEndedBy({ end, messageEnd, channel, slash, tag, slashInBrackets, tagInBrackets }: Record<string, string>): boolean {
    if (end !== undefined) return true;
    if (messageEnd !== undefined) return this.#thinking !== THINKING_CHANNEL;
    if (channel !== undefined) this.#channelBegins(channel.toLowerCase());
    const name = (tag ?? tagInBrackets)?.toLowerCase();
    if (name !== undefined) this.#takeTag(name, (slash ?? slashInBrackets) === "/");
    return false;
  }

  result(): string {
    if (this.#inAnswer !== null) this.#answerEnds();
    return this.#answer ?? (this.#said.trim() === "" ? this.#earlier : this.#said);
  }

  #channelBegins(name: string): void {
    this.#thinkingBegins(THINKING_CHANNEL);
    if (name === "final") this.#thinking = null;
  }

  #takeTag(name: string, closes: boolean): void {
    // Within thinking, only its own end counts.
    if (this.#thinking !== null) {
      if (closes && name === this.#thinking) this.#thinking = null;
    } else if (!this.#thinkingTags.has(name)) {
      if (closes) this.#answerEnds();
      else this.#inAnswer = "";
    } else if (closes) this.#forget();
    else this.#thinkingBegins(name);
  }

  #thinkingBegins(name: string): void {
    if (this.#said.trim() !== "") this.#earlier = this.#said;
    this.#said = "";
    this.#thinking = name;
  }

  /** Thinking ends that began in the prompt: all so far was thinking. */
  #forget(): void {
    this.#said = "";
    this.#earlier = "";
    this.#inAnswer = null;
    this.#answer = null;
  }

  /** Without an opening tag, which may stand in the prompt, all that was said is the answer. */
  #answerEnds(): void {
    const held = this.#inAnswer ?? this.#said;
    if (held.trim() !== "") this.#answer = held;
    this.#inAnswer = null;
  }
}
