import { createWriteStream, renameSync, rmSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Command, Option } from "commander";
import { messageOf, UserError } from "../../errors.js";
import { parquetBytes } from "../../export/parquet.js";
import { type Content, conversations, exportRows, type Row } from "../../export/rows.js";
import { csvRow } from "../../report/csv.js";
import { replaceFile } from "../../report/run-directory-report.js";
import { RunReader } from "../../run/directory/reader.js";
import { printLines, say } from "../output.js";

interface Options {
  readonly format: "jsonl" | "csv" | "parquet" | "sft";
  readonly out?: string;
  readonly kept?: boolean;
  readonly samples?: boolean;
  readonly frequencies?: boolean;
  readonly curve?: boolean;
}

const CONTENTS = ["kept", "samples", "frequencies", "curve"] as const satisfies readonly Content[];

export function exportCommand(): Command {
  return new Command("export")
    .description("Take what a run left to other programs, questions included; reads the run directory and its data.")
    .argument("<run>", "The run directory")
    .option("--kept", "D₊: every sample that was kept, iteration by iteration (the default)")
    .option("--samples", "Every sample that was drawn, with its verdicts")
    .option("--frequencies", "Every training observation and how often it was trained on")
    .option("--curve", "Test accuracy, FLOPs and seconds by iteration")
    .addOption(
      new Option("--format <format>", "How it is written").choices(["jsonl", "csv", "parquet", "sft"]).default("jsonl"),
    )
    .option("--out <path>", "File to write (stdout; parquet needs a file)")
    .addHelpText(
      "after",
      `
sft is JSON Lines of {"messages": [user, assistant]}, which TRL, Axolotl and LLaMA-Factory train on: D₊ of all
iterations, each conversation once.

Examples:
  $ adastar export runs/my-run --format sft --out sft.jsonl
  $ adastar export runs/my-run --samples --format parquet --out samples.parquet
  $ adastar export runs/my-run --curve --format csv`,
    )
    .action(exportRun);
}

async function exportRun(dir: string, options: Options): Promise<void> {
  const { format, out } = options;
  const chosen = CONTENTS.filter((content) => options[content] === true);
  if (chosen.length > 1) {
    throw new UserError(
      `expected one of --${CONTENTS.join(", --")}, got ${chosen.map((name) => `--${name}`).join(" and ")}`,
    );
  }
  const [content = "kept"] = chosen;
  if (format === "sft" && content !== "kept") {
    throw new UserError(
      `--format sft: expected --kept, got --${content}; only kept samples are conversations to train on`,
    );
  }
  const run = RunReader.open(dir);
  if (format === "parquet") {
    if (out === undefined) throw new UserError("--format parquet: expected --out with a file, got none");
    const bytes = parquetBytes(await collected(exportRows(run, content)));
    written(out, () => replaceFile(out, bytes));
  } else if (out === undefined) {
    await printLines(linesOf(run, content, format));
  } else {
    await writeLines(out, linesOf(run, content, format));
  }
  if (out !== undefined) say(`Wrote ${out}`);
}

async function collected(rows: AsyncIterable<Row>): Promise<Row[]> {
  const all: Row[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

async function* linesOf(run: RunReader, content: Content, format: "jsonl" | "csv" | "sft"): AsyncGenerator<string> {
  if (format === "sft") {
    for await (const conversation of conversations(run)) yield JSON.stringify(conversation);
  } else if (format === "jsonl") {
    for await (const row of exportRows(run, content)) yield JSON.stringify(row);
  } else {
    yield* csvLines(exportRows(run, content));
  }
}

async function* csvLines(rows: AsyncIterable<Row>): AsyncGenerator<string> {
  let named = false;
  for await (const row of rows) {
    if (!named) yield csvRow(Object.keys(row));
    named = true;
    yield csvRow(Object.values(row));
  }
}

/** Line by line under another name: the file is there when it is whole. */
async function writeLines(path: string, lines: AsyncIterable<string>): Promise<void> {
  const draft = `${path}.tmp`;
  async function* ended() {
    for await (const line of lines) yield `${line}\n`;
  }
  try {
    await pipeline(Readable.from(ended()), createWriteStream(draft));
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    if (error instanceof UserError || !isSystemError(error)) throw error;
    throw cannotWrite(path, error);
  }
}

function written(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

function cannotWrite(path: string, error: unknown): UserError {
  return new UserError(`--out: expected a file that can be written, got ${path}: ${messageOf(error)}`);
}
