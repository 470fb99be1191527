/** Reports that are written to files. */

import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { reportPage } from "./html/page.js";
import { reportedRun } from "./html/reported-run.js";

const REPORT_FILE = "report.html";

/** Writes the run's report into its directory and returns its path. Throws where it cannot. */
export function writeRunReport(dir: string): string {
  const path = join(dir, REPORT_FILE);
  replaceFile(path, reportPage([reportedRun(dir)], new Date()));
  return path;
}

/** Writes a file as a whole: whoever reads it meanwhile sees the old one or the new one. */
export function replaceFile(path: string, content: string | Uint8Array): void {
  const draft = `${path}.tmp`;
  try {
    writeFileSync(draft, content);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}
