import { text as readAll } from "node:stream/consumers";
import { Command, Option } from "commander";
import type { Engine } from "../../engine/engine.js";
import { UserError } from "../../errors.js";
import { loadConfig, taskOptions } from "../../run/config/config.js";
import type { RunConfig } from "../../run/config/fields.js";
import { openTask } from "../../tasks/registry.js";
import type { PromptFormat } from "../../tasks/task.js";
import { namedModel } from "../named-model.js";
import { print, printJson } from "../output.js";
import { numberIn, wholeNumber } from "../parsers.js";

interface GenerateOptions {
  readonly model: string;
  readonly prompt?: string;
  readonly question?: string;
  readonly task?: string;
  readonly chat?: boolean;
  readonly greedy?: boolean;
  readonly temperature?: number;
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
    .description("Have a checkpoint continue a prompt, or answer a question in the form of a task.")
    .requiredOption("--model <path>", "Checkpoint folder, hub:owner/name, or a run directory: its best model")
    .option("--prompt <text>", "Text to continue, without any change; - reads it from standard input")
    .option("--question <text>", "Question to answer, put in the form of the task; greedy if no temperature is given")
    .option("--task <name>", "Task whose form --question takes (the task of the run directory)")
    .option("--chat", "Put the question in the chat form of the model (as in the run directory)")
    .option("--greedy", "Always take the most likely token")
    .addOption(
      new Option("--temperature <n>", "Sampling temperature; 0 is greedy (1, with --question 0)")
        .argParser(numberIn(0, Number.MAX_VALUE))
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
  $ adastar generate --model runs/my-run --question "Balance 27. Mon -9, Tue +4?"
  $ adastar generate --model runs/my-run/checkpoints/0010 --prompt "Q: What is 3 + 4?" --greedy
  $ adastar generate --model DIR --prompt - --max-tokens 64 --json < question.txt`,
    )
    .action(async (options: GenerateOptions) => {
      if ((options.prompt === undefined) === (options.question === undefined)) {
        throw new UserError(
          `expected either --prompt TEXT or --question TEXT, got ${options.prompt === undefined ? "neither" : "both"}`,
        );
      }
      const { model, config } = namedModel(options.model);
      const form = options.question === undefined ? null : await formOf(options, config);
      // Loaded here so that no other command waits for the native runtime.
      const { openCheckpoint } = await import("../../run/open-engine.js");
      const engine = await openCheckpoint({ model, threads: null });
      try {
        const { name, prefix, prompt } = await promptOf(options, form, engine);
        const room = engine.model.contextLength - prefix.length - prompt.length;
        const samples = engine.sample([{ name, prompt, seed: options.seed }], {
          prefix,
          temperature: options.greedy ? 0 : (options.temperature ?? (form === null ? 1 : 0)),
          topP: options.topP,
          maxTokens: options.maxTokens ?? Math.min(form?.maxTokens ?? DEFAULT_LENGTH, Math.max(1, room)),
          stop: [...options.stop, ...(form?.format.stop ?? [])],
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

/** How a task puts questions to a model. */
interface QuestionForm {
  readonly format: PromptFormat;
  readonly chat: boolean;
  readonly maxTokens: number;
}

/** The form of the task that is named, else of the run. Throws UserError if neither names one. */
async function formOf({ task, chat }: GenerateOptions, run: RunConfig | null): Promise<QuestionForm> {
  if (task === undefined && run === null) {
    throw new UserError(
      "--question: expected --task NAME beside it, or a run directory as --model, got neither: the form of a question is the task's",
    );
  }
  const config = task === undefined && run !== null ? run : loadConfig({ flags: { task } }).config;
  const { format, maxTokens, verifier } = await openTask(taskOptions(config));
  await verifier.module?.close();
  return { format, chat: chat ?? config.chat, maxTokens: config.maxTokens ?? maxTokens };
}

/** The tokens of the prompt or the question, as a run's test has them. */
async function promptOf(
  { prompt: stated = "", question = "" }: GenerateOptions,
  form: QuestionForm | null,
  { tokenizer, model }: Engine,
): Promise<{ readonly name: string; readonly prefix: readonly number[]; readonly prompt: readonly number[] }> {
  const prefix = tokenizer.startTokens;
  if (form === null) {
    const text = stated === "-" ? await readAll(process.stdin) : stated;
    return { name: "--prompt", prefix, prompt: tokenizer.encode(text) };
  }
  const { format, chat } = form;
  if (!chat) return { name: "--question", prefix, prompt: tokenizer.encode(format.prompt({ question })) };
  if (tokenizer.chat === undefined) {
    throw new UserError(`--chat: expected a checkpoint with a chat template, got ${model.name}, which has none`);
  }
  const content = format.message?.({ question, answer: "" }, false) ?? format.prompt({ question });
  return {
    name: "--question",
    prefix: [],
    prompt: tokenizer.encode(tokenizer.chat.render([{ role: "user", content }], true)),
  };
}
