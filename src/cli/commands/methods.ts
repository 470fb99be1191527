import { Command } from "commander";
import { METHODS, type Method } from "../../algorithm/methods.js";
import { renderText } from "../../report/tables.js";
import { print, printJson } from "../output.js";

export function methodsCommand(): Command {
  return new Command("methods")
    .description("List the methods: which observations they visit, how often they try, what they keep and train.")
    .option("--json", "Every method with all its settings, as one JSON array")
    .addHelpText("after", "\nExample:\n  $ adastar methods\n  $ adastar run --method star-acc")
    .action((options: { json?: boolean }) => {
      const methods = Object.values(METHODS);
      if (options.json) return printJson(methods);
      print(
        renderText(
          {
            columns: [
              { header: "method" },
              { header: "visits" },
              { header: "tries", align: "right" },
              { header: "trains on" },
              { header: "from" },
              { header: "source" },
            ],
            rows: methods.map((method) => [
              method.name,
              method.visits,
              method.completions === "gold" ? "–" : String(method.tries),
              trainsOn(method),
              method.start === "reset" ? "base" : "latest",
              method.source,
            ]),
          },
          process.stdout.columns,
        ),
      );
    });
}

function trainsOn({ completions, batch, keepPerObservation }: Method): string {
  if (completions === "gold") return "gold answers";
  if (batch === "schedule") return "βᵗ correct";
  return keepPerObservation === null ? "all correct" : `≤ ${keepPerObservation} each`;
}
