/** Shows a run while it is made, stops it on a signal, and ends with its table. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../errors.js";
import { writeRunReport } from "../report/run-directory-report.js";
import { iterationTable, summaryPairs } from "../report/run-table.js";
import { renderPairs, renderText } from "../report/tables.js";
import type { Listener, RunSummary } from "../run/events.js";
import { createDisplay } from "./display/display.js";
import type { ProgressState } from "./display/state.js";
import { commandLine, shortPath } from "./invocation.js";
import { printJson, say } from "./output.js";
import { listenForStop } from "./stop-signals.js";

/** Longest question that is shown in a command line, in characters. */
const MAX_QUESTION = 200;

/**
 * Runs `go` with a listener that displays on stderr and a signal that aborts when the user stops the run. With `json`,
 * stdout gets the summary as one line of JSON; otherwise it gets nothing.
 */
export async function watchRun(
  go: (listener: Listener, signal: AbortSignal) => Promise<RunSummary>,
  json: boolean,
): Promise<void> {
  const display = createDisplay(process.stderr, process.env);
  const stop = listenForStop((name) => {
    const runDir = display.state.started?.runDir;
    const how = runDir === undefined ? "" : ` Resume with: ${resumeHint(runDir)}`;
    display.note(`${name}: saving what is finished. A second one stops at once.${how}`);
  });
  try {
    const summary = await go(display.listener, stop.signal);
    display.close();
    say(`\n${closingReport(display.state, summary)}`);
    if (json) printJson(summary);
    if (summary.status === "interrupted") process.exitCode = stop.exitCode ?? 1;
  } finally {
    display.close();
    stop.dispose();
  }
}

/** The table of iterations, the outcome, and what to type next. */
function closingReport(state: ProgressState, summary: RunSummary): string {
  const table = iterationTable(state.records, summary.baseAccuracy);
  const pairs = [...summaryPairs(summary), ["report", reportPath(summary.runDir)] as const];
  const parts = [renderText(table, process.stderr.columns), renderPairs(pairs)];
  if (summary.status === "interrupted") {
    parts.push(`Interrupted. Continue with:\n  ${resumeHint(summary.runDir)}`);
  } else {
    const model = summary.bestCheckpoint ?? summary.checkpoint;
    if (summary.bestIteration === 0 && summary.iterations > 0) {
      parts.push("No iteration is more accurate than the base model: use the base model.");
    }
    // The simulated learner leaves no model.
    if (existsSync(join(model, "tokenizer.json"))) {
      const hint =
        summary.bestCheckpoint === null
          ? commandLine("generate", "--model", shortPath(model), "--prompt", "...")
          : commandLine("generate", "--model", shortPath(summary.runDir), "--question", questionOf(state));
      parts.push(`Talk to the ${summary.bestCheckpoint === null ? "last" : "best"} model:\n  ${hint}`);
    }
  }
  return parts.join("\n\n");
}

/** Where the run's report is, or why there is none: a run is done whether or not it can be reported. */
function reportPath(runDir: string): string {
  try {
    return writeRunReport(runDir);
  } catch (error) {
    return `not written: ${messageOf(error)}`;
  }
}

/** A question of the run to paste, unless it is too long for a command line. */
function questionOf({ started }: ProgressState): string {
  const question = started?.exampleQuestion ?? "...";
  return question.includes("\n") || question.length > MAX_QUESTION ? "..." : question;
}

function resumeHint(runDir: string): string {
  return commandLine("resume", shortPath(runDir));
}
