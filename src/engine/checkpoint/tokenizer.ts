/**
 * The checkpoint's own tokenizer.json as the engine's `Tokenizer`. Text is encoded and decoded exactly: no special
 * tokens are added, and spaces before punctuation are never "cleaned up" (transformers 5 does not either), as that
 * would change the text.
 *
 * The library normalizes, splits and merges; added tokens (added-tokens.ts) and decoders (decoders.ts) are this
 * engine's own, because the library treats some of them differently from transformers.
 */
import { join } from "node:path";
import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import { messageOf, shown, UserError } from "../../errors.js";
import type { ChatTemplate, Tokenizer } from "../engine.js";
import { isRecord, parseJson, readIfPresent } from "../files.js";
import { AddedTokens } from "./added-tokens.js";
import { byteLevelPiece } from "./byte-level.js";
import { chatTemplateSource, JinjaChatTemplate } from "./chat-template.js";
import { type DecoderSteps, parseDecoder } from "./decoders.js";
import type { ModelConfig } from "./model-config.js";
import { type PieceOf, PieceStream, StepStream, type TextStream } from "./text-stream.js";

export type { TextStream } from "./text-stream.js";

/** What the model must agree on with its tokenizer. */
type ModelTokens = Pick<ModelConfig, "vocabularySize" | "endTokens">;

/** Fields of tokenizer_config.json that name a token with a role. */
const ROLES = ["bos_token", "eos_token", "unk_token", "pad_token"] as const;

/** What is used of the library's class, whose own declarations do not resolve under Node's module rules. */
interface Library {
  encode(
    text: string,
    options: { add_special_tokens: boolean },
  ): { readonly ids: (number | undefined)[]; readonly tokens: string[] };
  readonly normalizer: ((text: string) => string) | null;
  /** Splits text into words. A section of 0 is the beginning of a text. */
  readonly pre_tokenizer: ((text: string, options: { section_index: number }) => string[]) | null;
  /** Splits words into tokens. */
  readonly model: ((words: string[]) => string[]) & {
    readonly tokens_to_ids: ReadonlyMap<string, number>;
    readonly unk_token_id: number | undefined;
  };
  tokenize(text: string): string[];
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
  get_added_tokens_decoder(): Map<number, { readonly content: string; readonly special: boolean }>;
}

export class CheckpointTokenizer implements Tokenizer {
  readonly startTokens: readonly number[];
  readonly endTokens: readonly number[];
  readonly chat?: ChatTemplate;
  /** What tokenizer_config.json names to fill up batches; null when it names none. */
  readonly padToken: number | null;
  readonly #where: string;
  readonly #library: Library;
  readonly #vocabularySize: number;
  readonly #special: ReadonlySet<string>;
  readonly #addedTokens: AddedTokens;
  /** Null where a token's text depends on its neighbours. */
  readonly #pieceOf: PieceOf | null;
  readonly #decoder: DecoderSteps;

