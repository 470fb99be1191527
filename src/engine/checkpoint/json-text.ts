/**
 * JSON text with one value changed and all else as it was. Parsing and writing anew would turn 30.0 into 30, and
 * transformers refuses a whole number where a field is a float.
 */

/**
 * `text` with `value` for the top-level key `key`: in its place where it has one, else first. `text` holds an object.
 */
export function withTopLevelText(text: string, key: string, value: string): string {
  const literal = JSON.stringify(value);
  const span = topLevelString(text, key);
  if (span !== null) return text.slice(0, span.begin) + literal + text.slice(span.end);
  const open = text.indexOf("{") + 1;
  const comma = text.slice(open).trimStart().startsWith("}") ? "" : ",";
  return `${text.slice(0, open)}\n  ${JSON.stringify(key)}: ${literal}${comma}${text.slice(open)}`;
}

/** Strings, brackets and scalars, and the colons between keys and values; white space and commas mean nothing here. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:]|[^\s"{}[\]:,]+/gs;

/** Where the string or scalar value of a top-level key stands; the last one counts, as for JSON.parse. */
function topLevelString(text: string, key: string): { readonly begin: number; readonly end: number } | null {
  let depth = 0;
  let last: string | null = null;
  let named = false;
  let found: { begin: number; end: number } | null = null;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === ":") {
      named = depth === 1 && last === JSON.stringify(key);
      continue;
    }
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    else if (named) found = { begin: index, end: index + token.length };
    named = false;
    last = token;
  }
  return found;
}
