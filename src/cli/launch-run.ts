/** How runs of comparisons and studies are started: in this process, or several at a time in processes of their own. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { text as readAll } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { ComparisonEvent, Launch, PlannedRun } from "../analysis/comparison-runs.js";
import { UserError } from "../errors.js";
import { formatDuration } from "../report/format.js";
import type { RunConfig } from "../run/config/fields.js";
import type { RunSummary } from "../run/events.js";
import { resumeRun, startRun } from "../run/loop/runner.js";
import { usesModelFolder } from "../run/open-engine.js";
import { flagOf } from "../settings.js";
import { WITH_PARENT } from "./stop-signals.js";

const MAIN = fileURLToPath(new URL("./main.js", import.meta.url));

/** Length of a failed run's message that is passed on, in characters. */
const LAST_WORDS = 2_000;

/**
 * Starts the command line in a new process for a run. A terminal signals every process of a group. So each child has
 * its own group and gets one SIGTERM from here, on which it saves and ends. It does the same when this process ends for
 * any reason.
 */
export const launchProcess: Launch = async (run, resume, signal) => {
  const args =
    resume === null ? ["run", "--config", run.configFile] : ["resume", run.config.runDir, ...flagsOf(resume)];
  const child = spawn(process.execPath, [MAIN, ...args, "--json"], {
    detached: process.platform !== "win32",
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, [WITH_PARENT]: "1" },
  });
  const stop = () => child.kill("SIGTERM");
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    const closed = once(child, "close") as Promise<[number | null]>;
    const [[code], output, words] = await Promise.all([closed, readAll(child.stdout), lastWords(child.stderr)]);
    const summary = output.trim();
    if (summary !== "") return JSON.parse(summary) as RunSummary;
    throw new UserError(words === "" ? `the run's process ended with code ${code} and without a message` : words);
  } finally {
    signal.removeEventListener("abort", stop);
  }
};

function flagsOf(settings: Partial<RunConfig>): string[] {
  return Object.entries(settings).flatMap(([key, value]) => [flagOf(key), value === null ? "none" : String(value)]);
}

/** The last error message, or the end of the output. */
async function lastWords(stream: AsyncIterable<Buffer>): Promise<string> {
  let end = "";
  for await (const chunk of stream) end = (end + chunk.toString()).slice(-LAST_WORDS);
  const error = end.lastIndexOf("adastar: ");
  return end.slice(error < 0 ? 0 : error + "adastar: ".length).trim();
}

/** Runs in this process. */
export const launchHere: Launch = ({ config }, resume, signal) => {
  const quiet = () => {};
  return resume === null
    ? startRun(config, quiet, { signal })
    : resumeRun(config.runDir, quiet, { signal, settings: resume });
};

/** A custom model may fill the memory alone. So its runs are made one at a time unless --jobs says otherwise. */
export function defaultJobs({ config }: PlannedRun): number {
  return !usesModelFolder(config) || config.model === null ? availableParallelism() : 1;
}

/** Runs at the same time share the cores, unless the number of threads is set. */
export function withThreads(run: PlannedRun, jobs: number): PlannedRun {
  if (run.config.threads !== null || jobs === 1) return run;
  const threads = Math.max(1, Math.floor(availableParallelism() / jobs));
  return { ...run, config: { ...run.config, threads } };
}

/** An event of a comparison as one line. */
export function eventText(event: ComparisonEvent): string {
  switch (event.kind) {
    case "planned":
      return `${event.runs} runs: ${event.reused} are finished, ${event.resumed} continue, ${event.runs - event.reused - event.resumed} start`;
    case "started":
      return `${event.run}: ${event.resumed ? "continues" : "starts"}`;
    case "ended": {
      const left = event.secondsLeft === 0 ? "" : `, about ${formatDuration(event.secondsLeft)} left`;
      return `${event.run}: done in ${formatDuration(event.seconds)} (${event.done} of ${event.total}${left})`;
    }
    case "failed":
      return `${event.run}: failed: ${event.reason}`;
  }
}
