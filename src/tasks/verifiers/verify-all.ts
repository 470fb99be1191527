/** Many outputs verified, without holding up the process. */

import type { Observation, Verdict, Verifier } from "../task.js";

/** An output and what it answers. */
export interface Answered {
  readonly output: string;
  readonly observation: Pick<Observation, "answer" | "options">;
}

/** Milliseconds after which others get a turn. */
const TURN = 50;

/**
 * The verdict on each, in order. Whatever else the process does (signals, a display) goes on in between, so that no
 * verifier holds it up for longer than one output takes.
 */
export async function verifyAll(verifier: Verifier, rows: readonly Answered[]): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  let turn = performance.now() + TURN;
  for (const { output, observation } of rows) {
    verdicts.push(verifier.verify(output, observation));
    if (performance.now() < turn) continue;
    await new Promise((resolve) => setImmediate(resolve));
    turn = performance.now() + TURN;
  }
  return verdicts;
}
