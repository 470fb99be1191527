/**
 * A custom verifier: the answer must be right, and so must every calculation on the way. Use it with any task
 * whose answers are whole numbers, or on outputs that you have already:
 *
 *     adastar run --config examples/own-data/run.yaml --verifier examples/own-verifier.mjs --model DIR
 *     adastar grade --verifier examples/own-verifier.mjs outputs.jsonl
 *
 * It runs in a thread of its own. What it throws, and whatever takes longer than --verifier-timeout (1 s), counts as
 * wrong for that output and is listed by `adastar audit`.
 */

const STEP = /(-?[\d,]+) ([-+*/]) (-?[\d,]+) = (-?[\d,]+)/g;
const ANSWER = /The answer is (-?[\d,]+)/g;

const OPERATIONS = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
};

const number = (text) => Number(text.replaceAll(",", ""));

/**
 * @param {string} output what the model wrote after the prompt
 * @param {{ answer: string, id?: string, question?: string, options?: { label: string, text: string }[] }} observation
 * @returns {boolean | string | null | { strict: string, lenient?: string, extracted?: string | null }} also as a
 * promise
 */
export function verify(output, observation) {
  const stated = [...output.matchAll(ANSWER)].at(-1)?.[1];
  if (stated === undefined) return null;
  const extracted = String(number(stated));
  const lenient = extracted === observation.answer ? "correct" : "wrong";
  const soundSteps = [...output.matchAll(STEP)].every(
    ([, a, operation, b, result]) => OPERATIONS[operation](number(a), number(b)) === number(result),
  );
  return { strict: soundSteps ? lenient : "wrong", lenient, extracted };
}

/**
 * Optional: the gold answer as `verify` will see it. Throws for one that it cannot check, so that no row is counted
 * wrong for ever.
 */
export function canonical(answer) {
  const value = number(answer);
  if (!Number.isSafeInteger(value)) throw new Error("expected a whole number");
  return String(value);
}