  /**
   * @param tokenizerConfig may be {}
   * @param where the folder, for errors
   * @param chatTemplate content of chat_template.jinja
   * @throws UserError when tokenizer or config cannot be used
   */
  constructor(
    tokenizerJson: unknown,
    tokenizerConfig: unknown,
    model: ModelTokens,
    where: string,
    chatTemplate: string | null = null,
  ) {
    if (!isRecord(tokenizerJson))
      throw new UserError(`expected an object in tokenizer.json of ${where}, got ${shown(tokenizerJson)}`);
    if (!isRecord(tokenizerConfig)) {
      throw new UserError(`expected an object in tokenizer_config.json of ${where}, got ${shown(tokenizerConfig)}`);
    }
    this.#where = where;
    this.#vocabularySize = model.vocabularySize;
    this.#library = this.#ask(() => {
      checkPatterns(tokenizerJson);
      return new LibraryTokenizer(tokenizerJson, tokenizerConfig);
    });
    const roles = new Map(ROLES.map((role) => [role, contentOf(tokenizerConfig[role])]));
    this.#special = this.#specialTokens([...roles.values()], tokenizerConfig);
    const { added_tokens: added, decoder } = tokenizerJson as { added_tokens?: unknown; decoder?: unknown };
    this.#addedTokens = this.#ask(() => new AddedTokens(added, (text) => this.#library.normalizer?.(text) ?? text));
    this.#decoder = this.#ask(() => parseDecoder(decoder));
    this.#pieceOf = this.#pieces(decoder);
    this.startTokens = this.#findStart();
    this.endTokens = this.#findEnds(model.endTokens, roles.get("eos_token"));
    this.padToken = this.#idOf(roles.get("pad_token"));
    const template = chatTemplateSource(chatTemplate, tokenizerConfig);
    if (template !== null) {
      const texts = [...roles].flatMap(([role, text]) => (text === null ? [] : [[role, text] as const]));
      this.chat = new JinjaChatTemplate(template, Object.fromEntries(texts), where);
    }
  }

  /**
   * Reads tokenizer.json and, if there, tokenizer_config.json and chat_template.jinja of the folder `dir`.
   * Throws UserError naming the file.
   */
  static async read(dir: string, model: ModelTokens): Promise<CheckpointTokenizer> {
    const path = join(dir, "tokenizer.json");
    const bytes = await readIfPresent(path);
    if (bytes === null) {
      throw new UserError(
        `expected a tokenizer at ${path}, got none; a checkpoint with tokenizer.model only must be converted: ` +
          "AutoTokenizer.from_pretrained(…).save_pretrained(…) in Python writes tokenizer.json",
      );
    }
    const configPath = join(dir, "tokenizer_config.json");
    const config = await readIfPresent(configPath);
    const template = await readIfPresent(join(dir, "chat_template.jinja"));
    return new CheckpointTokenizer(
      parseJson(bytes, path),
      config === null ? {} : parseJson(config, configPath),
      model,
      dir,
      template === null ? null : new TextDecoder("utf-8", { ignoreBOM: true }).decode(template),
    );
  }

  /** Throws UserError for text that the vocabulary cannot write, and for tokens that the model has no embedding for. */
  encode(text: string): number[] {
    return this.#checked(
      this.#ask(() => this.#encoded(text)),
      text,
    );
  }

  /** Text of `tokens`; special tokens, and ids that only pad the embedding, are left out. */
  decode(tokens: readonly number[]): string {
    const stream = this.stream();
    for (const token of tokens) stream.push(token);
    stream.end();
    return stream.text;
  }

  /** A fresh decoder for one generation, token by token. */
  stream(): TextStream {
    if (this.#pieceOf !== null) return new PieceStream(this.#pieceOf);
    return new StepStream((token) => this.#visibleText(token), this.#decoder());
  }

  #encoded(text: string): { ids: (number | undefined)[]; tokens: string[] } {
    const { pre_tokenizer: words, model } = this.#library;
    const [ids, tokens]: [(number | undefined)[], string[]] = [[], []];
    for (const section of this.#addedTokens.split(text)) {
      if ("token" in section) {
        ids.push(section.token.id);
        tokens.push(section.token.content);
        continue;
      }
      const parts = words === null ? [section.text] : words(section.text, { section_index: section.atStart ? 0 : 1 });
      for (const token of model(parts)) {
        ids.push(model.tokens_to_ids.get(token) ?? model.unk_token_id);
        tokens.push(token);
      }
    }
    return { ids, tokens };
  }

  /** The library does not check tokenizer.json: what it throws, when made or when used, is about a fault there. */
  #ask<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw new UserError(
        `expected a tokenizer this engine can read in tokenizer.json of ${this.#where}, ` +
          `got: ${shown(messageOf(error), 200)}`,
      );
    }
  }

  /** The text that tokenizer.json gives a token; undefined where it gives none. */
  #textOf(token: number): string | undefined {
    const content: unknown = this.#library.id_to_token(token);
    if (content === undefined || typeof content === "string") return content;
    throw new UserError(
      `expected a text for token ${token} in tokenizer.json of ${this.#where}, got ${shown(content)}`,
    );
  }

  /**
   * A token's text as decoders get it; null for special tokens and for ids without text, which transformers leaves out.
   */
  #visibleText(token: number): string | null {
    const content = this.#textOf(token);
    return content === undefined || this.#special.has(content) ? null : content;
  }

  #checked(
    { ids, tokens }: { readonly ids: readonly (number | undefined)[]; readonly tokens: readonly string[] },
    text: string,
  ): number[] {
    return ids.map((id, i) => {
      if (id === undefined) {
        throw new UserError(
          `expected text that the tokenizer of ${this.#where} has tokens for, ` +
            `got ${shown(tokens[i])} in ${shown(text)}`,
        );
      }
      if (!(Number.isSafeInteger(id) && id >= 0 && id < this.#vocabularySize)) {
        throw new UserError(
          `expected tokens below the model's vocabulary size ${this.#vocabularySize}, ` +
            `got ${shown(tokens[i])} = ${shown(id)} in ${shown(text)} from the tokenizer of ${this.#where}`,
        );
      }
      return id;
    });
  }

  #specialTokens(roles: readonly (string | null)[], config: Record<string, unknown>): Set<string> {
    const { additional_special_tokens: additional, extra_special_tokens: extra } = config as Record<
      "additional_special_tokens" | "extra_special_tokens",
      unknown
    >;
    const lists = [additional, extra].flatMap((list) =>
      Array.isArray(list) ? list : isRecord(list) ? Object.values(list) : [],
    );
    const flagged = [...this.#library.get_added_tokens_decoder().values()].filter(({ special }) => special);
    return new Set(
      [...flagged.map(({ content }) => content), ...roles, ...lists.map(contentOf)].filter((token) => token !== null),
    );
  }

  #pieces(decoder: unknown): PieceOf | null {
    const type = isRecord(decoder) ? (decoder as { type?: unknown }).type : null;
    const toBytes =
      type === "ByteLevel" ? byteLevelPiece : type === "Fuse" ? (token: string) => Buffer.from(token) : null;
    if (toBytes === null) return null;
    const none = new Uint8Array(0);
    const known: Uint8Array[] = [];
    return (token) => {
      let piece = known[token];
      if (piece === undefined) {
        const text = this.#visibleText(token);
        piece = text === null ? none : toBytes(text);
        known[token] = piece;
      }
      return piece;
    };
  }

  /**
   * What the tokenizer itself puts before a text: found by looking, as post-processors have many forms. Where there is
   * a tokenizer.json, transformers reads no `add_bos_token` of tokenizer_config.json (5.24,
   * `PreTrainedTokenizerBase._from_pretrained`).
   */
  #findStart(): number[] {
    const bare = this.#ask(() => this.#library.tokenize("a"));
    const { ids, tokens } = this.#ask(() => this.#library.encode("a", { add_special_tokens: true }));
    const start = tokens.findIndex((_, i) => bare.every((token, j) => tokens[i + j] === token));
    return start > 0 ? this.#checked({ ids: ids.slice(0, start), tokens }, "") : [];
  }

  /** The id of a token that the model has an embedding for, else null. */
  #idOf(token: string | null | undefined): number | null {
    const id = token ? this.#library.token_to_id(token) : undefined;
    return id !== undefined && id < this.#vocabularySize ? id : null;
  }

  #findEnds(modelEnds: readonly number[], eos: string | null | undefined): readonly number[] {
    if (modelEnds.length > 0) return modelEnds;
    const id = this.#idOf(eos);
    if (id !== null) return [id];
    throw new UserError(
      "expected an end-of-text token from generation_config.json, config.json (eos_token_id) or " +
        `tokenizer_config.json (eos_token) of ${this.#where}, got none; a generation would never end`,
    );
  }
}

/** A token in tokenizer_config.json is text, or an object with its text. */
function contentOf(token: unknown): string | null {
  const content = isRecord(token) ? (token as { content?: unknown }).content : token;
  return typeof content === "string" ? content : null;
}

/** The library skips a pattern of a form that it does not know, which would give other tokens than transformers. */
function checkPatterns(json: unknown): void {
  if (typeof json !== "object" || json === null) return;
  for (const [key, value] of Object.entries(json)) {
    if (key === "vocab" || key === "merges") continue;
    if (key !== "pattern") checkPatterns(value);
    else if (typeof (isRecord(value) ? (value["Regex"] ?? value["String"]) : value) !== "string") {
      throw new UserError(`a pattern that is neither Regex nor String: ${shown(value)}`);
    }
  }
}
