/**
 * One life of the tiny run: `child.mjs DIR` goes on until done, `child.mjs DIR --trace FILE` also writes down every
 * step on the disk, `child.mjs DIR --at "STEP PATH" [--at …] [--torn]` kills itself right before the first of these
 * steps that it comes to, having torn what it was about to write, and says on stdout which one it was.
 */

import { appendFileSync, existsSync, writeFileSync, writeSync } from "node:fs";
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { go } from "./tiny-run.mjs";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    trace: { type: "string" },
    at: { type: "string", multiple: true, default: [] },
    torn: { type: "boolean", default: false },
  },
});
const dir = positionals[0] ?? "";
/** @type {string[]} */
const trace = [];

await go(dir, {
  onDiskStep: (step, path) => {
    const site = `${step} ${relative(dir, path)}`;
    if (values.trace !== undefined) trace.push(site);
    if (!values.at.includes(site)) return;
    writeSync(1, site);
    if (values.torn && step === "write" && existsSync(path)) appendFileSync(path, '{"half":"a lin');
    process.kill(process.pid, "SIGKILL");
  },
});
if (values.trace !== undefined) writeFileSync(values.trace, trace.join("\n"));
