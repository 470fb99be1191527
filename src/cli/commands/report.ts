import { resolve } from "node:path";
import { Command, Option } from "commander";
import { messageOf, UserError } from "../../errors.js";
import { reportPage } from "../../report/html/page.js";
import { type ReportedRun, reportedRun } from "../../report/html/reported-run.js";
import { replaceFile } from "../../report/run-directory-report.js";
import { reportCsv, reportJson, reportLatex, reportMarkdown, reportTables } from "../../report/run-report.js";
import { shortPath } from "../invocation.js";
import { print, say } from "../output.js";

const FORMATS: Readonly<Record<string, (runs: readonly ReportedRun[]) => string>> = {
  html: (runs) => reportPage(runs, new Date()),
  md: (runs) => reportMarkdown(reportTables(runs)),
  csv: reportCsv,
  json: reportJson,
  tex: (runs) => reportLatex(reportTables(runs)),
};

export function reportCommand(): Command {
  return new Command("report")
    .description("Show runs as one page of charts and tables, or as tables alone; reads the run directories only.")
    .argument("<runs...>", "Run directories; those that differ in their seed only are shown as one curve")
    .option("-o, --out <path>", "File to write (report.html for --format html; stdout for the others)")
    .addOption(new Option("--format <format>", "What to make").choices(Object.keys(FORMATS)).default("html"))
    .addHelpText(
      "after",
      `
html is one file that needs no network: open it from the disk, mail it, print it. md and tex (booktabs) are tables for
documents. csv has one row a run and iteration, with the iteration as "step". json has everything.

Examples:
  $ adastar report runs/my-run
  $ adastar report comparisons/arithmetic/runs/* -o report.html
  $ adastar report runs/my-run --format tex`,
    )
    .action((dirs: readonly string[], { out, format }: { readonly out?: string; readonly format: string }) => {
      const text = FORMATS[format](dirs.map(reportedRun));
      const path = out ?? (format === "html" ? "report.html" : null);
      if (path === null) return print(text.trimEnd());
      try {
        replaceFile(path, text);
      } catch (error) {
        throw new UserError(`--out: expected a file that can be written, got ${path}: ${messageOf(error)}`);
      }
      say(`Wrote ${shortPath(resolve(path))}`);
    });
}
