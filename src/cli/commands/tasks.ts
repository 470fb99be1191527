import { Command } from "commander";
import { renderText } from "../../report/tables.js";
import { TASKS } from "../../tasks/registry.js";
import { print, printJson } from "../output.js";
import { tasksCheckCommand } from "./tasks-check.js";

export function tasksCommand(): Command {
  return new Command("tasks")
    .description("List the tasks that a run can learn, or check one of them.")
    .option("--json", "Every task with its default settings and the data options it reads, as one JSON array")
    .enablePositionalOptions()
    .addCommand(tasksCheckCommand())
    .addHelpText(
      "after",
      "\nExamples:\n  $ adastar tasks\n  $ adastar tasks check svamp --data DIR\n  $ adastar run --task svamp --data DIR --model DIR",
    )
    .action((options: { json?: boolean }) => {
      if (options.json) {
        return printJson(
          TASKS.map(({ name, description, defaults, options }) => ({ name, description, defaults, options })),
        );
      }
      const table = {
        columns: [{ header: "task" }, { header: "description" }],
        rows: TASKS.map((task) => [task.name, task.description]),
      };
      print(renderText(table, process.stdout.columns));
    });
}
