/**
 * What a judge's verdicts on a run's rationales come to, and how well they agree with the program that checks steps.
 */

import { type Agreement, agreementOf } from "../../statistics/agreement.js";
import type { Interval } from "../../statistics/intervals.js";
import { wilsonInterval } from "../../statistics/proportion.js";
import type { JudgedRationale, Judging } from "./judge.js";
import type { LoggedVerdict } from "./log.js";

/** Tokens, as endpoints report them. */
export interface JudgeTokens {
  readonly prompt: number;
  readonly completion: number;
  /** How many of the replies reported their tokens. */
  readonly told: number;
  readonly replies: number;
}

export interface JudgeRow {
  readonly iteration: number;
  /** Correct training samples, and how many of them the judge was to see. */
  readonly correct: number;
  readonly chosen: number;
  /** With a verdict. */
  readonly judged: number;
  readonly flawed: number;
  /** Replies without a verdict, and those of them that the limit of tokens cut. */
  readonly none: number;
  readonly cut: number;
  readonly failed: number;
  /**
   * Share of flawed ones among those with a verdict, in [0, 1], and its 95 % interval; null without any, and of a
   * balanced choice, which is not the run's.
   */
  readonly rate: number | null;
  readonly interval: Interval | null;
  /** Of different replies: what several samples share is counted for the first of them. */
  readonly tokens: JudgeTokens;
}

export interface JudgeReport extends Pick<Judging, "model" | "prompt" | "balanced" | "log" | "rationales"> {
  readonly rows: readonly JudgeRow[];
  /**
   * The judge (tested) beside the program (reference), yes being flawed, over all samples with a verdict; null where
   * the task does not check steps.
   */
  readonly agreement: Agreement | null;
  /** Replies of this time; the others were in the log. */
  readonly asked: JudgeTokens;
}

export function judgeReport(judging: Judging): JudgeReport {
  const { model, prompt, balanced, log, checked, iterations, rationales, asked } = judging;
  const counted = new Set<string>();
  const rows = iterations.map(({ iteration, correct }): JudgeRow => {
    const own = rationales.filter((rationale) => rationale.iteration === iteration);
    const replies = own.flatMap(({ outcome }) => ("verdict" in outcome ? [outcome] : []));
    const judged = replies.filter(({ verdict }) => verdict !== "none").length;
    const flawed = replies.filter(({ verdict }) => verdict === "flawed").length;
    const fresh = replies.filter(({ key }) => !counted.has(key) && counted.add(key));
    return {
      iteration,
      correct,
      chosen: own.length,
      judged,
      flawed,
      none: replies.length - judged,
      cut: replies.filter(({ verdict, finish }) => verdict === "none" && finish === "length").length,
      failed: own.length - replies.length,
      rate: balanced || judged === 0 ? null : flawed / judged,
      interval: balanced ? null : wilsonInterval(flawed, judged),
      tokens: tokensOf(fresh),
    };
  });
  const agreement = checked ? agreementWithProgram(rationales) : null;
  return { model, prompt, balanced, log, rows, agreement, asked: tokensOf(asked), rationales };
}

function agreementWithProgram(rationales: readonly JudgedRationale[]): Agreement {
  const pairs = rationales.flatMap(({ sample: { wrongStep }, outcome }) =>
    "verdict" in outcome && outcome.verdict !== "none" && wrongStep !== undefined
      ? [{ judge: outcome.verdict === "flawed", program: wrongStep !== null }]
      : [],
  );
  const count = (judge: boolean, program: boolean) =>
    pairs.filter((pair) => pair.judge === judge && pair.program === program).length;
  return agreementOf({
    both: count(true, true),
    onlyTested: count(true, false),
    onlyReference: count(false, true),
    neither: count(false, false),
  });
}

function tokensOf(replies: readonly LoggedVerdict[]): JudgeTokens {
  const told = replies.filter(
    ({ promptTokens, completionTokens }) => promptTokens !== null || completionTokens !== null,
  );
  const sum = (of: (reply: LoggedVerdict) => number | null) =>
    told.reduce((total, reply) => total + (of(reply) ?? 0), 0);
  return {
    prompt: sum(({ promptTokens }) => promptTokens),
    completion: sum(({ completionTokens }) => completionTokens),
    told: told.length,
    replies: replies.length,
  };
}
