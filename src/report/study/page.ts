/** The report of a study as Markdown. */

import type { ComparedRun } from "../../analysis/compared-runs.js";
import type { Amendment, Session } from "../../analysis/study/ledger.js";
import type { StudyProgress } from "../../analysis/study/progress.js";
import type { SettingResults } from "../../analysis/study/results.js";
import type { Study } from "../../analysis/study/study-file.js";
import { meanOfKnown } from "../../statistics/descriptive.js";
import { compareMethods, type MethodResult } from "../comparison/compare.js";
import { sharedIterations, sharedIterationsText } from "../comparison/shared-iterations.js";
import { budgetRangeText, rangeText, savedCells } from "../comparison/tables.js";
import { ABSENT, formatDuration, formatFixed, formatFlops, formatPercent, formatPoints } from "../format.js";
import { renderMarkdown, type Table } from "../tables.js";
import type { PrimaryResult } from "./primary.js";

export interface StudyReport {
  readonly study: Study;
  readonly sessions: readonly Session[];
  readonly amendments: readonly Amendment[];
  /** Sessions whose commit does not have the study that they were begun with. */
  readonly unproven: readonly Session[];
  readonly settings: readonly SettingResults[];
  readonly progress: StudyProgress;
  readonly primary: readonly PrimaryResult[];
  /** Names of pilot runs; they count for nothing. */
  readonly pilots: readonly string[];
}

