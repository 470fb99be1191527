import { text as readAll } from "node:stream/consumers";
import { Command, Option } from "commander";
import { print, printJson } from "../output.js";
import { numberIn, wholeNumber } from "../parsers.js";

interface GenerateOptions {
  readonly model: string;
  readonly prompt: string;
  readonly greedy?: boolean;
  readonly temperature: number;
  readonly topP: number;
  readonly maxTokens?: number;
  readonly stop: readonly string[];
  readonly seed: number;
  readonly json?: boolean;
}

/** New tokens if --max-tokens is not given. */
const DEFAULT_LENGTH = 256;

export function generateCommand(): Command {
  return new Command("generate")
    .description("Have a checkpoint continue a prompt.")
    .requiredOption("--model <path>", "Folder of a Hugging Face checkpoint")
    .requiredOption("--prompt <text>", "Text to continue, without any change; - reads it from standard input")
    .option("--greedy", "Always take the most likely token")
    .addOption(
      new Option("--temperature <n>", "Sampling temperature; 0 is greedy")
        .argParser(numberIn(0, Number.MAX_VALUE))
        .default(1)
        .conflicts("greedy"),
    )
    .addOption(
      new Option("--top-p <n>", "Sample among the most likely tokens of this total probability")
        .argParser(numberIn(Number.MIN_VALUE, 1))
        .default(0.9),
    )
    .addOption(
      new Option(
        "--max-tokens <n>",
        `Longest generation, in tokens (default ${DEFAULT_LENGTH}, less if the model's context ends before)`,
      ).argParser(wholeNumber(1)),
    )
    .addOption(
      new Option("--stop <text>", "End before this text; may be given several times")
        .argParser((value: string, all: readonly string[]) => [...all, value])
        .default([], "none"),
    )
    .addOption(new Option("--seed <n>", "Seed of the sampling").argParser(wholeNumber(0)).default(1))
    .option("--json", 'One line {"tokens","text","stop"}: the new tokens without end-of-text')
    .addHelpText(
      "after",
      `
Examples:
  $ adastar generate --model runs/my-run/checkpoints/0010 --prompt "Q: What is 3 + 4?" --greedy
  $ adastar generate --model DIR --prompt - --max-tokens 64 --json < question.txt`,
    )
    .action(async (options: GenerateOptions) => {
      const prompt = options.prompt === "-" ? await readAll(process.stdin) : options.prompt;
      // Loaded here so that no other command waits for the native runtime.
      const { openCheckpoint } = await import("../../run/open-engine.js");
      const engine = await openCheckpoint({ model: options.model, threads: null });
      try {
        const request = { name: "--prompt", prompt: engine.tokenizer.encode(prompt), seed: options.seed };
        const room = engine.model.contextLength - engine.tokenizer.startTokens.length - request.prompt.length;
        const samples = engine.sample([request], {
          prefix: engine.tokenizer.startTokens,
          temperature: options.greedy ? 0 : options.temperature,
          topP: options.topP,
          maxTokens: options.maxTokens ?? Math.min(DEFAULT_LENGTH, Math.max(1, room)),
          stop: options.stop,
        });
        for await (const { tokens, text, stop } of samples) {
          if (options.json) printJson({ tokens, text, stop });
          else print(text);
        }
      } finally {
        await engine.close();
      }
    });
}
