import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { type Launch, runComparison } from "../../analysis/comparison-runs.js";
import { commitHas, commitOf, headOf } from "../../analysis/study/commits.js";
import { amendments, beginSession, readLedger } from "../../analysis/study/ledger.js";
import { pilotFolder, pilotNames, pilotResults } from "../../analysis/study/pilots.js";
import { progressOf } from "../../analysis/study/progress.js";
import { resultsOf, type SettingResults } from "../../analysis/study/results.js";
import { type PlannedSetting, plannedSettings, readStudy, type Study } from "../../analysis/study/study-file.js";
import { UserError } from "../../errors.js";
import { compareMethods } from "../../report/comparison/compare.js";
import { reportFiles } from "../../report/comparison/page.js";
import { primaryTable, progressTable, studyPage, timeLeftText } from "../../report/study/page.js";
import { powerResults, powerTable } from "../../report/study/power.js";
import { primaryResults } from "../../report/study/primary.js";
import { renderText } from "../../report/tables.js";
import { commandLine, shortPath } from "../invocation.js";
import { defaultJobs, eventText, launchHere, launchProcess, withThreads } from "../launch-run.js";
import { print, printJson, say } from "../output.js";
import { packageVersion } from "../package-version.js";
import { numberIn, seedList, wholeNumber } from "../parsers.js";
import { listenForStop } from "../stop-signals.js";

interface Place {
  readonly out?: string;
}

interface RunOptions extends Place {
  readonly jobs?: number;
  readonly amend?: boolean;
  readonly pilot?: string;
}

interface PowerOptions extends Place {
  readonly difference?: number;
  readonly json?: boolean;
}

interface ReportOptions extends Place {
  readonly json?: boolean;
}

export function studyCommand(): Command {
  return new Command("study")
    .description("Run and report a study: a file that fixes question, runs and outcome before the first run.")
    .enablePositionalOptions()
    .addCommand(runCommand())
    .addCommand(powerCommand())
    .addCommand(statusCommand())
    .addCommand(reportCommand());
}

function runCommand(): Command {
  return new Command("run")
    .description("Make the study's runs that are missing; the same command continues after an interruption.")
    .argument("<study.yaml>", "The study; it must be committed as it is")
    .addOption(outOption())
    .addOption(
      new Option(
        "--jobs <n>",
        "Runs at a time, each in a process of its own (all cores for the bundled and the simulated model, else 1)",
      ).argParser(wholeNumber(1)),
    )
    .option("--pilot <seeds>", "Make pilot runs with other seeds than the study's, such as 1,2; they never count")
    .option("--amend", "Continue although the study's file was changed since its runs began; the report says so")
    .addHelpText("after", "\nExample:\n  $ adastar study run studies/default-task.yaml --jobs 2")
    .action(run);
}

function powerCommand(): Command {
  return new Command("power")
    .description("Show what difference a study's seeds can find, from the spread of its pilot runs.")
    .argument("<study.yaml>", "The study, with pilot runs (`adastar study run --pilot`)")
    .addOption(outOption())
    .addOption(
      new Option(
        "--difference <n>",
        "Also the seeds that find this difference in average accuracy, such as 0.02",
      ).argParser(numberIn(Number.MIN_VALUE, 1)),
    )
    .option("--json", "The numbers as one line of JSON")
    .action((file: string, { out, json, difference: asked }: PowerOptions) => {
      const difference = asked ?? null;
      const study = readStudy(file);
      const pilots = primaryResults(study.plan, pilotResults(study, placeOf(study, out)));
      if (pilots.length === 0) {
        throw new UserError(`expected pilot runs, got none: ${commandLine("study", "run", file, "--pilot", "1,2,3")}`);
      }
      const { seeds } = study.plan;
      const results = powerResults(pilots, seeds.length, difference);
      if (json) printJson(results);
      else print(renderText(powerTable(results, seeds.length, difference)));
    });
}

function statusCommand(): Command {
  return new Command("status")
    .description("Show which runs of a study are finished and how long the rest may take.")
    .argument("<study.yaml>", "The study")
    .addOption(outOption())
    .option("--json", "The numbers as one line of JSON")
    .action((file: string, { out, json }: ReportOptions) => {
      const study = readStudy(file);
      const progress = progressOf(plannedSettings(study, placeOf(study, out)));
      if (json) printJson(progress);
      else print(`${renderText(progressTable(progress))}\n\n${timeLeftText(progress)}`);
    });
}

function reportCommand(): Command {
  return new Command("report")
    .description("Write the study's report from the runs that are finished.")
    .argument("<study.yaml>", "The study")
    .addOption(outOption())
    .option("--json", "Primary results, departures and progress as one line of JSON")
    .action(report);
}

function outOption(): Option {
  return new Option("--out <dir>", "Folder of the runs and the report (the study file's path without its ending)");
}

