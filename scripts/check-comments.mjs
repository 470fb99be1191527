// Comments wrap at 120 columns; the formatter leaves them as they are. Prints the lines that do not, and fails if there
// are any.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const LIMIT = 120;
const COMMENT = /^\s*(?:\/\/|\/\*|\*)/;

const files = execFileSync("git", ["ls-files", "*.ts", "*.tsx", "*.mjs", "*.js"], { encoding: "utf8" }).split("\n");
const wide = files.filter(Boolean).flatMap((file) =>
  readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line, i) => (COMMENT.test(line) && [...line].length > LIMIT ? [`${file}:${i + 1}`] : [])),
);
if (wide.length > 0) {
  console.error(`comments beyond ${LIMIT} columns:\n${wide.join("\n")}`);
  process.exitCode = 1;
}
