#!/usr/bin/env node
import { quietOnBrokenPipe } from "./output.js";
import { runCommandLine } from "./program.js";

quietOnBrokenPipe();
process.exitCode = await runCommandLine(process.argv.slice(2));
