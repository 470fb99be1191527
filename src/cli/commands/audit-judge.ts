/** The options of `adastar audit` that have a language model judge rationales, and how its verdicts are printed. */

import { type Command, Option } from "commander";
import { ChatClient } from "../../analysis/rationale-judge/client.js";
import { type JudgeProgress, judgeRun } from "../../analysis/rationale-judge/judge.js";
import {
  type JudgeReport,
  type JudgeRow,
  type JudgeTokens,
  judgeReport,
} from "../../analysis/rationale-judge/report.js";
import { UserError } from "../../errors.js";
import { ABSENT, formatCount, formatFixed, formatPercent } from "../../report/format.js";
import { renderText } from "../../report/tables.js";
import type { Interval } from "../../statistics/intervals.js";
import { print, say } from "../output.js";
import { numberIn, wholeNumber } from "../parsers.js";
import { listenForStop } from "../stop-signals.js";

export interface JudgeFlags {
  readonly judge?: string;
  readonly judgeModel?: string;
  readonly judgeSamples?: number;
  readonly judgeBalanced?: boolean;
  readonly judgeConcurrency?: number;
  readonly judgeMaxTokens?: number;
  readonly judgeTimeout?: number;
  readonly judgeKeyEnv?: string;
  readonly judgeLog?: string;
}

/** fetch waits this long for the beginning of an answer, in seconds. */
const MAX_TIMEOUT = 300;

export function addJudgeOptions(command: Command): Command {
  const options = [
    new Option("--judge <url>", "Have a model behind this OpenAI-compatible endpoint check rationales"),
    new Option("--judge-model <name>", "The model, as the endpoint calls it"),
    new Option("--judge-samples <n>", "Correct samples of each iteration, chosen at random (100)").argParser(
      wholeNumber(1),
    ),
    new Option("--judge-balanced", "Half of them with a wrong step, where a program checks steps: for agreement"),
    new Option("--judge-concurrency <n>", "Requests at a time (4)").argParser(wholeNumber(1)),
    new Option("--judge-max-tokens <n>", "Longest reply, in tokens (1024)").argParser(wholeNumber(1)),
    new Option("--judge-timeout <seconds>", "Longest wait for a reply, up to 300 (120)").argParser(
      numberIn(Number.MIN_VALUE, MAX_TIMEOUT),
    ),
    new Option("--judge-key-env <name>", "Environment variable with the API key (OPENAI_API_KEY, if set)"),
    new Option("--judge-log <path>", "File that keeps the verdicts (DIR-judged-MODEL.jsonl, beside the run)"),
  ];
  for (const option of options) command.addOption(option);
  return command;
}

/**
 * The report that the options ask for; undefined if they ask for none; null if a signal ended the work, with the exit
 * code set. Throws UserError for options that contradict each other, and for errors of the judge.
 */