function placeOf({ file }: Study, out: string | undefined): string {
  return resolve(out ?? file.replace(/\.ya?ml$/, ""));
}

async function run(file: string, { out: stated, jobs, amend = false, pilot }: RunOptions): Promise<void> {
  const study = readStudy(file);
  const place = placeOf(study, stated);
  const settings =
    pilot === undefined ? plannedSettings(study, place) : plannedSettings(pilotOf(study, pilot), pilotFolder(place));
  const progress = progressOf(settings);
  say(`${renderText(progressTable(progress))}\n${timeLeftText(progress)}`);
  if (progress.settings.every(({ finished }, i) => finished === settings[i].runs.length)) {
    say("Every run is finished.");
  } else {
    if (pilot === undefined) fixStudy(study, place, amend);
    await makeRuns(settings, jobs);
  }
  if (pilot === undefined) say(`Report: ${commandLine("study", "report", file)}`);
}

/** Records the commit under which runs begin. Throws UserError if the study is not committed as it is. */
function fixStudy(study: Study, place: string, amend: boolean): void {
  const commit = commitOf(study.file);
  const code = headOf(study.file);
  const version = packageVersion();
  beginSession(study, place, { commit, amend, version, head: code?.head ?? null, changed: code?.changed ?? false });
  say(`${study.name}: fixed by commit ${commit.hash}`);
}

async function makeRuns(settings: readonly PlannedSetting[], jobs: number | undefined): Promise<void> {
  const stop = listenForStop((name) => say(`${name}: the runs in progress save and end; the same command continues.`));
  try {
    const failed = await runSettings(settings, jobs, stop.signal);
    if (stop.signal.aborted) process.exitCode = stop.exitCode ?? 1;
    else if (failed > 0) process.exitCode = 2;
  } finally {
    stop.dispose();
  }
}

/** @returns how many runs failed */
async function runSettings(
  settings: readonly PlannedSetting[],
  stated: number | undefined,
  signal: AbortSignal,
): Promise<number> {
  let failures = 0;
  for (const { name, runs } of settings) {
    if (signal.aborted) break;
    const jobs = Math.min(stated ?? defaultJobs(runs[0]), runs.length);
    const launch: Launch = jobs > 1 ? launchProcess : launchHere;
    const { failed } = await runComparison(
      runs.map((run) => withThreads(run, jobs)),
      launch,
      { jobs, signal, listener: (event) => say(`${name}: ${eventText(event)}`) },
    );
    failures += failed.length;
  }
  return failures;
}

/** The study with pilot seeds. They must not be seeds of the study, which would no longer be fresh. */
function pilotOf(study: Study, text: string): Study {
  const seeds = seedList(text, "--pilot");
  const used = seeds.filter((seed) => study.plan.seeds.includes(seed));
  if (used.length > 0) {
    throw new UserError(
      `--pilot: expected other seeds than the study's, got ${used.join(", ")}: they would not be fresh`,
    );
  }
  return { ...study, plan: { ...study.plan, seeds } };
}

function report(file: string, { out: stated, json }: ReportOptions): void {
  const study = readStudy(file);
  const place = placeOf(study, stated);
  const sessions = readLedger(place);
  const planned = plannedSettings(study, place);
  const settings = planned.map((setting) => resultsOf(setting, sessions.at(0)?.commit ?? null));
  const result = {
    study,
    sessions,
    amendments: amendments(sessions),
    unproven: sessions.filter(({ commit, content }) => !commitHas(study.file, commit, content)),
    settings,
    progress: progressOf(planned),
    primary: primaryResults(study.plan, settings),
    pilots: pilotNames(study, place),
  };
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "report.md"), studyPage(result));
  for (const setting of settings) writeSettingReport(setting, study, place);
  if (json) {
    const { primary, progress, pilots } = result;
    printJson({
      name: study.name,
      commit: sessions.at(0)?.commit ?? null,
      amendments: result.amendments,
      primary,
      progress,
      pilots,
      refused: settings.flatMap(({ refused }) => refused),
    });
  } else {
    print(renderText(primaryTable(result.primary)));
  }
  say(`\nReport: ${shortPath(join(place, "report.md"))}`);
}

function writeSettingReport({ name, runs, missing, refused }: SettingResults, study: Study, place: string): void {
  if (runs.length === 0) return;
  const folder = join(place, name);
  mkdirSync(folder, { recursive: true });
  const { plan } = study;
  const files = reportFiles(compareMethods(runs, { budget: plan.budget }), {
    runs,
    failed: refused.map(({ run, reason }) => ({ run, reason })),
    missing,
    setting: Object.entries({ study: study.name, ...plan.runs, ...plan.settings[name] }).map(
      ([key, value]) => [key, String(value)] as const,
    ),
    command: commandLine("study", "report", shortPath(study.file)),
  });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
}
