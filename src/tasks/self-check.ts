/** Does a task's verifier accept every gold answer, and nothing else? */

import type { Observation, Task } from "./task.js";

export interface SelfCheckReport {
  readonly task: string;
  /** Observations checked: training and test. */
  readonly rows: number;
  /** Of these, rows whose gold answer, written the way the task asks, is judged correct. */
  readonly goldVerified: number;
  /** Other answers, written the same way, that were not judged wrong. */
  readonly wrongAccepted: number;
  /** Observations whose question and options stood in an earlier row of the same split. */
  readonly duplicates: number;
  /** The first few failures in words. */
  readonly failures: readonly string[];
}

const MOST_FAILURES = 20;

/** Answers that must not verify: every other option, the other of yes and no, or numbers close to the gold one. */
function otherAnswers({ answer, options }: Observation): string[] {
  if (options !== undefined) return options.map((option) => option.label).filter((label) => label !== answer);
  if (answer === "yes" || answer === "no") return [answer === "yes" ? "no" : "yes"];
  const integer = /^-?\d+$/.test(answer) ? BigInt(answer) : null;
  if (integer === null) return [`${answer}1`];
  return [integer + 1n, integer - 1n, integer * 10n + 1n, integer === 0n ? 10n : -integer].map(String);
}

/** Writes every gold answer and every other one as completions and judges them. */
export function selfCheck(task: Task): SelfCheckReport {
  const failures: string[] = [];
  const failed = (observation: Observation, answer: string, expected: string, got: string) => {
    if (failures.length < MOST_FAILURES) {
      failures.push(
        `${observation.id}: expected ${expected} for the answer ${answer} (gold ${observation.answer}), got ${got}`,
      );
    }
  };
  let goldVerified = 0;
  let wrongAccepted = 0;
  let duplicates = 0;
  for (const split of [task.train, task.test]) {
    const seen = new Set<string>();
    for (const observation of split) {
      const prompt = task.format.prompt(observation);
      if (seen.has(prompt)) duplicates++;
      seen.add(prompt);
      const judged = (answer: string) => task.verifier.judge(task.format.completion("", answer), observation);
      const gold = judged(observation.answer);
      if (gold.strict === "correct" && gold.lenient === "correct") goldVerified++;
      else failed(observation, observation.answer, "correct", gold.strict);
      for (const answer of otherAnswers(observation)) {
        const other = judged(answer);
        if (other.strict === "wrong" && other.lenient === "wrong") continue;
        wrongAccepted++;
        failed(observation, answer, "wrong", other.strict);
      }
    }
  }
  return {
    task: task.name,
    rows: task.train.length + task.test.length,
    goldVerified,
    wrongAccepted,
    duplicates,
    failures,
  };
}
