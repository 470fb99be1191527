/** Runs of a comparison in processes of their own. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { text as readAll } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Launch } from "../analysis/comparison-runs.js";
import { UserError } from "../errors.js";
import type { RunConfig } from "../run/config/fields.js";
import type { RunSummary } from "../run/events.js";
import { flagOf } from "../settings.js";
import { WITH_PARENT } from "./stop-signals.js";

const MAIN = fileURLToPath(new URL("./main.js", import.meta.url));

/** Characters of a failed run's last words that are passed on. */
const LAST_WORDS = 2_000;

/**
 * Starts the command line anew for a run. Terminals signal every process of a group: children have groups of their own and are told to stop by
 * SIGTERM, once, so that they save and end. They do the same when this process is no more, by whatever ended it.
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
    throw new UserError(words === "" ? `the run's process ended with code ${code} and said nothing` : words);
  } finally {
    signal.removeEventListener("abort", stop);
  }
};

function flagsOf(settings: Partial<RunConfig>): string[] {
  return Object.entries(settings).flatMap(([key, value]) => [flagOf(key), value === null ? "none" : String(value)]);
}

/** The last line that tells of an error, or the end of what was said. */
async function lastWords(stream: AsyncIterable<Buffer>): Promise<string> {
  let end = "";
  for await (const chunk of stream) end = (end + chunk.toString()).slice(-LAST_WORDS);
  const error = end.lastIndexOf("adastar: ");
  return end.slice(error < 0 ? 0 : error + "adastar: ".length).trim();
}
