#!/usr/bin/env node
import { showDownloads } from "../hub/progress.js";
import { downloadDisplay } from "./download-display.js";
import { quietOnBrokenPipe } from "./output.js";
import { runCommandLine } from "./program.js";

quietOnBrokenPipe();
showDownloads(downloadDisplay(process.stderr));
process.exitCode = await runCommandLine(process.argv.slice(2));
