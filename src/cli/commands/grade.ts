import { Command } from "commander";
import { UserError } from "../../errors.js";
import { formatCount, formatPercent } from "../../report/format.js";
import { renderText } from "../../report/tables.js";
import { resolveConfig, taskOptions } from "../../run/config/config.js";
import type { ConfigKey } from "../../run/config/fields.js";
import { GradeTally, type GradeTotals, gradeFile } from "../../tasks/grade.js";
import { openVerifier } from "../../tasks/registry.js";
import { addConfigOptions, statedSettings } from "../config-options.js";
import { printLines, say } from "../output.js";

const SETTINGS: readonly ConfigKey[] = ["task", "verifier", "verifierTimeout", "thinkingTags", "answerTags"];

export function gradeCommand(): Command {
  const command = new Command("grade")
    .description("Verify outputs from anywhere with a task's verifier; its data is not needed.")
    .argument("<file>", 'JSON Lines of {"id","answer","output","options"?}; - reads them from standard input')
    .option("--json", "The totals on standard error as one line of JSON")
    .addHelpText(
      "after",
      `
Prints one line of JSON per row, in order: {"id","strict","lenient","extracted"}. Verdicts are "correct", "wrong" or "none". If a custom
verifier failed, the line also has "failure". Totals go to standard error.
"options" are the answers that the prompt offered: ["one", ...], [{"label","text"}, ...] or {"label": [...], "text": [...]}.

Examples:
  $ adastar grade --task gsm8k outputs.jsonl > verdicts.jsonl
  $ adastar grade --verifier number - --json < outputs.jsonl
  $ adastar grade --verifier ./my-verifier.mjs outputs.jsonl`,
    )
    .action(async (file: string, options: Readonly<Record<string, unknown>> & { json?: boolean }) => {
      const values = statedSettings(options);
      const { config } = resolveConfig([{ source: "flags", folder: process.cwd(), values }]);
      if (config.task === null && config.verifier === null) {
        throw new UserError("expected --task NAME (`adastar tasks` lists them) or --verifier KIND, got neither");
      }
      const verifier = openVerifier({ ...taskOptions(config), task: config.task ?? "jsonl" });
      const tally = new GradeTally();
      try {
        await printLines(gradedLines(file, verifier, tally));
      } finally {
        await verifier.module?.close();
      }
      const totals = tally.totals();
      say(options.json ? JSON.stringify(totals) : totalsText(totals));
    });
  return addConfigOptions(command, SETTINGS);
}

async function* gradedLines(
  file: string,
  verifier: ReturnType<typeof openVerifier>,
  tally: GradeTally,
): AsyncGenerator<string> {
  const rows = file === "-" ? gradeFile("standard input", verifier, process.stdin) : gradeFile(file, verifier);
  for await (const row of rows) {
    tally.add(row);
    yield JSON.stringify(row);
  }
  if (tally.totals().rows === 0) {
    throw new UserError(`expected rows with outputs in ${file === "-" ? "standard input" : file}, got none`);
  }
}

function totalsText({ rows, strict, lenient, agree, failures }: GradeTotals): string {
  const share = (count: number) => `${formatCount(count)} (${formatPercent(count / rows)})`;
  const table = renderText({
    columns: [
      { header: `${formatCount(rows)} outputs` },
      { header: "correct", align: "right" },
      { header: "wrong", align: "right" },
      { header: "none", align: "right" },
    ],
    rows: [
      ["strict", share(strict.correct), share(strict.wrong), share(strict.none)],
      ["lenient", share(lenient.correct), share(lenient.wrong), share(lenient.none)],
    ],
  });
  const failed = failures === 0 ? "" : `\nThe verifier failed on ${share(failures)}; these count as wrong.`;
  return `${table}\nBoth agree on ${share(agree)}.${failed}`;
}
