import { existsSync, writeFileSync } from "node:fs";
import { dirname, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { shown, UserError } from "../../errors.js";
import { loadConfig } from "../../run/config/config.js";
import { configSchema, configTemplate } from "../../run/config/schema.js";
import { print, say } from "../output.js";

/** The schema as the package has it; `npm run schema` writes it. */
const SCHEMA = fileURLToPath(new URL("../../../dist/config.schema.json", import.meta.url));

export function configCommand(): Command {
  return new Command("config")
    .description("Write a configuration file with every setting explained, or the JSON schema of such files.")
    .addCommand(initCommand())
    .addCommand(schemaCommand());
}

function initCommand(): Command {
  return new Command("init")
    .description(
      "Write a configuration file in which every setting is explained, with the value that holds without it.",
    )
    .argument("[file]", "The file to write; - prints it instead", "adastar.yaml")
    .option("--task <name>", "Show the values that hold for this task (see `adastar tasks`)")
    .option("--preset <name>", "Show the values of this preset: paper or quick")
    .addHelpText(
      "after",
      `
Editors with a YAML language server check the file and complete its keys: its first line names the schema.

Examples:
  $ adastar config init
  $ adastar config init svamp.yaml --task svamp
  $ adastar run --config svamp.yaml --data DIR --model DIR`,
    )
    .action((file: string, stated: { readonly task?: string; readonly preset?: string }) => {
      const { config } = loadConfig({ flags: { ...stated } });
      if (file === "-") return print(configTemplate({ config, schema: SCHEMA }).trimEnd());
      if (existsSync(file)) {
        throw new UserError(`expected the name of a new file, got ${shown(file)}, which exists; name another one`);
      }
      const schema = relative(dirname(resolve(file)), SCHEMA)
        .split(sep)
        .join("/");
      writeFileSync(file, configTemplate({ config, schema }));
      say(`${file}: every setting, commented out; \`adastar run --config ${file}\` runs with it`);
    });
}

function schemaCommand(): Command {
  return new Command("schema")
    .description("Print the JSON schema of configuration files.")
    .addHelpText(
      "after",
      `
The package has it as dist/config.schema.json. In a YAML file:
  # yaml-language-server: $schema=node_modules/adastar/dist/config.schema.json

Example:
  $ adastar config schema > config.schema.json`,
    )
    .action(() => print(JSON.stringify(configSchema(), null, 2)));
}
