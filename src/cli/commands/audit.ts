import { Command, Option } from "commander";
import {
  type Audit,
  type AuditCounts,
  type AuditFinding,
  attemptOf,
  auditRun,
  type Split,
} from "../../analysis/audit.js";
import { UserError } from "../../errors.js";
import { formatCount, formatPercent } from "../../report/format.js";
import { renderText } from "../../report/tables.js";
import { print, printJson } from "../output.js";
import { wholeNumber } from "../parsers.js";
import { addJudgeOptions, type JudgeFlags, judgedAsAsked, plainReport, printReport } from "./audit-judge.js";

interface Options extends JudgeFlags {
  readonly iteration?: number;
  readonly split?: Split;
  readonly limit: number;
  readonly json?: boolean;
}

/** Characters of an output's end that are shown. */
const END = 160;

export function auditCommand(): Command {
  const command = new Command("audit")
    .description(
      "List the samples that a run's verifiers disagree on; with --judge, have a model check rationales. Changes nothing in the run directory.",
    )
    .argument("<dir>", "The run directory")
    .addOption(new Option("--iteration <n>", "Only this iteration; 0 is the base model").argParser(wholeNumber(0)))
    .addOption(
      new Option("--split <name>", "Only samples for training, or answers to the test set").choices(["train", "test"]),
    )
    .addOption(
      new Option("--limit <n>", "List at most so many samples of each kind").argParser(wholeNumber(0)).default(20),
    )
    .option("--json", "Counts and samples as one line of JSON")
    .addHelpText(
      "after",
      `
Three kinds of samples are listed: the strict and the lenient reading differ; a right answer after a wrong step, if the task checks steps;
a custom verifier failed.

With --judge, a language model reads the rationales of correct training samples and says whether every step is sound. Requests go to
POST URL/chat/completions at temperature 0: vLLM, the servers of llama.cpp and Ollama, transformers serve, hosted services. Verdicts are kept:
a stopped audit continues, and a repeated one asks nothing. If the task checks steps by program, the judge is compared with the program.
The API key is read from an environment variable, and is never shown or stored.

Examples:
  $ adastar audit runs/my-run
  $ adastar audit runs/my-run --iteration 2 --split train --limit 100 --json
  $ adastar audit runs/my-run --judge http://localhost:8000/v1 --judge-model Qwen/Qwen3-8B
  $ adastar audit runs/my-run --judge https://api.example.com/v1 --judge-model NAME --judge-key-env MY_KEY --judge-balanced`,
    )
    .action(async (dir: string, { limit, json, iteration, split, ...flags }: Options) => {
      if (flags.judge !== undefined && split === "test") {
        throw new UserError("--judge: expected training samples, got --split test; leave it out");
      }
      const audit = auditRun(dir, { iteration, split });
      const judged = await judgedAsAsked(dir, flags, iteration);
      if (judged === null) return;
      const listed = KINDS.map(({ kind, title }) => {
        const findings = audit.findings.filter((finding) => finding.kind === kind);
        return { title, total: findings.length, findings: findings.slice(0, limit) };
      });
      if (json) {
        const findings = listed.flatMap((group) => group.findings.map(plainFinding));
        return printJson({
          accept: audit.accept,
          counts: audit.counts,
          found: audit.findings.length,
          findings,
          ...(judged === undefined ? {} : { judge: plainReport(judged) }),
        });
      }
      print(countsTable(audit));
      for (const { title, total, findings } of listed) {
        if (total === 0) continue;
        const more = findings.length < total ? `, the first ${formatCount(findings.length)} (--limit)` : "";
        print(`\n${title}: ${formatCount(total)}${more}`);
        for (const finding of findings) print(findingText(finding));
      }
      if (judged !== undefined) printReport(judged, limit);
    });
  return addJudgeOptions(command);
}

const KINDS = [
  { kind: "disagreement", title: "Strict and lenient differ" },
  { kind: "wrong step", title: "Right answer after a wrong step" },
  { kind: "failure", title: "The verifier failed" },
] as const satisfies readonly { kind: AuditFinding["kind"]; title: string }[];

/** The split, with the kind of evaluation unless it is the default one. */
function splitText({ split, evaluation }: Pick<AuditFinding, "split" | "evaluation">): string {
  return evaluation === null || evaluation === "zero-shot" ? split : `${split} (${evaluation})`;
}

function plainFinding({ kind, iteration, split, evaluation, sample }: AuditFinding) {
  const { id, gold, extracted, strict, lenient, stop, wrongStep, failure, text } = sample;
  const attempt = attemptOf(sample);
  return {
    kind,
    iteration,
    split,
    evaluation,
    id,
    attempt,
    gold,
    extracted,
    strict,
    lenient,
    stop,
    wrongStep,
    failure,
    end: endOf(text),
  };
}

function countsTable({ accept, counts }: Audit): string {
  const columns: readonly [header: string, value: (row: AuditCounts) => string][] = [
    ["iteration", (row) => String(row.iteration)],
    ["split", splitText],
    ["samples", (row) => formatCount(row.samples)],
    ["strict", (row) => formatPercent(row.strict / row.samples)],
    ["lenient", (row) => formatPercent(row.lenient / row.samples)],
    ["differ", (row) => formatCount(row.disagreements)],
    ["none", (row) => formatCount(row.none)],
    ["unfinished", (row) => formatCount(row.unfinished)],
    ["wrong steps", (row) => (row.wrongSteps === null ? "–" : formatCount(row.wrongSteps))],
    ["failed", (row) => formatCount(row.failures)],
  ];
  const table = renderText({
    columns: columns.map(([header]) => ({ header, align: header === "split" ? "left" : "right" })),
    rows: counts.map((row) => columns.map(([, value]) => value(row))),
  });
  return `${table}\nThis run accepts ${accept} answers.`;
}

function findingText(finding: AuditFinding): string {
  const { iteration, sample } = finding;
  const attempt = attemptOf(sample);
  const { id, gold, extracted, strict, lenient, wrongStep, failure, text } = sample;
  const place = `iteration ${iteration}, ${splitText(finding)} ${id}${attempt === null ? "" : `, try ${attempt}`}`;
  const verdict = failure ?? `gold ${gold}, found ${extracted ?? "nothing"}: strict ${strict}, lenient ${lenient}`;
  const step = typeof wrongStep === "number" ? `; step ${wrongStep + 1} is wrong` : "";
  return `  ${place}: ${verdict}${step}\n    ${endOf(text)}`;
}

/** The end of an output on one line. */
function endOf(text: string): string {
  const line = JSON.stringify(text.trimEnd()).slice(1, -1);
  return line.length <= END ? line : `…${line.slice(1 - END)}`;
}
