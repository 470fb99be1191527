import type { Tokenizer } from "../engine.js";

/** End of text: the first number that is not a Unicode code point. */
export const END_TOKEN = 0x11_0000;

/** Every code point and end of text. */
export const VOCABULARY_SIZE = END_TOKEN + 1;

/** Few enough for the arguments of one call. */
const CHUNK = 4_096;

/** A token is a Unicode code point, so any text can be encoded and decoded without loss. */
export const codePointTokenizer: Tokenizer = {
  encode(text) {
    const tokens: number[] = [];
    for (let i = 0; i < text.length; i++) {
      const codePoint = text.codePointAt(i) as number;
      tokens.push(codePoint);
      if (codePoint > 0xffff) i++;
    }
    return tokens;
  },
  decode(tokens) {
    let text = "";
    for (let start = 0; start < tokens.length; start += CHUNK) {
      const chunk = tokens.slice(start, start + CHUNK).filter((token) => token !== END_TOKEN);
      text += String.fromCodePoint(...chunk);
    }
    return text;
  },
  startTokens: [],
  endTokens: [END_TOKEN],
};