export async function judgedAsAsked(
  dir: string,
  flags: JudgeFlags,
  iteration: number | undefined,
): Promise<JudgeReport | null | undefined> {
  const { judge: url, judgeModel: model } = flags;
  if (url === undefined) {
    const [stray] = Object.keys(flags).filter((name) => name.startsWith("judge"));
    if (stray === undefined) return undefined;
    const flag = `--${stray.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new UserError(`${flag}: expected --judge URL beside it, got none`);
  }
  if (model === undefined) {
    throw new UserError("--judge: expected --judge-model NAME beside it, the model as the endpoint calls it, got none");
  }
  const client = new ChatClient({ url, model, keyVariable: flags.judgeKeyEnv, timeout: flags.judgeTimeout });
  const stop = listenForStop((name) => say(`${name}: open requests are cancelled; a second one ends at once`));
  try {
    const judging = await judgeRun(dir, client, {
      iteration,
      samples: flags.judgeSamples,
      balanced: flags.judgeBalanced,
      concurrency: flags.judgeConcurrency,
      maxTokens: flags.judgeMaxTokens,
      log: flags.judgeLog,
      signal: stop.signal,
      onProgress: progressReporter(client),
    });
    return judgeReport(judging);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    say("Stopped. Verdicts so far are kept, and the same command continues.");
    process.exitCode = stop.exitCode ?? 0;
    return null;
  } finally {
    stop.dispose();
  }
}

/** Reports what is to be done, and then every tenth of it. */
function progressReporter({ model, address, keyVariable }: ChatClient): (progress: JudgeProgress) => void {
  return ({ log, passedOver, questions, reused, done }) => {
    const open = questions - reused;
    const tenths = (count: number) => Math.floor((10 * count) / open);
    if (done === 0) {
      if (passedOver > 0) say(`${log}: lines that are not complete verdicts, ignored: ${formatCount(passedOver)}`);
      const known = reused === 0 ? "" : `; verdicts already in ${log}: ${formatCount(reused)}`;
      const key = keyVariable === null ? "without an API key" : `with the API key in ${keyVariable}`;
      say(`Questions to ${model} at ${address}, ${key}: ${formatCount(open)}${known}`);
    } else if (tenths(done) > tenths(done - 1)) {
      say(`${formatCount(done)} of ${formatCount(open)} done`);
    }
  };
}

/** The report as JSON, without the texts of samples, which the run's files have. */
export function plainReport({ rationales, ...report }: JudgeReport) {
  return {
    ...report,
    verdicts: rationales.map(({ iteration, sample: { id, attempt, wrongStep }, outcome }) => ({
      iteration,
      id,
      attempt,
      wrongStep,
      ...("failed" in outcome
        ? { verdict: null, failed: outcome.failed }
        : { verdict: outcome.verdict, finish: outcome.finish, reply: outcome.reply }),
    })),
  };
}

export function printReport(report: JudgeReport, limit: number): void {
  const { model, rows, log, agreement, balanced, asked, rationales } = report;
  print(`\nRight answers whose rationales ${model} calls flawed`);
  if (rationales.length === 0) {
    print(
      balanced
        ? "There are no samples with a wrong step beside samples without one."
        : "There are no correct training samples.",
    );
    return;
  }
  print(ratesTable(rows));
  const total = (of: (row: JudgeRow) => number) => rows.reduce((sum, row) => sum + of(row), 0);
  const [none, cut, failed] = [total((row) => row.none), total((row) => row.cut), total((row) => row.failed)];
  if (balanced)
    print(
      "Half of the samples were chosen for a wrong step (--judge-balanced), so these are not the rates of the run.",
    );
  if (none > 0) {
    const why = cut === 0 ? "" : `; cut by the token limit (--judge-max-tokens): ${formatCount(cut)}`;
    print(`Replies without a verdict, not counted: ${formatCount(none)}${why}.`);
  }
  if (failed > 0) {
    const reason = rationales.flatMap(({ outcome }) => ("failed" in outcome ? [outcome.failed] : []))[0];
    print(`Could not be judged: ${formatCount(failed)}; the same command asks again. The first: ${reason}`);
  }
  print(`${tokensText(asked)} Verdicts are kept in ${log}.`);
  if (agreement !== null) print(`\n${agreementText(report, agreement)}`);
  printFlawed(report, limit);
}

function ratesTable(rows: readonly JudgeRow[]): string {
  const columns: readonly [header: string, value: (row: JudgeRow) => string][] = [
    ["iteration", (row) => String(row.iteration)],
    ["correct", (row) => formatCount(row.correct)],
    ["chosen", (row) => formatCount(row.chosen)],
    ["judged", (row) => formatCount(row.judged)],
    ["flawed", (row) => formatCount(row.flawed)],
    ["no verdict", (row) => formatCount(row.none)],
    ["failed", (row) => formatCount(row.failed)],
    ["rate", (row) => formatPercent(row.rate)],
    ["95 % interval", (row) => intervalText(row.interval)],
    ["tokens", ({ tokens }) => (tokens.told === 0 ? ABSENT : formatCount(tokens.prompt + tokens.completion))],
  ];
  return renderText({
    columns: columns.map(([header]) => ({ header, align: "right" })),
    rows: rows.map((row) => columns.map(([, value]) => value(row))),
  });
}

function agreementText({ model, balanced }: JudgeReport, agreement: NonNullable<JudgeReport["agreement"]>): string {
  const { both, onlyTested, onlyReference, neither, compared, agreeing, interval, kappa, recall, precision } =
    agreement;
  const mix = balanced
    ? "on a mix in which half have a wrong step: precision, kappa and agreement hold for that mix"
    : "on the samples above; where wrong steps are rare, use --judge-balanced";
  const table = renderText({
    columns: [{ header: "" }, { header: "judge: flawed", align: "right" }, { header: "judge: sound", align: "right" }],
    rows: [
      ["program: a wrong step", formatCount(both), formatCount(onlyReference)],
      ["program: all right", formatCount(onlyTested), formatCount(neither)],
    ],
  });
  return [
    `${model} compared with the program that checks steps, ${mix}`,
    table,
    `Agree on ${formatPercent(agreeing)} of ${formatCount(compared)} (95 % interval ${intervalText(interval)}), Cohen's kappa ${formatFixed(kappa, 2)}.`,
    `Recall ${formatPercent(recall)}: the share of rationales with a wrong step that the judge calls flawed.`,
    `Precision ${formatPercent(precision)}: the share of rationales called flawed that have a wrong step.`,
  ].join("\n");
}

/** Characters of a reply that are shown: its end has the reasons. */
const SHOWN = 240;

function printFlawed({ rationales }: JudgeReport, limit: number): void {
  const flawed = rationales.flatMap(({ iteration, sample, outcome }) =>
    "verdict" in outcome && outcome.verdict === "flawed" ? [{ iteration, sample, reply: outcome.reply }] : [],
  );
  if (flawed.length === 0) return;
  const more = limit < flawed.length ? `, the first ${formatCount(limit)} (--limit)` : "";
  print(`\nFlawed by the judge: ${formatCount(flawed.length)}${more}`);
  for (const { iteration, sample, reply } of flawed.slice(0, limit)) {
    const step = typeof sample.wrongStep === "number" ? `; the program finds step ${sample.wrongStep + 1} wrong` : "";
    const line = JSON.stringify(reply.trimEnd()).slice(1, -1);
    print(`  iteration ${iteration}, train ${sample.id}, try ${sample.attempt}${step}`);
    print(`    ${line.length <= SHOWN ? line : `…${line.slice(1 - SHOWN)}`}`);
  }
}

function intervalText(interval: Interval | null): string {
  return interval === null ? ABSENT : `${formatPercent(interval.low)} to ${formatPercent(interval.high)}`;
}

function tokensText({ prompt, completion, told, replies }: JudgeTokens): string {
  if (replies === 0) return "No requests were needed.";
  const of = told === replies ? "" : ` in the ${formatCount(told)} that report them`;
  const tokens =
    told === 0
      ? "the endpoint does not report their tokens"
      : `${formatCount(prompt)} tokens of prompts and ${formatCount(completion)} of replies${of}`;
  return `New replies: ${formatCount(replies)}, ${tokens}.`;
}
