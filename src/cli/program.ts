/** The `adastar` command: its subcommands, and how errors become messages and exit codes. */

import { Command, CommanderError } from "commander";
import { UserError } from "../errors.js";
import { auditCommand } from "./commands/audit.js";
import { compareCommand } from "./commands/compare.js";
import { configCommand } from "./commands/config.js";
import { dashboardCommand } from "./commands/dashboard.js";
import { evalCommand } from "./commands/eval.js";
import { explainCommand } from "./commands/explain.js";
import { exportCommand } from "./commands/export.js";
import { generateCommand } from "./commands/generate.js";
import { gradeCommand } from "./commands/grade.js";
import { methodsCommand } from "./commands/methods.js";
import { pretrainCommand } from "./commands/pretrain.js";
import { replayCommand } from "./commands/replay.js";
import { reportCommand } from "./commands/report.js";
import { resumeCommand } from "./commands/resume.js";
import { runCommand } from "./commands/run.js";
import { studyCommand } from "./commands/study.js";
import { tasksCommand } from "./commands/tasks.js";
import { trackCommand } from "./commands/track.js";
import { say } from "./output.js";
import { packageVersion } from "./package-version.js";

/** Exit codes. An interrupted run ends with 128 plus the signal's number, as shells expect: 130 for SIGINT. */
const EXIT = { done: 0, bug: 1, usersInput: 2 } as const;

/** Runs one command line (without `node` and the script) and returns the exit code. Never throws. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync([...args], { from: "user" });
    // A command may have set another code.
    return Number(process.exitCode ?? EXIT.done);
  } catch (error) {
    return exitCodeOf(error);
  }
}

function createProgram(): Command {
  const program = new Command("adastar")
    .description("Teach a language model to reason from its own correct answers, at the least compute.")
    .version(packageVersion())
    .configureHelp({ showGlobalOptions: false })
    // Options after a subcommand's name belong to the subcommand, even if its parents have the same ones.
    .enablePositionalOptions()
    .addHelpText(
      "after",
      `
Examples:
  $ adastar run                                   the default task with the bundled starter model
  $ adastar run --help                            all settings
  $ adastar generate --model DIR --prompt "..."   have a checkpoint continue a text

Exit codes: 0 done, 1 a bug, 2 something to fix in the input, 130 interrupted.`,
    );
  const commands = [
    runCommand(),
    resumeCommand(),
    compareCommand(),
    studyCommand(),
    dashboardCommand(),
    configCommand(),
    evalCommand(),
    auditCommand(),
    gradeCommand(),
    explainCommand(),
    replayCommand(),
    reportCommand(),
    exportCommand(),
    trackCommand(),
    generateCommand(),
    pretrainCommand(),
    methodsCommand(),
    tasksCommand(),
  ];
  for (const command of [program, ...commands, ...commands.flatMap(({ commands: subcommands }) => subcommands)])
    command.exitOverride().showHelpAfterError("(add --help for all options)");
  for (const command of commands) program.addCommand(command);
  return program;
}

function exitCodeOf(error: unknown): number {
  // commander has printed its own message. --help and --version arrive here, too, with exit code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usersInput;
  if (error instanceof UserError) {
    say(`adastar: ${error.message}`);
    return EXIT.usersInput;
  }
  say(`adastar: this is a bug in adastar, not in your input:\n${error instanceof Error ? error.stack : String(error)}`);
  return EXIT.bug;
}
