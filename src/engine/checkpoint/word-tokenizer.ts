/**
 * A tokenizer whose tokens are literal strings, in the form that transformers and @huggingface/tokenizers both load.
 */
import { shown, UserError } from "../../errors.js";

export interface SpecialTokens {
  /** Ends every generation. */
  readonly end: string;
  /** Fills up batches; `end` serves where it is left out. */
  readonly pad?: string;
  /** Stands for text that no token can write; where it is left out, such text is an error. */
  readonly unknown?: string;
}

export interface WordTokenizer {
  readonly tokenizerJson: Record<string, unknown>;
  readonly tokenizerConfig: Record<string, unknown>;
  readonly endToken: number;
  readonly vocabularySize: number;
}

/**
 * A tokenizer that reads a text from left to right, always taking the longest of `tokens` that fits, and writes a
 * sequence as the concatenation of its tokens. Ids: the special tokens first (end, pad, unknown), then `tokens` in
 * their order.
 *
 * The tokens are one alternation, longest first, of a Split pre-tokenizer; what it isolates is looked up whole
 * (WordLevel). Throws UserError for a token that is empty or given twice.
 */
export function wordTokenizer(tokens: readonly string[], special: SpecialTokens): WordTokenizer {
  const specials = [special.end, special.pad, special.unknown].filter((token) => token !== undefined);
  const vocabulary = [...specials, ...tokens];
  const ids = new Map<string, number>();
  for (const [id, token] of vocabulary.entries()) {
    if (token === "") throw new UserError("expected tokens of at least one character, got an empty one");
    if (ids.has(token)) throw new UserError(`expected every token once, got ${shown(token)} twice`);
    ids.set(token, id);
  }
  const longestFirst = tokens.toSorted((a, b) => b.length - a.length);
  const tokenizerJson = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: specials.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: {
      type: "Split",
      pattern: { Regex: longestFirst.map(escapedForRegex).join("|") },
      behavior: "Isolated",
      invert: false,
    },
    post_processor: null,
    decoder: { type: "Fuse" },
    // The format demands a name here; one outside the vocabulary makes unknown text an error in transformers too.
    model: { type: "WordLevel", vocab: Object.fromEntries(ids), unk_token: special.unknown ?? unusedName(ids) },
  };
  const tokenizerConfig = {
    tokenizer_class: "PreTrainedTokenizerFast",
    eos_token: special.end,
    pad_token: special.pad ?? special.end,
    ...(special.unknown === undefined ? {} : { unk_token: special.unknown }),
    clean_up_tokenization_spaces: false,
  };
  return { tokenizerJson, tokenizerConfig, endToken: 0, vocabularySize: vocabulary.length };
}

/** Escapes what is special in both engines' patterns (Oniguruma and ECMAScript). */
function escapedForRegex(token: string): string {
  return token.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function unusedName(ids: ReadonlyMap<string, number>): string {
  let name = "<unknown>";
  while (ids.has(name)) name = `<${name}>`;
  return name;
}
