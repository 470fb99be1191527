/** Random damage and malice, a function of the random source alone. */

/** @typedef {(below: number) => number} Pick a whole number in [0, below) */

/** Texts that numbers, names and places in files may be replaced by. */
const HOSTILE_TEXTS = [
  ...["9e999", "-1", "0", "1e308", "18446744073709551616", "9007199254740993", "4294967296", "2147483648", "0.5", "-0"],
  ...[
    "null",
    "true",
    "{}",
    "[]",
    '""',
    '"\\ud800"',
    "NaN",
    "Infinity",
    '"__proto__"',
    '"constructor"',
    '"../../x"',
    '"/etc/passwd"',
  ],
  ...[
    "{{{{",
    "[[[[",
    "}}",
    "]]",
    '"',
    "\\",
    "\0",
    "\ufeff",
    "&a *a",
    "!!js/function",
    "<<: *a",
    ": :",
    "- - -",
    "\n---\n",
  ],
];

/** @param {Pick} pick */
function hostileValue(pick) {
  const values = [
    ...[null, true, false, 0, -1, 0.5, 1e308, 2 ** 53, 2 ** 32, 2 ** 31, "", "\ud800", "x".repeat(5000), [], {}],
    ...["__proto__", "../../outside", "/etc/passwd", "(a+)+$", "F64", "silu", [[[]]], [0, 0], [-1, 5], [1e300]],
  ];
  const n = pick(values.length + 3);
  if (n < values.length) return values[n];
  if (n === values.length) return Array.from({ length: 500 }, (_, i) => i);
  /** @type {unknown} */
  let nested = 0;
  for (let depth = pick(3000); depth > 0; depth--) nested = n === values.length + 1 ? [nested] : { a: nested };
  return nested;
}

/**
 * A copy of the JSON value with one place in it replaced, removed, doubled or renamed.
 *
 * @param {unknown} value
 * @param {Pick} pick
 * @returns {unknown}
 */
export function mutateJson(value, pick) {
  if (typeof value !== "object" || value === null) return hostileValue(pick);
  const keys = Object.keys(value);
  if (keys.length === 0 || pick(12) === 0) return hostileValue(pick);
  const key = keys[pick(keys.length)] ?? "";
  const inner = /** @type {Record<string, unknown>} */ (value)[key];
  /** @type {any} */
  const copy = Array.isArray(value) ? [...value] : { ...value };
  switch (pick(8)) {
    case 0:
      if (Array.isArray(copy)) copy.splice(Number(key), 1);
      else delete copy[key];
      return copy;
    case 1:
      if (Array.isArray(copy)) copy.splice(Number(key), 0, inner);
      else copy[`${key}${pick(10)}`] = inner;
      return copy;
    case 2:
      copy[keys[pick(keys.length)] ?? ""] = inner;
      return copy;
    case 3:
      copy[key] = hostileValue(pick);
      return copy;
    default:
      copy[key] = mutateJson(inner, pick);
      return copy;
  }
}

/**
 * The bytes with one piece flipped, cut, inserted, doubled or replaced.
 *
 * @param {Buffer} bytes
 * @param {Pick} pick
 */
export function mutateBytes(bytes, pick) {
  const at = pick(bytes.length + 1);
  const length = Math.min(1 + pick(pick(4) === 0 ? 200 : 8), bytes.length - at);
  const [head, piece, tail] = [bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at + length)];
  switch (pick(7)) {
    case 0:
      return Buffer.from(head);
    case 1:
      return Buffer.concat([head, tail]);
    case 2:
      return Buffer.concat([head, piece, piece, tail]);
    case 3:
      return Buffer.concat([head, Buffer.from(HOSTILE_TEXTS[pick(HOSTILE_TEXTS.length)] ?? ""), tail]);
    case 4:
      return Buffer.concat([head, Buffer.from(HOSTILE_TEXTS[pick(HOSTILE_TEXTS.length)] ?? ""), piece, tail]);
    case 5:
      return replacedNumber(bytes, pick);
    default: {
      const copy = Buffer.from(bytes);
      if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << pick(8));
      return copy;
    }
  }
}

/** @param {Buffer} bytes @param {Pick} pick */
function replacedNumber(bytes, pick) {
  const text = bytes.toString("latin1");
  const numbers = [...text.matchAll(/\d+/g)];
  const found = numbers[pick(Math.max(1, numbers.length))];
  if (found === undefined) return bytes;
  const other = HOSTILE_TEXTS[pick(10)] ?? "";
  return Buffer.from(text.slice(0, found.index) + other + text.slice(found.index + found[0].length), "latin1");
}
