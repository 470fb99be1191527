import { Command } from "commander";
import { UserError } from "../../errors.js";
import { formatCount } from "../../report/format.js";
import { lengthTable } from "../../report/length-table.js";
import { renderPairs, renderText } from "../../report/tables.js";
import { loadConfig } from "../../run/config/config.js";
import { keysReadBy } from "../../run/config/fields.js";
import { checkTask, type TaskCheck } from "../../run/oneshot/check-task.js";
import { taskOptionKeys } from "../../tasks/task-options.js";
import { addConfigOptions, statedSettings } from "../config-options.js";
import { print, printJson, say } from "../output.js";

/** The settings that decide a task's observations and prompts. The task itself is the command's argument. */
const SETTINGS = [...taskOptionKeys.filter((key) => key !== "task"), ...keysReadBy("tasks check")];

export function tasksCheckCommand(): Command {
  const command = new Command("check")
    .description("Load a task's data and check it: every gold answer must verify, and no other answer may.")
    .argument("<task>", "Name of the task; jsonl for custom data")
    .option("--json", 'One line of JSON: {"task","rows","goldVerified","wrongAccepted","duplicates"}')
    .addHelpText(
      "after",
      `
Examples:
  $ adastar tasks check gsm8k                                  its data set on the Hugging Face hub
  $ adastar tasks check svamp --data DIR --model DIR           lengths in the model's tokens, against its context
  $ adastar tasks check jsonl --data train.csv --eval test.csv --verifier number

Exit code 2 if anything must be fixed before a run.`,
    )
    .action(async (task: string, options: Readonly<Record<string, unknown>> & { json?: boolean }) => {
      const { config } = loadConfig({ flags: { ...statedSettings(options), task } });
      const check = await checkTask(config);
      if (!options.json) print(description(check));
      for (const failure of [...check.refused, ...check.report.failures]) say(failure);
      if (options.json) {
        const { report } = check;
        const { rows, goldVerified, wrongAccepted, duplicates } = report;
        printJson({ task: report.task, rows, goldVerified, wrongAccepted, duplicates });
      }
      if (check.problems.length > 0) {
        throw new UserError(`expected task ${task} to be ready for a run, got: ${check.problems.join("; ")}`);
      }
    });
  return addConfigOptions(command, SETTINGS);
}

function description(check: TaskCheck): string {
  const { lengths, prompts } = check;
  const parts = [renderPairs(facts(check)), `Zero-shot prompts by length, in ${lengths.unit}`];
  parts.push(renderText(lengthTable(lengths), process.stdout.columns));
  if (lengths.unit === "words") {
    parts.push("The starter model cannot write this task's texts. Give --model for lengths in its tokens.");
  }
  if (prompts !== null) {
    parts.push(heading("zero-shot prompt"), prompts.zeroShot);
    parts.push(heading("with worked examples"), prompts.fewShot);
    parts.push(heading("with worked examples and the answer as a hint"), prompts.hinted);
  }
  return parts.join("\n\n");
}

function facts({ report, counts, source, notices, lengths }: TaskCheck): (readonly [label: string, value: string])[] {
  const count = formatCount;
  const split = (name: "train" | "test") =>
    `${count(counts[name])} observations${source === undefined ? "" : ` from ${source.files[name].join(", ")}`}`;
  const { train, test } = report.duplicatesOf;
  return [
    ["task", report.task],
    ...(source === undefined ? [] : [["data", source.pinned.data] as const]),
    ...notices.map((notice) => ["note", notice] as const),
    ["training", split("train")],
    ["test", split("test")],
    ...(counts.refused === 0 ? [] : [["refused", `${count(counts.refused)} rows`] as const]),
    ["repeated questions", `${count(train)} in training, ${count(test)} in test`],
    ["test questions in training", count(report.testInTrain)],
    ["gold answers verified", `${count(report.goldVerified)} of ${count(report.rows)}`],
    ["wrong answers accepted", count(report.wrongAccepted)],
    ...contextFacts(lengths.context, source),
  ];
}

function contextFacts(
  context: TaskCheck["lengths"]["context"],
  source: TaskCheck["source"],
): (readonly [label: string, value: string])[] {
  if (context === null) return [];
  const { model, limit, longest, tooLong } = context;
  const where = source?.where(longest.split, longest.index) ?? `${longest.split}[${longest.index}]`;
  const fit = tooLong === 0 ? "all fit" : `${formatCount(tooLong)} do not fit`;
  return [
    [`context of ${model}`, `${formatCount(limit)} tokens: ${fit}`],
    ["longest with generation", `${formatCount(longest.tokens)} tokens (${where})`],
  ];
}

function heading(text: string): string {
  return `── ${text} ──`;
}
