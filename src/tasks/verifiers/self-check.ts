/** Does a task's verifier accept every gold answer, and nothing else? */

import type { Observation, Task } from "../task.js";

type SplitName = "train" | "test";

export interface SelfCheckReport {
  readonly task: string;
  /** Observations checked: training and test. */
  readonly rows: number;
  /** Of these, rows whose gold answer, written the way the task asks, verifies. */
  readonly goldVerified: number;
  /** Other answers, written the same way, that were not found wrong. */
  readonly wrongAccepted: number;
  /** Observations whose question and options stood in an earlier row of the same split. */
  readonly duplicates: number;
  /** The same for each split. */
  readonly duplicatesOf: Readonly<Record<SplitName, number>>;
  /** Test observations whose question and options are in the training set as well. */
  readonly testInTrain: number;
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

/** Writes every gold answer and every other one as completions and verifies them. */
export function selfCheck(task: Task): SelfCheckReport {
  const verified = verifyAnswers(task);
  const inTrain = new Set<string>();
  const duplicatesOf = { train: countRepeated(task, "train", inTrain), test: countRepeated(task, "test", new Set()) };
  return {
    task: task.name,
    rows: task.train.length + task.test.length,
    ...verified,
    duplicates: duplicatesOf.train + duplicatesOf.test,
    duplicatesOf,
    testInTrain: task.test.filter((observation) => inTrain.has(keyOf(task, observation))).length,
  };
}

function verifyAnswers(task: Task): Pick<SelfCheckReport, "goldVerified" | "wrongAccepted" | "failures"> {
  const { format, verifier } = task;
  const failures: string[] = [];
  let goldVerified = 0;
  let wrongAccepted = 0;
  for (const split of ["train", "test"] as const) {
    for (const [index, observation] of task[split].entries()) {
      const verify = (answer: string) => verifier.verify(format.completion("", answer), observation);
      const failed = (answer: string, expected: string, got: string) => {
        if (failures.length >= MOST_FAILURES) return;
        const where = task.source?.where(split, index) ?? `${split}[${index}]`;
        failures.push(
          `${where} (${observation.id}): expected ${expected} for the answer ${answer} (gold ${observation.answer}), got ${got}`,
        );
      };
      const gold = verify(observation.answer);
      if (gold.strict === "correct" && gold.lenient === "correct") goldVerified++;
      else failed(observation.answer, "correct", gold.failure ?? `strict ${gold.strict}, lenient ${gold.lenient}`);
      for (const answer of otherAnswers(observation)) {
        const other = verify(answer);
        if (other.strict === "wrong" && other.lenient === "wrong") continue;
        wrongAccepted++;
        failed(answer, "wrong", `strict ${other.strict}, lenient ${other.lenient}`);
      }
    }
  }
  return { goldVerified, wrongAccepted, failures };
}

/** Observations of the split that ask what an earlier one asked; what they ask is added to `seen`. */
function countRepeated(task: Task, split: SplitName, seen: Set<string>): number {
  for (const observation of task[split]) seen.add(keyOf(task, observation));
  return task[split].length - seen.size;
}

/**
 * What makes a question the same: its text, and its options where it has any. Without options no further text is kept
 * in memory.
 */
function keyOf({ format }: Task, observation: Observation): string {
  return observation.options === undefined ? observation.question : format.prompt(observation);
}