export function studyPage(report: StudyReport): string {
  const { study, primary, settings } = report;
  const { plan } = study;
  const [first] = report.sessions;
  const parts = [
    `# Study: ${study.name}`,
    plan.question,
    first === undefined
      ? "**No run has begun.**"
      : `The study was fixed by commit \`${first.commit.hash}\` of ${first.commit.time}; its first runs began after ${first.time}.`,
    unfinished(report),
    "## Primary outcome",
    `Area under test accuracy over training FLOPs up to ${formatFlops(plan.budget)}, divided by the budget, paired by seed, with 95 % intervals over seeds. * stands after Holm's correction for the study's ${primary.length} primary comparisons. Beside it the FLOPs until the rival's mean accuracy at early stop; where seeds did not reach it, savings are bounds.`,
    renderMarkdown(primaryTable(primary)),
    "## Secondary outcomes",
    [...plan.secondary.map((outcome) => `- ${outcome}`)].join("\n"),
    renderMarkdown(secondaryTable(settings, plan.budget)),
    settings
      .filter(({ runs }) => runs.length > 0)
      .map(({ name }) => `- [${name}](${name}/report.md): all figures, learning curves, every seed`)
      .join("\n"),
    "## Departures from the plan",
    departures(report),
    "## Pilots",
    "These runs came before or beside the study and count for no figure above.",
    [...plan.pilots, ...report.pilots].map((pilot) => `- ${pilot}`).join("\n") || "- none",
    "## The plan",
    `Methods: ${plan.methods.join(", ")}. Seeds: ${plan.seeds.join(", ")}. Budget: ${formatFlops(plan.budget)}, run ${formatPercent(plan.margin, 0)} beyond.`,
    `**Stopping rule.** ${plan.stopping}`,
    `**What was to be reported.** ${plan.report}`,
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** Runs by setting, and the time that the rest may take. */
export function progressTable({ settings }: StudyProgress): Table {
  return {
    columns: [{ header: "setting" }, ...figures("finished", "begun", "not begun", "damaged")],
    rows: settings.map(({ name, finished, started, missing, damaged }) => [
      name,
      ...[finished, started, missing, damaged].map(String),
    ]),
  };
}

export function timeLeftText({ secondsLeft }: StudyProgress): string {
  return secondsLeft === null
    ? "No estimate before a run has done an iteration."
    : `About ${formatDuration(secondsLeft)} of runs are left, less where several go on at once.`;
}

function unfinished({ progress, settings }: StudyReport): string {
  if (settings.every(({ missing }) => missing.length === 0)) return "";
  const list = renderMarkdown(progressTable(progress));
  return `**Not complete.** Figures are those of the runs so far and may change.\n\n${list}\n\n${timeLeftText(progress)}`;
}

export function primaryTable(primary: readonly PrimaryResult[]): Table {
  return {
    columns: [
      { header: "setting" },
      { header: "comparison" },
      ...figures("pairs", "average accuracy", "rival's", "gained", "95 % interval", "budget moved"),
      ...figures("reached target", "rival reached", "FLOPs saved", "95 % interval"),
    ],
    rows: primary.map(({ setting, method, against, rival, own, other, comparison, stands }) => {
      const label = `${method} against ${against}${rival === null || rival === against ? "" : ` (${rival})`}`;
      const gained = own?.averageAccuracyGained;
      if (own === null || other === null || comparison === null || !gained) {
        return [setting, label, "0", ...Array.from({ length: 9 }, () => ABSENT)];
      }
      const reached = ({ reachedTarget, seeds }: MethodResult) => `${reachedTarget} of ${seeds.length}`;
      return [
        setting,
        label,
        String(own.pairs),
        formatPercent(own.averageAccuracy.mean),
        formatPercent(other.averageAccuracy.mean),
        `${formatPoints(gained.mean)}${stands ? "*" : ""}`,
        Number.isNaN(gained.low) ? ABSENT : `${formatPoints(gained.low)} to ${formatPoints(gained.high)}`,
        `${rangeText(own.averageGainByBudget)} (${budgetRangeText(comparison.budgetRange)})`,
        reached(own),
        reached(other),
        ...savedCells(own.flopsUntilTargetSaved, own.targetBound),
      ];
    }),
  };
}

function secondaryTable(settings: readonly SettingResults[], budget: number): Table {
  const rows = settings.flatMap(({ name, runs }) =>
    runs.length === 0
      ? []
      : compareMethods(runs, { budget }).methods.map((result) => [
          name,
          result.method,
          String(result.seeds.length),
          formatPercent(result.averageAccuracy.mean),
          formatPercent(result.finalAccuracy.mean),
          formatPercent(result.accuracy.mean),
          formatFixed(result.trainingFrequencySd, 2),
          formatPercent(result.neverTrained),
          formatPercent(meanOfKnown(result.wrongSteps)),
        ]),
  );
  return {
    columns: [
      { header: "setting" },
      { header: "method" },
      ...figures("seeds", "average accuracy", "last accuracy", "at early stop"),
      ...figures("SD of training frequency", "never trained on", "wrong steps in what was kept"),
    ],
    rows,
  };
}

function departures({ amendments, unproven, settings, sessions }: StudyReport): string {
  const codes = [...new Set(sessions.map(({ version, head }) => (head === null ? version : `${version} at ${head}`)))];
  const changed = sessions.filter((session) => session.changed);
  const lines = [
    ...amendments.map(
      ({ commit, fields, time }) =>
        `The study's file was changed after runs had begun, by commit \`${commit.hash}\` (in use from ${time}): ${fields.join(", ")}.`,
    ),
    ...unproven.map(
      ({ commit, time }) =>
        `The session of ${time} cannot be proven: commit \`${commit.hash}\` does not have the study that it ran.`,
    ),
    ...settings.flatMap(({ name, refused }) =>
      refused.map(({ run, reason }) => `${name}: ${run} is left out: ${reason}.`),
    ),
    ...(codes.length > 1 ? [`Runs were made with different code: ${codes.join("; ")}.`] : []),
    ...changed.map(({ time }) => `The session of ${time} ran code with changes that were not committed.`),
    ...alikeAcross(settings).map((pair) => `Runs of two settings begin alike: ${sharedIterationsText(pair)}.`),
  ];
  return lines.length === 0 ? "None." : lines.map((line) => `- ${line}`).join("\n");
}

/** Runs of two settings that have the same models at first are not independent. */
function alikeAcross(settings: readonly SettingResults[]) {
  const origins = new Map<string, string>();
  const named = settings.flatMap(({ name, runs }) =>
    runs.map((run: ComparedRun) => {
      const label = `${name} ${run.method}`;
      origins.set(label, name);
      return { name: label, run };
    }),
  );
  return sharedIterations(named).filter(({ one, other }) => origins.get(one) !== origins.get(other));
}

function figures(...headers: readonly string[]) {
  return headers.map((header) => ({ header, align: "right" }) as const);
}
